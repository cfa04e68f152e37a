"""The unit on a good day: start, reload, stop, and what an ordinary user sees."""

import stat

from tests.machine.machine import NOBODY, until
from tests.machine.service import Service
from tests.machine.sqlserver import UID

# Some seconds to write it, and some to read it back.
SLOW = ("--size", "16", "--rate", "4")


def test_what_readme_has_typed_installs_it_and_ends_the_old_timer(service: Service) -> None:
    asked = service.machine.run("systemctl", "is-enabled", service.unit)
    assert asked.stdout == "enabled\n"
    for question in ("is-enabled", "is-active"):
        asked = service.machine.run("systemctl", question, "selfmx-backup.timer", check=False)
        assert asked.stdout in ("disabled\n", "inactive\n")
    assert service.machine.shell("command -v selfmx-restore") == "/usr/local/sbin/selfmx-restore\n"


def test_the_first_start_takes_a_backup_that_the_group_may_read(service: Service) -> None:
    service.systemctl("start")
    assert service.property("ActiveState") == "active"
    status = service.wait_until_idle()
    assert "1 verified backup" in status
    assert "next daily" in status
    shown = service.machine.run("systemctl", "status", service.unit).stdout
    assert 'Status: "newest backup ' in shown
    group = service.backups.stat().st_gid
    for name in service.files():
        info = (service.backups / name).stat()
        assert stat.S_IMODE(info.st_mode) == 0o640
        assert info.st_gid == group
        assert (info.st_uid == UID) == name.endswith(".bak")
    assert [each["state"] for each in service.listed()] == ["verified"]
    assert service.journal("--priority=err") == ""


def test_the_unit_as_it_is_shipped_is_watched_and_shows_that_it_lives(service: Service) -> None:
    service.systemctl("start")
    assert service.property("WatchdogUSec") != "0"
    before = int(service.property("WatchdogTimestampMonotonic"))
    service.systemctl("reload")
    until(lambda: int(service.property("WatchdogTimestampMonotonic")), lambda it: it > before)


def test_an_ordinary_user_sees_the_status_and_may_not_read_the_secrets(service: Service) -> None:
    service.systemctl("start")
    service.wait_for("1 verified backup")
    seen = service.machine.run("systemctl", "status", service.unit, uid=NOBODY)
    assert "1 verified backup" in seen.stdout
    for secret in (service.places.password, f"/run/credentials/{service.unit}/sqlserver-password"):
        assert service.machine.run("cat", secret, uid=NOBODY, check=False).returncode != 0


def test_a_reload_takes_up_a_good_file_without_disturbing_the_backup_that_runs(
    service: Service,
) -> None:
    service.server.renew(*SLOW)
    service.systemctl("start")
    service.wait_for("backing up", "%")
    service.configure(schedule={"daily": "05:45"}, backup={"prefix": "other"})
    service.systemctl("reload")
    service.wait_for_log("changed, but taken up only by a restart: backup.prefix")
    service.wait_for("1 verified backup", "05:45")
    assert "given up" not in service.journal()
    assert len(service.entries("backup.published")) == 1


def test_a_reload_of_a_bad_file_changes_nothing_and_says_what_is_wrong(service: Service) -> None:
    service.systemctl("start")
    before = service.wait_for("1 verified backup")
    pid = service.pid()
    service.configure(schedule={"daily": "25:00"})
    service.systemctl("reload")
    assert "config.toml: schedule.daily: " in service.wait_for_log("the old one stays in force")
    assert service.journal("--priority=err").count("\n") == 1
    assert (
        service.wait_for("1 verified backup").rpartition("next")[2] == before.rpartition("next")[2]
    )
    assert service.property("ActiveState") == "active"
    assert service.pid() == pid


def test_a_stop_in_mid_backup_ends_it_on_the_server_and_leaves_nothing(service: Service) -> None:
    service.server.renew(*SLOW)
    service.systemctl("start")
    service.wait_for("backing up", "%")
    service.systemctl("stop")
    assert service.property("Result") == "success"
    assert service.property("ExecMainStatus") == "0"
    assert "the scheduled backup was given up: stopped by SIGTERM" in service.journal()
    assert service.files() == set()
    assert "backup" not in service.outcomes()["jobs"]
    assert service.journal("--priority=err") == ""


def test_a_restart_takes_no_backup_that_is_not_due(service: Service) -> None:
    service.systemctl("start")
    service.wait_for("1 verified backup")
    first = service.pid()
    service.systemctl("restart")
    service.wait_for("1 verified backup")
    assert service.pid() != first
    service.systemctl("stop")
    assert len(service.listed()) == 1
