"""Ends that nobody asked for: what is there afterwards, and what is said of it."""

import time
from datetime import timedelta

import pytest

from selfmx_backupd import wiring
from tests.machine.machine import until
from tests.machine.service import Service
from tests.machine.test_life import SLOW

# systemd's own, see DefaultStartLimitBurst= in systemd-system.conf(5).
MANAGERS_LIMIT = 5
AT_ONCE = "[Service]\nRestartSec=100ms\n"


def ensure_repaired(service: Service) -> None:
    """One backup, verified; and the run that died was counted as a failure."""
    assert "1 verified backup" in service.wait_until_idle(90)
    (died,) = service.entries("run.interrupted")
    assert "the scheduled backup that began" in died["MESSAGE"]
    (name,) = (each.removesuffix(".bak") for each in service.files() if each.endswith(".bak"))
    assert service.files() == {f"{name}.bak", f"{name}.json"}
    assert [each["state"] for each in service.listed()] == ["verified"]
    assert service.outcomes()["jobs"]["backup"]["failures_in_a_row"] == 0


@pytest.mark.parametrize(("number", "said"), [("KILL", "status=9/KILL"), ("SEGV", "Segmentation")])
def test_a_daemon_that_dies_in_mid_backup_begins_anew_and_repairs(
    service: Service, number: str, said: str
) -> None:
    service.drop_in(AT_ONCE)
    service.server.renew(*SLOW)
    service.systemctl("start")
    service.wait_for("backing up", "%")
    service.kill(number)
    service.wait_until_restarted()
    ensure_repaired(service)
    assert said in service.journal()


def test_a_daemon_that_dies_at_each_start_is_never_given_up(service: Service) -> None:
    service.drop_in(f"{AT_ONCE}ExecStart=\nExecStart=/bin/false\n")
    service.machine.run("systemctl", "start", service.unit, check=False)
    # Without the unit's own limit, systemd has enough of five within ten seconds.
    until(service.restarts, lambda it: it > 2 * MANAGERS_LIMIT)
    service.drop_in(AT_ONCE)
    assert "1 verified backup" in service.wait_until_idle()


def test_a_power_cut_in_mid_backup_is_repaired_by_the_next_boot(service: Service) -> None:
    service.server.renew(*SLOW)
    service.systemctl("start")
    service.wait_for("backing up", "%")
    service.machine.cut_power()
    service.machine.boot()
    ensure_repaired(service)


def test_a_slot_that_was_missed_while_the_machine_was_off_is_caught_up(service: Service) -> None:
    service.systemctl("start")
    service.wait_until_idle()
    slot = wiring.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    at = f"{slot:%H:%M}"
    service.configure(schedule={"daily": at, "weekly": "off", "monthly": "off", "timezone": "UTC"})
    service.machine.shut_down()
    time.sleep(max(0.0, (slot - wiring.now()).total_seconds()))
    service.machine.boot()
    service.wait_for("2 verified backups")
    assert service.listed()[0]["tiers"] == ["daily"]


def test_a_server_that_is_down_at_the_start_is_waited_for(service: Service) -> None:
    service.server.stop()
    service.systemctl("start")
    assert service.property("ActiveState") == "active"
    service.wait_for("PROBLEM", "is not reached")
    service.configure(schedule={"retry_after_s": [1]})
    service.systemctl("reload")
    service.server.start()
    assert "1 verified backup" in service.wait_until_idle()


def test_a_wrong_configuration_is_exit_code_3_and_no_loop_of_starts(service: Service) -> None:
    service.drop_in(AT_ONCE)
    service.configure(schedule={"daily": "25:00"})
    assert service.machine.run("systemctl", "start", service.unit, check=False).returncode != 0
    time.sleep(1)
    assert service.property("ActiveState") == "failed"
    assert service.property("ExecMainStatus") == "3"
    assert service.restarts() == 0
    assert "config.toml: schedule.daily: " in service.journal("--priority=err")
