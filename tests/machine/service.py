"""One of our units on a machine, and the SQL Server that it backs up."""

import json
from dataclasses import dataclass
from typing import Any, Self

from selfmx_backupd import wiring
from tests.machine.machine import Machine, until
from tests.machine.sqlserver import SqlServer


@dataclass(frozen=True, slots=True)
class Places:
    """Where a unit has its own, inside the machine."""

    unit: str
    config: str
    password: str
    backups: str
    state: str

    @classmethod
    def of(cls, instance: str | None) -> Self:
        """Of the unit itself, or of an instance of its template."""
        if instance is None:
            return cls(
                "selfmx-backupd.service",
                "/etc/selfmx-backupd/config.toml",
                "/etc/selfmx-backupd/sqlserver-password",
                "/data/selfmx/backups",
                "/var/lib/selfmx-backupd",
            )
        return cls(
            f"selfmx-backupd@{instance}.service",
            f"/etc/selfmx-backupd/{instance}.toml",
            f"/etc/selfmx-backupd/{instance}.password",
            f"/data/{instance}/backups",
            f"/var/lib/selfmx-backupd/{instance}",
        )


class Service:
    """A unit: what it is told, what it says, what it leaves.

    Args:
        machine: Where it runs.
        server: Its SQL Server, which may be down.
        instance: The template's instance; None for the unit itself.

    Attributes:
        settings: What its configuration says, by section and key.
    """

    def __init__(self, machine: Machine, server: SqlServer, instance: str | None = None) -> None:
        self.machine = machine
        self.server = server
        self.settings: dict[str, dict[str, Any]] = {
            "sqlserver": {"port": server.port, "login_timeout_s": 5},
            "schedule": {"retry_after_s": [1, 2, 3600]},
        }
        self.places = Places.of(instance)
        self.unit = self.places.unit
        self.backups = machine.path(self.places.backups)
        # Not a cursor: systemd 252 loses an entry where it also filters.
        self._since = f"--since=@{wiring.now().timestamp():.6f}"

    def configure(self, **sections: dict[str, Any]) -> None:
        """Write the configuration, with some more keys (JSON's values are TOML's too)."""
        for section, values in sections.items():
            self.settings.setdefault(section, {}).update(values)
        lines = []
        for section, values in self.settings.items():
            lines.append(f"[{section}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        self.machine.path(self.places.config).write_text("\n".join(lines) + "\n")

    def drop_in(self, content: str) -> None:
        """Give the unit a drop-in."""
        directory = self.machine.path(f"/etc/systemd/system/{self.unit}.d")
        directory.mkdir(exist_ok=True)
        (directory / "test.conf").write_text(content)
        self.systemctl("daemon-reload")

    def systemctl(self, verb: str, *more: str) -> None:
        """`systemctl start` and so on, of this unit; it must succeed."""
        name = () if verb == "daemon-reload" else (self.unit,)
        self.machine.run("systemctl", verb, *more, *name)

    def property(self, name: str) -> str:
        """`systemctl show --property`, its value alone."""
        answer = self.machine.run("systemctl", "show", f"--property={name}", "--value", self.unit)
        return answer.stdout.removesuffix("\n")

    def status(self) -> str:
        """The line that the daemon last told systemd."""
        return self.property("StatusText")

    def pid(self) -> int:
        """The daemon's process, by its number inside the machine."""
        return int(self.property("MainPID"))

    def kill(self, signal: str) -> None:
        """Send a signal to the daemon, as if by accident."""
        self.machine.run("systemctl", "kill", "--kill-whom=main", f"--signal={signal}", self.unit)

    def wait_for(self, *words: str, timeout_s: float = 30) -> str:
        """Wait until the status has all these words, and return it."""
        return until(self.status, lambda it: all(word in it for word in words), timeout_s)

    def wait_for_log(self, words: str, timeout_s: float = 30) -> str:
        """Wait until the journal has these words since this test began, and return it."""
        return until(self.journal, lambda it: words in it, timeout_s)

    def journal(self, *more: str) -> str:
        """What the journal has of the unit since this test began."""
        return self._journalctl("--output=cat", *more)

    def entries(self, event: str) -> list[dict[str, Any]]:
        """The journal's entries of one event since this test began, with all their fields."""
        lines = self._journalctl("--output=json", f"EVENT={event}").splitlines()
        return [json.loads(line) for line in lines]

    def restarts(self) -> int:
        """How often systemd has started it again by itself."""
        return int(self.property("NRestarts"))

    def wait_until_idle(self, timeout_s: float = 60) -> str:
        """Wait until there is a backup and nothing is wrong or under way; return the status."""
        return until(self.status, lambda it: it.startswith("newest backup"), timeout_s)

    def wait_until_restarted(self, times: int = 1, timeout_s: float = 60) -> None:
        """Wait until systemd has started it again, and it is ready."""
        until(self.restarts, lambda it: it >= times, timeout_s)
        until(lambda: self.property("ActiveState"), lambda it: it == "active", timeout_s)

    def files(self) -> set[str]:
        """The names in the backup directory, without the lock, which never goes."""
        return {path.name for path in self.backups.iterdir() if path.suffix != ".lock"}

    def outcomes(self) -> dict[str, Any]:
        """What `state.json` holds."""
        path = self.machine.path(f"{self.places.state}/state.json")
        document: dict[str, Any] = json.loads(path.read_text())
        return document

    def listed(self) -> list[dict[str, Any]]:
        """The backups of `selfmx-backup list --json`, newest first."""
        answer = self.machine.run("selfmx-backup", "list", "--json", "--config", self.places.config)
        backups: list[dict[str, Any]] = json.loads(answer.stdout)["backups"]
        return backups

    def _journalctl(self, *more: str) -> str:
        ours = ("journalctl", f"--unit={self.unit}", "--quiet", self._since)
        return self.machine.run(*ours, *more).stdout
