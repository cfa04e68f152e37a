"""What an administrator reads with journalctl, and what wakes him."""

from tests.machine.machine import until
from tests.machine.roots import REPOSITORY
from tests.machine.service import Service

# What README.md has monitoring type.
ALERT = 'test -z "$(journalctl -q -u selfmx-backupd -p err --since -15min | tee /dev/stderr)"'


def test_an_entry_has_its_fields(service: Service) -> None:
    service.systemctl("start")
    service.wait_until_idle()
    (published,) = service.entries("backup.published")
    (name,) = (each for each in service.files() if each.endswith(".bak"))
    assert published["FILE"] == name
    assert int(published["SIZE_BYTES"]) == (service.backups / name).stat().st_size
    assert published["TIER"] == ["daily", "weekly", "monthly"]
    assert published["PRIORITY"] == "6"
    assert len(published["MESSAGE_ID"]) == 32
    assert published["_SYSTEMD_UNIT"] == service.unit
    assert name in published["MESSAGE"]
    begun = service.entries("backup.started")
    assert [each["RUN_ID"] for each in begun] == [published["RUN_ID"]]


def test_journalctl_x_explains_a_failure_and_names_the_command(service: Service) -> None:
    service.server.stop()
    service.configure(schedule={"retry_after_s": [1]})
    service.systemctl("start")
    service.wait_for_log("is not reached")
    until(lambda: service.journal("--priority=err"), bool)
    explained = service.journal("--output=short", "--catalog", "--priority=err")
    assert "░░ Subject: " in explained or "-- Subject: " in explained
    assert "docker " in explained


def test_what_time_may_mend_wakes_nobody_and_the_status_says_it(service: Service) -> None:
    service.server.stop()
    service.configure(schedule={"retry_after_s": [1, 3600]})
    service.systemctl("start")
    service.wait_for("PROBLEM", "is not reached")
    assert service.journal("--priority=err") == ""
    assert "is not reached" in service.journal("--priority=warning")
    assert service.property("ActiveState") == "active"


def test_the_alerts_of_readme_are_silent_when_all_is_well_and_speak_when_it_is_not(
    service: Service,
) -> None:
    assert f"\n{ALERT}\n" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    service.machine.shell("journalctl --rotate --vacuum-time=1s")
    service.systemctl("start")
    service.wait_until_idle()
    assert service.machine.run("sh", "-c", ALERT, check=False).returncode == 0
    told = service.machine.run("selfmx-backupd", "status", check=False)
    assert told.returncode == 0, told.stdout
    assert told.stdout.startswith("OK - newest backup ")
    for name in service.files():
        if name.endswith(".bak"):
            (service.backups / name).unlink()
    service.systemctl("restart")
    until(lambda: service.journal("--priority=err"), bool, 60)
    alert = service.machine.run("sh", "-c", ALERT, check=False)
    assert alert.returncode == 1
    assert "is missing: its manifest is here, the file is gone" in alert.stderr
    told = service.machine.run("selfmx-backupd", "status", check=False)
    assert told.returncode == 2
    assert told.stdout.startswith("CRITICAL - ")
    assert "is missing" in told.stdout
