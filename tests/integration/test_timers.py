"""APScheduler's triggers against the policy that decides what is due."""

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd.adapters.timers import Timers, cron_trigger
from selfmx_backupd.policy import rules
from selfmx_backupd.policy.rules import Daily, Monthly, Weekly
from selfmx_backupd.policy.schedule import next_slot
from tests.build import utc

RULES = (
    rules.parse_daily("03:00"),
    rules.parse_weekly("sunday 03:00"),
    rules.parse_weekly("monday 23:59"),
    rules.parse_monthly("1 03:00"),
    rules.parse_monthly("28 00:00"),
    rules.parse_monthly("last 04:30"),
)


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/New_York", "UTC"])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_timer_rings_at_every_slot_of_a_year(zone: str, rule: Daily | Weekly | Monthly) -> None:
    trigger = cron_trigger(rule, ZoneInfo(zone))
    now = utc("2026-01-01 00:30")
    while now < utc("2027-01-01 00:00"):
        slot = next_slot(rule, ZoneInfo(zone), now)
        assert trigger.get_next_fire_time(None, now) == slot
        now = slot + timedelta(seconds=1)


def test_whether_the_schedulers_thread_lives_is_known() -> None:
    timers = Timers(lambda: None)
    seen = [timers.is_alive]
    timers.start()
    seen.append(timers.is_alive)
    timers.stop()
    deadline = time.monotonic() + 10
    while timers.is_alive and time.monotonic() < deadline:
        time.sleep(0.01)
    seen.append(timers.is_alive)
    assert seen == [False, True, False]
