"""What changes around the unit while it lives: a password, the disk, the journal, the machine."""

import pytest

from selfmx_backupd import events
from tests.machine.machine import until
from tests.machine.readme import PASSWORD
from tests.machine.service import Service
from tests.machine.test_life import SLOW

SMALL_DISK = "mount -t tmpfs -o size=6m,uid=10001,gid=selfmx-backupd,mode=2770 tmpfs {directory}"


def test_a_changed_password_is_an_error_until_the_restart_that_its_hint_names(
    service: Service,
) -> None:
    service.server.renew(password="Another-2!")
    service.systemctl("start")
    service.wait_for("PROBLEM", "refused the login")
    until(lambda: service.journal("--priority=err"), bool)
    assert f"Type: systemctl restart {service.unit.removesuffix('.service')}\n" in service.journal(
        "--priority=err"
    )
    path = service.machine.path(service.places.password)
    path.write_text("Another-2!\n")
    try:
        service.systemctl("restart")
        assert "1 verified backup" in service.wait_until_idle()
    finally:
        path.write_text(f"{PASSWORD}\n")


def test_a_disk_that_is_full_is_an_error_leaves_nothing_and_space_mends_it(
    service: Service,
) -> None:
    machine, directory = service.machine, service.places.backups
    machine.shell(SMALL_DISK.format(directory=directory))
    try:
        service.server.renew("--size", "16")
        service.configure(schedule={"retry_after_s": [1]})
        service.systemctl("start")
        until(lambda: service.entries("backup.failed"), bool)
        assert "df -h" in service.journal("--priority=err")
        assert machine.shell(f"ls {directory} | grep -v lock || true") == ""
        machine.shell(f"mount -o remount,size=1g {directory}")
        assert "1 verified backup" in service.wait_until_idle()
        service.systemctl("stop")
    finally:
        machine.shell(f"systemctl stop {service.unit}; umount {directory}")


def test_a_journal_that_is_started_anew_goes_on_with_all_fields(service: Service) -> None:
    service.systemctl("start")
    service.wait_until_idle()
    service.machine.shell("systemctl restart systemd-journald")
    service.systemctl("reload")
    (reloaded,) = until(lambda: service.entries("daemon.reloaded"), bool)
    assert reloaded["_SYSTEMD_UNIT"] == service.unit
    assert reloaded["MESSAGE_ID"] == events.DAEMON_RELOADED.message_id


def test_a_shutdown_in_mid_backup_gives_it_up_and_the_next_boot_takes_it(
    service: Service,
) -> None:
    service.server.renew(*SLOW)
    service.systemctl("start")
    service.wait_for("backing up", "%")
    service.machine.shut_down()
    assert service.files() == set()
    service.machine.boot()
    assert "1 verified backup" in service.wait_until_idle(90)
    # It was ended in good order: nobody is told of a death.
    assert service.entries("run.interrupted") == []
    assert "stopped by SIGTERM" in service.journal()
    assert service.journal("--priority=err") == ""


@pytest.mark.parametrize("driver", ["auto", "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so"])
def test_a_server_is_found_by_its_name(service: Service, driver: str) -> None:
    # As localhost often is: the first address is one where nobody listens.
    service.machine.path("/etc/hosts").write_text("::1 database\n127.0.0.1 database\n")
    service.configure(sqlserver={"driver": driver, "host": "database"})
    service.systemctl("start")
    assert "1 verified backup" in service.wait_until_idle()


def test_the_journal_can_explain_every_event(service: Service) -> None:
    listed = service.machine.shell("journalctl --list-catalog")
    known = {line.partition(" ")[0] for line in listed.splitlines() if "selfmx-backupd: " in line}
    assert known == {event.message_id for event in events.ALL}
