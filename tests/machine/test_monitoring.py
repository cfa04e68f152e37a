"""What README.md has monitoring type, by a user who may do nothing else."""

from collections.abc import Iterator

import pytest

from tests.machine.roots import REPOSITORY
from tests.machine.service import Service

RULE = "/etc/sudoers.d/selfmx-backupd"
ALLOWED = f"echo 'nagios ALL=(root) NOPASSWD: /usr/local/sbin/selfmx-backupd status' > {RULE}\n"
LOOK = "sudo -u nagios sudo selfmx-backupd status"


@pytest.fixture
def monitored(service: Service) -> Iterator[Service]:
    """A service that monitoring's user may ask how it is."""
    assert f"\n{ALLOWED}{LOOK}\n" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    service.machine.shell(f"useradd --system nagios\n{ALLOWED}")
    yield service
    service.machine.shell(f"rm {RULE}; userdel nagios")


def look(service: Service) -> tuple[int, str]:
    """Its exit code, and the line that monitoring shows."""
    done = service.machine.run("sh", "-c", LOOK, check=False)
    return done.returncode, done.stdout.partition("\n")[0]


def test_monitoring_sees_from_the_exit_code_how_it_is(monitored: Service) -> None:
    monitored.systemctl("start")
    monitored.wait_until_idle()
    code, line = look(monitored)
    assert (code, line.startswith("OK - newest backup ")) == (0, True), line
    monitored.systemctl("stop")
    code, line = look(monitored)
    assert (code, line.startswith("CRITICAL - the daemon does not run")) == (2, True), line


@pytest.mark.parametrize("words", ["selfmx-backup", "selfmx-backupd run", "cat /etc/shadow"])
def test_monitoring_may_do_nothing_else(monitored: Service, words: str) -> None:
    done = monitored.machine.run(
        "sh", "-c", f"sudo -u nagios sudo --non-interactive {words}", check=False
    )
    assert done.returncode == 1
    assert "password is required" in done.stderr
    assert monitored.files() == set()
