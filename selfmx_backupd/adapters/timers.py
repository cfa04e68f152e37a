"""APScheduler's jobs: they ring at each scheduled time, and decide nothing.

What is due is computed at every wake-up. So it does not matter that a cron trigger fires
twice in the hour that exists twice, or late by the jump after the clock was set: it
waits in monotonic seconds (seen with APScheduler 3.11.3).
"""

import threading
from collections.abc import Callable
from datetime import UTC
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from selfmx_backupd.policy.rules import Daily, Monthly, Rule, Weekly
from selfmx_backupd.policy.schedule import Schedule

_THREAD = "APScheduler"
# By name, because its numbers count Monday as 0 and cron's count Sunday.
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Timers:
    """The scheduler with one job for each tier, and one for the sweep."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        # By default a job that is a second late is dropped.
        # Each trigger has its own zone; without one here APScheduler would look for the host's
        # by itself, and fail where there is none.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def register(self, schedule: Schedule) -> None:
        """Replace all jobs by those of a schedule."""
        self._scheduler.remove_all_jobs()
        rules: dict[str, Rule] = {tier.value: rule for tier, rule in schedule.tiers.items()}
        if schedule.sweep is not None:
            rules["sweep"] = Daily(schedule.sweep)
        for name, rule in rules.items():
            self._scheduler.add_job(self._ring, cron_trigger(rule, schedule.zone), id=name)

    def start(self) -> None:
        """Start the scheduler's thread."""
        self._scheduler.start()

    @property
    def is_alive(self) -> bool:
        """Whether the scheduler's thread lives; it is known by its name."""
        return any(each.name == _THREAD and each.is_alive() for each in threading.enumerate())

    def stop(self) -> None:
        """End it without waiting; its jobs only ring."""
        self._scheduler.shutdown(wait=False)


def cron_trigger(rule: Rule, zone: ZoneInfo) -> CronTrigger:
    """APScheduler's form of a rule."""
    days: dict[str, object] = {}
    if isinstance(rule, Weekly):
        days["day_of_week"] = _WEEKDAYS[rule.weekday]
    elif isinstance(rule, Monthly):
        days["day"] = rule.day
    return CronTrigger(hour=rule.at.hour, minute=rule.at.minute, timezone=zone, **days)
