from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd.model import Backup, Due, Going, NextRun, Tier, Trigger
from selfmx_backupd.policy.rules import Daily, Monthly, Rule, Weekly
from selfmx_backupd.policy.schedule import (
    Change,
    Schedule,
    Touched,
    due,
    last_slot,
    next_runs,
    next_slot,
    retry_at,
    sweep_is_due,
    touched,
    trigger,
)
from tests.build import VIENNA, backup, in_zone, utc

THREE = time(3)
DAILY, WEEKLY, MONTHLY = Daily(THREE), Weekly(6, THREE), Monthly(1, THREE)
SCHEDULE = Schedule(
    VIENNA, {Tier.DAILY: DAILY, Tier.WEEKLY: WEEKLY, Tier.MONTHLY: MONTHLY}, time(4)
)
ALL = (Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY)
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")


def test_manual_backups_have_no_schedule() -> None:
    with pytest.raises(ValueError, match="manual backups have no schedule"):
        Schedule(VIENNA, {Tier.MANUAL: DAILY})


@pytest.mark.parametrize(
    ("rule", "now", "last", "following"),
    [
        (DAILY, "2026-11-24 02:59", "2026-11-23 03:00", "2026-11-24 03:00"),
        (DAILY, "2026-11-24 03:00", "2026-11-24 03:00", "2026-11-25 03:00"),
        (WEEKLY, "2026-11-24 12:00", "2026-11-22 03:00", "2026-11-29 03:00"),
        (WEEKLY, "2026-11-22 02:59", "2026-11-15 03:00", "2026-11-22 03:00"),
        (MONTHLY, "2026-11-24 12:00", "2026-11-01 03:00", "2026-12-01 03:00"),
        (MONTHLY, "2027-01-01 02:59", "2026-12-01 03:00", "2027-01-01 03:00"),
        (Monthly("last", THREE), "2028-02-28 12:00", "2028-01-31 03:00", "2028-02-29 03:00"),
        (Monthly("last", THREE), "2027-02-28 03:00", "2027-02-28 03:00", "2027-03-31 03:00"),
        (Monthly(28, THREE), "2027-02-28 03:01", "2027-02-28 03:00", "2027-03-28 03:00"),
    ],
)
def test_slots_are_wall_time_of_the_zone(rule: Rule, now: str, last: str, following: str) -> None:
    assert last_slot(rule, VIENNA, in_zone(now)) == in_zone(last)
    assert next_slot(rule, VIENNA, in_zone(now)) == in_zone(following)


def slots(rule: Rule, zone: ZoneInfo, after: str, count: int) -> list[datetime]:
    found = [utc(after)]
    for _ in range(count):
        found.append(next_slot(rule, zone, found[-1]))
    return found[1:]


def test_a_time_that_exists_twice_runs_at_its_first_occurrence() -> None:
    assert slots(Daily(time(2, 30)), VIENNA, "2026-10-24 12:00", 2) == [
        utc("2026-10-25 00:30"),
        utc("2026-10-26 01:30"),
    ]


def test_a_time_that_does_not_exist_runs_at_the_moment_the_gap_ends() -> None:
    assert slots(Daily(time(2, 30)), VIENNA, "2026-03-28 12:00", 2) == [
        utc("2026-03-29 01:00"),
        utc("2026-03-30 00:30"),
    ]


def test_a_shift_of_half_an_hour_is_followed() -> None:
    gap = slots(Daily(time(2, 15)), LORD_HOWE, "2026-10-03 00:00", 2)
    assert gap == [utc("2026-10-03 15:30"), utc("2026-10-04 15:15")]
    fold = slots(Daily(time(1, 45)), LORD_HOWE, "2026-04-04 00:00", 2)
    assert fold == [utc("2026-04-04 14:45"), utc("2026-04-05 15:15")]


def test_a_local_day_that_never_was_has_no_daily_slot() -> None:
    assert slots(DAILY, APIA, "2011-12-28 20:00", 3) == [
        in_zone("2011-12-29 03:00", APIA),
        in_zone("2011-12-31 03:00", APIA),
        in_zone("2012-01-01 03:00", APIA),
    ]


def test_a_week_has_its_slot_even_where_its_day_never_was() -> None:
    assert slots(Weekly(4, THREE), APIA, "2011-12-24 20:00", 2) == [
        in_zone("2011-12-31 00:00", APIA),
        in_zone("2012-01-06 03:00", APIA),
    ]


def test_a_gap_that_reaches_into_the_next_day_moves_the_slot_there() -> None:
    nuuk = ZoneInfo("America/Nuuk")
    assert slots(Daily(time(23, 30)), nuuk, "2026-03-28 06:00", 2) == [
        in_zone("2026-03-29 00:00", nuuk),
        in_zone("2026-03-29 23:30", nuuk),
    ]


def test_the_slot_of_today_is_found_when_the_clock_is_back_in_yesterday() -> None:
    # At one minute past midnight the clocks of St John's went back to 23:01 of the day before.
    st_johns = ZoneInfo("America/St_Johns")
    midnight = utc("2010-11-07 02:30")
    in_yesterday = utc("2010-11-07 03:00")
    assert in_yesterday.astimezone(st_johns).date().isoformat() == "2010-11-06"
    assert last_slot(Daily(time(0)), st_johns, in_yesterday) == midnight
    assert next_slot(Daily(time(0)), st_johns, in_yesterday) == utc("2010-11-08 03:30")


def naive(text: str) -> datetime:
    """Wall time without a zone."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("rule", "zone", "after", "wall", "change"),
    [
        (Daily(time(2, 30)), VIENNA, "2027-03-27 12:00", "2027-03-28 02:30", Change.SKIPPED),
        (Daily(time(2)), VIENNA, "2027-03-27 12:00", "2027-03-28 02:00", Change.SKIPPED),
        (Daily(time(2, 59)), VIENNA, "2026-10-24 12:00", "2026-10-25 02:59", Change.REPEATED),
        (Daily(time(2)), VIENNA, "2026-10-24 12:00", "2026-10-25 02:00", Change.REPEATED),
        (Daily(time(2, 15)), LORD_HOWE, "2026-10-03 00:00", "2026-10-04 02:15", Change.SKIPPED),
        # On a day that never was, at a time that the gap's end shows and at another one.
        (Weekly(4, THREE), APIA, "2011-12-24 20:00", "2011-12-30 03:00", Change.SKIPPED),
        (Weekly(4, time(0)), APIA, "2011-12-24 20:00", "2011-12-30 00:00", Change.SKIPPED),
        # The gap ends on the next day.
        (
            Daily(time(23, 30)),
            ZoneInfo("America/Nuuk"),
            "2026-03-28 06:00",
            "2026-03-28 23:30",
            Change.SKIPPED,
        ),
    ],
)
def test_a_slot_that_the_clocks_skip_or_repeat_is_told(
    rule: Rule, zone: ZoneInfo, after: str, wall: str, change: Change
) -> None:
    slot = next_slot(rule, zone, utc(after))
    assert touched(rule, zone, slot) == Touched(naive(wall), change)


@pytest.mark.parametrize(
    ("at", "after"),
    [
        ("01:59", "2027-03-27 12:00"),
        ("03:00", "2027-03-27 12:00"),  # the gap's end itself
        ("01:59", "2026-10-24 12:00"),
        ("03:00", "2026-10-24 12:00"),
        ("02:30", "2026-11-24 12:00"),
    ],
)
def test_a_slot_beside_a_change_of_the_clocks_is_not_touched(at: str, after: str) -> None:
    rule = Daily(time.fromisoformat(at))
    assert touched(rule, VIENNA, next_slot(rule, VIENNA, utc(after))) is None


NOW = in_zone("2026-11-24 12:00")
SINCE = in_zone("2026-11-24 03:00")
DAILY_DUE = Due(Tier.DAILY, SINCE)


def test_at_a_first_start_every_tier_is_due() -> None:
    assert due(NOW, SCHEDULE, []) == (
        DAILY_DUE,
        Due(Tier.WEEKLY, in_zone("2026-11-22 03:00")),
        Due(Tier.MONTHLY, in_zone("2026-11-01 03:00")),
    )


def test_a_tier_that_is_off_is_never_due() -> None:
    assert due(NOW, Schedule(VIENNA, {Tier.DAILY: DAILY}), []) == (DAILY_DUE,)
    assert due(NOW, Schedule(VIENNA, {}), []) == ()


def test_a_backup_since_the_slot_settles_the_tiers_that_it_carries() -> None:
    assert due(NOW, SCHEDULE, [backup(SINCE, ALL)]) == ()
    assert due(NOW, SCHEDULE, [backup(SINCE, (Tier.WEEKLY, Tier.MONTHLY))]) == (DAILY_DUE,)
    assert due(NOW, SCHEDULE, [backup(NOW, ALL)]) == ()


def test_a_missed_week_is_served_by_the_next_backup_and_not_again() -> None:
    monday = backup(in_zone("2026-11-23 09:00"), ALL)
    assert due(NOW, SCHEDULE, [monday]) == (DAILY_DUE,)


@pytest.mark.parametrize(
    "worthless",
    [
        backup(SINCE - timedelta(seconds=1), ALL),
        backup(NOW + timedelta(seconds=1), ALL),
        backup(SINCE, ALL, verified=False),
        backup(SINCE, ALL, damaged=True),
        backup(SINCE, ALL, going=Going(at=NOW, reason="left daily")),
        backup(SINCE, (Tier.MANUAL,)),
        backup(SINCE, (Tier.PRE_RESTORE,)),
    ],
    ids=["before the slot", "in the future", "unproven", "damaged", "going", "manual", "undo"],
)
def test_a_backup_that_is_worth_nothing_settles_nothing(worthless: Backup) -> None:
    older = backup(in_zone("2026-11-22 03:00"), ALL)
    assert due(NOW, SCHEDULE, [worthless, older]) == (DAILY_DUE,)


def test_the_order_of_backups_does_not_matter_to_what_is_due() -> None:
    both = [backup(in_zone("2026-11-22 03:00"), ALL), backup(SINCE)]
    assert due(NOW, SCHEDULE, both) == due(NOW, SCHEDULE, both[::-1]) == ()


def test_coinciding_tiers_are_one_of_the_next_runs() -> None:
    runs = next_runs(in_zone("2026-10-30 12:00"), SCHEDULE, 2)
    sunday = in_zone("2026-11-01 03:00")
    assert runs == (
        NextRun(Tier.DAILY, in_zone("2026-10-31 03:00")),
        NextRun(Tier.DAILY, sunday),
        NextRun(Tier.WEEKLY, sunday),
        NextRun(Tier.MONTHLY, sunday),
    )


def test_without_tiers_there_are_no_next_runs() -> None:
    assert next_runs(NOW, Schedule(VIENNA, {}), 5) == ()
    assert next_runs(NOW, SCHEDULE, 0) == ()


PAUSES_S = (60, 300, 900, 3600)


@pytest.mark.parametrize(
    ("failures", "pause_s"), [(1, 60), (2, 300), (3, 900), (4, 3600), (5, 3600), (400, 3600)]
)
def test_retries_are_paced_and_the_last_pause_repeats(failures: int, pause_s: int) -> None:
    at = NOW + timedelta(seconds=pause_s)
    assert retry_at(NOW, failures, PAUSES_S, NOW) == at
    assert retry_at(NOW, failures, PAUSES_S, at - timedelta(seconds=1)) == at
    assert retry_at(NOW, failures, PAUSES_S, at) is None


def test_nothing_is_paced_without_a_failure() -> None:
    assert retry_at(NOW, 0, PAUSES_S, NOW) is None
    assert retry_at(None, 3, PAUSES_S, NOW) is None


def test_a_clock_that_was_set_back_paces_nothing() -> None:
    assert retry_at(NOW + timedelta(seconds=1), 4, PAUSES_S, NOW) is None


def test_a_trigger_says_why() -> None:
    weekly = Due(Tier.WEEKLY, NOW - timedelta(days=2))
    fresh = Due(Tier.DAILY, NOW - timedelta(minutes=10))
    stale = Due(Tier.DAILY, NOW - timedelta(minutes=10, seconds=1))
    assert trigger((fresh, weekly), NOW, 0) is Trigger.SCHEDULE
    assert trigger((stale, weekly), NOW, 0) is Trigger.CATCH_UP
    assert trigger((fresh,), NOW, 1) is Trigger.RETRY
    assert trigger((stale,), NOW, 3) is Trigger.RETRY


def test_slots_are_in_utc() -> None:
    assert last_slot(DAILY, VIENNA, NOW).tzinfo is UTC
    assert next_slot(DAILY, VIENNA, NOW).tzinfo is UTC
    assert next_slot(Daily(time(2, 30)), VIENNA, utc("2026-03-28 12:00")).tzinfo is UTC


def test_a_sweep_is_due_once_after_its_slot() -> None:
    slot = in_zone("2026-11-24 04:00")
    assert sweep_is_due(NOW, SCHEDULE, None)
    assert sweep_is_due(NOW, SCHEDULE, slot - timedelta(seconds=1))
    assert not sweep_is_due(NOW, SCHEDULE, slot)
    assert not sweep_is_due(NOW, SCHEDULE, NOW)


def test_a_sweep_that_is_dated_ahead_says_nothing_about_today() -> None:
    assert sweep_is_due(NOW, SCHEDULE, NOW + timedelta(seconds=1))


def test_a_sweep_that_is_off_is_never_due() -> None:
    assert not sweep_is_due(NOW, Schedule(VIENNA, {Tier.DAILY: DAILY}), None)
