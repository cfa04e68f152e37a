"""What hundreds of days leave behind, by the same functions that the daemon uses."""

from collections.abc import Container
from datetime import UTC, datetime, time, timedelta

from selfmx_backupd.model import Backup, Tier
from selfmx_backupd.policy.retention import Retention, decide
from selfmx_backupd.policy.rules import Daily, Monthly, Weekly
from selfmx_backupd.policy.schedule import Schedule, due
from tests.build import VIENNA, backup, entry

DAY = timedelta(days=1)
SEVEN_FOUR_TWELVE = Retention(daily=7, weekly=4, monthly=12, manual=30, pre_restore=30, minimum=3)
SCHEDULE = Schedule(
    VIENNA,
    {
        Tier.DAILY: Daily(time(3)),
        Tier.WEEKLY: Weekly(6, time(3)),
        Tier.MONTHLY: Monthly(1, time(3)),
    },
)
FIRST_DAY = datetime.fromisoformat("2025-01-15 03:00").replace(tzinfo=VIENNA)
COUNTS = {Tier.DAILY: 7, Tier.WEEKLY: 4, Tier.MONTHLY: 12}


def live(
    days: int, *, off: Container[int] = (), failing: Container[int] = ()
) -> tuple[list[int], list[Backup]]:
    """Back up at 03:00 and sweep at 04:00; nothing runs while off, only the sweep while failing.

    Returns:
        How many backups there were after each day, and the last day's, the newest first.
    """
    here: list[Backup] = []
    taken: list[Backup] = []
    counts = []
    for day in range(days):
        now = (FIRST_DAY + day * DAY).astimezone(UTC)
        if day not in off and day not in failing:
            tiers = [each.tier for each in due(now, SCHEDULE, here)]
            assert Tier.DAILY in tiers
            taken.insert(0, backup(now, tiers))
            here.insert(0, taken[0])
        if day not in off:
            entries = [entry(each) for each in here]
            decisions = decide(entries, SEVEN_FOUR_TWELVE, VIENNA, now + timedelta(hours=1))
            here = [each for each, to in zip(here, decisions, strict=True) if to.keep]
        assert must_stay(taken) <= {each.file for each in here}
        counts.append(len(here))
    return counts, here


def must_stay(taken: list[Backup]) -> set[str]:
    """The names of the newest backups of each tier, as many as its window counts."""
    return {
        each.file
        for tier, count in COUNTS.items()
        for each in [each for each in taken if tier in each.tiers][:count]
    }


def months_old(here: list[Backup], days: int) -> float:
    return ((FIRST_DAY + days * DAY).astimezone(UTC) - here[-1].started_at) / DAY / 30.44


def test_500_days_leave_about_two_dozen_backups_of_a_year() -> None:
    counts, here = live(500)
    assert all(21 <= count <= 24 for count in counts[-100:])
    assert 11 <= months_old(here, 500) <= 12.1
    assert sum(Tier.MONTHLY in each.tiers for each in here) in (12, 13)


def test_40_days_off_lose_nothing() -> None:
    counts, here = live(500, off=range(440, 480))
    assert set(counts[440:480]) == {counts[439]}
    assert min(counts[440:]) >= 19
    assert months_old(here, 500) >= 11


def test_40_days_of_failures_lose_nothing() -> None:
    counts, here = live(500, failing=range(440, 480))
    assert min(counts[440:]) >= 19
    assert months_old(here, 500) >= 11


def test_400_days_off_leave_the_history_of_before() -> None:
    counts, here = live(920, off=range(500, 900))
    assert min(counts[500:]) >= 18
    assert months_old(here, 920) >= 23
