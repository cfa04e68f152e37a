"""What must be there before the daemon can start, and is not: who says it, what mends it."""

from collections.abc import Iterator

import pytest

from tests.machine import readme
from tests.machine.machine import until
from tests.machine.service import Service
from tests.machine.test_crashes import AT_ONCE

DISK = "[Mount]\nWhat=tmpfs\nWhere=/data/selfmx/backups\nType={kind}\n"
MADE = "chown 10001:selfmx-backupd {directory}; chmod 2770 {directory}"
DISK_UNIT = "data-selfmx-backups.mount"


def is_active(service: Service) -> bool:
    return service.property("ActiveState") == "active"


def start(service: Service) -> None:
    """Start it, in vain."""
    done = service.machine.run("systemctl", "start", service.unit, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/data/selfmx/backups", "226/NAMESPACE"),
        ("/etc/selfmx-backupd/sqlserver-password", "243/CREDENTIALS"),
    ],
)
def test_what_is_not_there_is_an_error_and_is_waited_for(
    service: Service, path: str, code: str
) -> None:
    assert f"| `status={code}` |" in readme.text()
    service.drop_in(AT_ONCE)
    service.machine.shell(f"mv {path} {path}.away")
    try:
        start(service)
        assert code.partition("/")[2] in service.journal("--priority=err")
        assert f"status={code}" in service.journal()
    finally:
        service.machine.shell(f"mv {path}.away {path}")
    until(lambda: is_active(service), bool)
    assert "1 verified backup" in service.wait_until_idle()


@pytest.fixture
def disk(service: Service) -> Iterator[None]:
    """A disk of its own for backups, which cannot be mounted."""
    path = service.machine.path(f"/etc/systemd/system/{DISK_UNIT}")
    path.write_text(DISK.format(kind="none-such"))
    service.systemctl("daemon-reload")
    yield
    service.machine.shell(f"systemctl stop {service.unit} {DISK_UNIT}")
    path.unlink()
    service.systemctl("daemon-reload")


@pytest.mark.usefixtures("disk")
def test_nothing_is_written_where_a_disk_is_not_mounted(service: Service) -> None:
    assert "| `Dependency failed` |" in readme.text()
    machine = service.machine
    start(service)
    assert "Dependency failed for" in service.journal()
    assert list(service.backups.iterdir()) == []
    told = machine.run("selfmx-backupd", "status", check=False)
    assert told.returncode == 2
    assert "the daemon does not run" in told.stdout
    machine.path(f"/etc/systemd/system/{DISK_UNIT}").write_text(DISK.format(kind="tmpfs"))
    service.systemctl("daemon-reload")
    machine.shell(f"systemctl start {DISK_UNIT}; {MADE.format(directory=service.places.backups)}")
    service.systemctl("start")
    assert "1 verified backup" in service.wait_until_idle()
    assert ".bak\n" in machine.shell(f"ls {service.places.backups}")


def test_a_disk_that_is_mounted_over_while_it_runs_is_seen_by_it(service: Service) -> None:
    machine, directory = service.machine, service.places.backups
    service.systemctl("start")
    service.wait_until_idle()
    first = service.files()
    machine.shell(f"mount -t tmpfs tmpfs {directory}; {MADE.format(directory=directory)}")
    try:
        service.systemctl("reload")
        service.wait_for("there is no verified backup")
        service.systemctl("restart")
        service.wait_until_idle()
        assert ".bak\n" in machine.shell(f"ls {directory}")
        assert service.files() == first
    finally:
        machine.shell(f"systemctl stop {service.unit}; umount {directory}")
