"""`selfmx-backupd check` on a machine on which README.md's section Install has been typed."""

import json
import re

from tests.machine import readme
from tests.machine.service import Service

# What SelfMX's updater does to us.
UPDATE = "chmod 750 /data/selfmx/backups; systemctl enable --now selfmx-backup.timer"
NO_APPLICATION: dict[str, list[str]] = {"stop": [], "start": [], "health": []}


def wrong(service: Service) -> dict[str, tuple[str, str]]:
    """Severity and hint of what is not well, by its subject.

    Without the clock, which is the host's.
    """
    words = ("selfmx-backupd", "check", "--json", "--config", service.places.config)
    checks = json.loads(service.machine.run(*words, check=False).stdout)["checks"]
    assert {"sql_server", "same_directory", "restore_space", "old_timer"} <= {
        each["subject"] for each in checks
    }
    return {
        each["subject"]: (each["severity"], each["hint"])
        for each in checks
        if each["severity"] != "ok" and each["subject"] != "clock"
    }


def test_what_readme_has_typed_has_no_trap_before_and_after_the_first_backup(
    service: Service,
) -> None:
    service.configure(**readme.restoring(), application=NO_APPLICATION)
    assert wrong(service) == {}
    service.systemctl("start")
    service.wait_until_idle()
    assert wrong(service) == {}


def test_what_selfmx_updater_spoils_is_critical_and_mended_by_typing_the_hints(
    service: Service,
) -> None:
    service.configure(**readme.restoring(), application=NO_APPLICATION)
    service.machine.shell(UPDATE)
    found = wrong(service)
    assert {subject: severity for subject, (severity, _) in found.items()} == {
        "backup_directory": "critical",
        "old_timer": "critical",
    }
    for _, hint in found.values():
        (typed,) = re.findall("^Type: (.+)$", hint)
        service.machine.shell(typed)
    assert wrong(service) == {}


def test_the_status_is_critical_from_the_next_look_at_the_old_timer_until_it_is_off(
    service: Service,
) -> None:
    service.systemctl("start")
    service.wait_until_idle()
    service.machine.shell("systemctl enable --now selfmx-backup.timer")
    service.wait_for("PROBLEM: selfmx-backup.timer is on again", timeout_s=60)
    words = ("selfmx-backupd", "status", "--json", "--config", service.places.config)
    answer = service.machine.run(*words, check=False)
    (found,) = json.loads(answer.stdout)["findings"]
    assert (answer.returncode, found["cause"]) == (2, "old_script")
    (told,) = service.entries("health.critical")
    assert (told["PRIORITY"], told["PROBLEM"]) == ("3", found["sentence"])
    (typed,) = re.findall("^Type: (.+)$", found["hint"])
    service.machine.shell(typed)
    service.wait_until_idle()
