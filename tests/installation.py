"""A whole installation in a temporary directory: stand-in, configuration, our commands."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.application import Application
from tests.standin.drivers import known
from tests.standin.process import PASSWORD, StandIn

BIN = Path(sys.executable).parent
SERVER_PATH = "/var/opt/mssql/backup"


class Installation:
    """Directories, a configuration, and the product's commands as real processes.

    Args:
        root: An empty directory.
        driver: `msodbcsql18` or `freetds`.
        user: The login that the product uses.
        standin: Arguments for the stand-in.
    """

    def __init__(
        self,
        root: Path,
        *,
        driver: str = "msodbcsql18",
        user: str = "sa",
        password: str = PASSWORD,
        standin: Sequence[str] = (),
    ) -> None:
        self.root = root
        self.backups = root / "backups"
        self.state = root / "state"
        self.config = root / "config.toml"
        self.backups.mkdir(parents=True, exist_ok=True)
        self.app = Application(root / "app")
        self.password_file = root / "sqlserver-password"
        self.password_file.write_text(f"{password}\n")
        self.restore_password_file = root / "restore-password"
        self.restore_password_file.write_text(f"{PASSWORD}\n")
        self.server = StandIn(root / "server", self.backups, server_path=SERVER_PATH, args=standin)
        library = known()[driver].library
        self.settings: dict[str, dict[str, Any]] = {
            "sqlserver": {
                "user": user,
                "password_file": str(self.password_file),
                "restore_user": "sa",
                "restore_password_file": str(self.restore_password_file),
                "driver": str(library),
                "login_timeout_s": 5,
            },
            "backup": {"directory": str(self.backups), "server_directory": SERVER_PATH},
            "schedule": {"timezone": "Europe/Vienna", "retry_after_s": [1, 2, 3600]},
            "application": self.app.settings(),
            "state": {"directory": str(self.state)},
        }

    def __enter__(self) -> Self:
        self.server.start()
        self.settings["sqlserver"]["port"] = self.server.port
        self.write_config()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.server.stop()

    def write_config(self) -> None:
        """Write the settings as TOML (JSON's scalars and lists are TOML's too)."""
        lines = []
        for section, values in self.settings.items():
            lines.append(f"[{section}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        self.config.write_text("\n".join(lines) + "\n")

    def command(self, *words: str) -> list[str]:
        """One of our commands with this configuration."""
        program, *rest = words
        return [str(BIN / program), *rest, "--config", str(self.config)]

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run one of our commands to its end; what it said is as `in_short` tells it."""
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=environment(env),
            check=False,
        )
        done.stdout, done.stderr = self.in_short(done.stdout), self.in_short(done.stderr)
        return done

    def in_short(self, said: str) -> str:
        """What was said, as the operator of the default configuration would read it."""
        return said.replace(f" --config {self.config}", "")

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start one of our commands."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(env),
        )

    def listed(self) -> list[dict[str, Any]]:
        """The backups of `selfmx-backup list --json`."""
        answer = self.run("selfmx-backup", "list", "--json")
        assert answer.returncode == 0, answer.stderr
        backups: list[dict[str, Any]] = json.loads(answer.stdout)["backups"]
        return backups

    def files(self) -> set[str]:
        """The names in the backup directory, without the lock, which never goes."""
        return {path.name for path in self.backups.iterdir() if path.suffix != ".lock"}

    def outcomes(self) -> dict[str, Any]:
        """What `state.json` holds."""
        document: dict[str, Any] = json.loads((self.state / "state.json").read_text())
        return document


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without what would speak to a real systemd, and with some more."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SELFMX_BACKUPD_")
        and name not in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM")
    }
    return {**ours, "PYTHONPATH": "", **(more or {})}


class DaemonProcess:
    """`selfmx-backupd run` with a socket in systemd's place.

    Attributes:
        heard: Every datagram that it sent, in order, as `Installation.in_short` tells it.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        env: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tell = tell
        self._in_short = installation.in_short
        self._path = installation.root / f"notify-{os.getpid()}-{time.monotonic_ns()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self.heard: list[str] = []
        self.process = installation.start(
            "selfmx-backupd", "run", env={"NOTIFY_SOCKET": str(self._path), **(env or {})}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def wait_for(self, wanted: Callable[[str], bool], timeout_s: float = 30) -> str:
        """Wait for a datagram, or fail with what the daemon said instead."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self._listen():
                if self.process.poll() is not None:
                    _, errors = self.process.communicate()
                    raise AssertionError(f"the daemon ended: {errors}\n{self.heard}")
            elif wanted(self.heard[-1]):
                return self.heard[-1]
        raise AssertionError(f"not heard within {timeout_s} s; heard: {self.heard[-20:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 30) -> str:
        """Send a signal, expect exit code 0, and return what it logged."""
        self.process.send_signal(number)
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None or self._listen():
            self._listen()
            assert time.monotonic() < deadline, "it does not stop"
        _, errors = self.process.communicate()
        assert self.process.returncode == 0, errors
        return self._in_short(errors)

    def _listen(self) -> bool:
        """Take one datagram, if one comes within a moment."""
        ready, _, _ = select.select([self._socket], [], [], 0.1)
        if ready:
            self.heard.append(self._in_short(self._socket.recv(65536).decode()))
            self._tell(self.heard[-1])
        return bool(ready)
