"""What hundreds of days would leave. Expectations are the user manual's and the calendar's."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd.model import Tier, Trigger
from selfmx_backupd.policy.retention import Retention
from selfmx_backupd.policy.rules import Daily, Monthly, Rule, Weekly
from selfmx_backupd.policy.schedule import Schedule
from selfmx_backupd.policy.simulation import Outcome, reach, simulate
from tests.build import VIENNA, backup, in_zone, utc

THREE, FOUR = time(3), time(4)
RULES: Mapping[Tier, Rule] = {
    Tier.DAILY: Daily(THREE),
    Tier.WEEKLY: Weekly(6, THREE),
    Tier.MONTHLY: Monthly(1, THREE),
}
SCHEDULE = Schedule(VIENNA, RULES, FOUR)
RETENTION = Retention(daily=7, weekly=4, monthly=12, manual=30, pre_restore=30, minimum=3)
START = in_zone("2026-11-25 17:00")


def local_dates(outcome: Outcome, tier: Tier | None = None, zone: ZoneInfo = VIENNA) -> list[date]:
    """The days that can be restored, or those that a tier keeps; the oldest first."""
    pairs = zip(outcome.backups, outcome.decisions, strict=True)
    kept = [each for each, decision in pairs if tier is None or tier in decision.kept_as]
    return [each.started_at.astimezone(zone).date() for each in reversed(kept)]


def starts(outcome: Outcome, zone: ZoneInfo = VIENNA) -> list[str]:
    return [f"{b.started_at.astimezone(zone):%Y-%m-%d %H:%M}" for b in reversed(outcome.backups)]


def test_400_days_leave_what_the_manual_promises() -> None:
    outcome = simulate(SCHEDULE, RETENTION, START, 400)
    end = date(2027, 12, 29)
    assert (outcome.dates[0], outcome.dates[-1]) == (date(2026, 11, 25), end)
    week = [end - timedelta(days=n) for n in range(6, -1, -1)]
    sundays = [date(2027, 12, 26) - timedelta(weeks=n) for n in range(3, -1, -1)]
    firsts = [date(2027, month, 1) for month in range(1, 13)]
    assert local_dates(outcome, Tier.DAILY) == week
    assert local_dates(outcome, Tier.WEEKLY) == sundays
    assert local_dates(outcome, Tier.MONTHLY) == firsts
    assert local_dates(outcome) == sorted({*week, *sundays, *firsts})
    assert outcome.taken == 400


@pytest.mark.parametrize("days", [391, 412, 420])
def test_21_or_22_backups_of_a_year_are_left_on_any_day(days: int) -> None:
    outcome = simulate(SCHEDULE, RETENTION, START, days)
    assert len(outcome.backups) in (21, 22)
    found = reach(outcome.backups, VIENNA)
    assert found.oldest_at is not None
    assert timedelta(days=330) <= outcome.ends_at - found.oldest_at <= timedelta(days=367)
    assert found.largest_gap_days == 31


def test_the_first_day_has_one_backup_for_all_tiers() -> None:
    outcome = simulate(SCHEDULE, RETENTION, START, 1)
    assert outcome.ends_at == in_zone("2026-11-26 00:00")
    assert outcome.dates == (date(2026, 11, 25),)
    (only,) = outcome.backups
    assert (only.started_at, only.tiers) == (START, tuple(RULES))
    assert only.trigger is Trigger.CATCH_UP
    assert outcome.decisions[0].kept_as == tuple(RULES)
    assert reach(outcome.backups, VIENNA).largest_gap_days is None


def test_a_host_that_is_off_all_the_time_has_nothing() -> None:
    outcome = simulate(SCHEDULE, RETENTION, START, 3, off={1, 2, 3})
    assert (outcome.backups, outcome.decisions, outcome.taken) == ((), (), 0)
    assert outcome.swept_at is None


def test_what_came_due_while_off_is_one_backup_when_power_is_back() -> None:
    # Days 3 to 8: 27 November to 2 December. A Sunday and a first are among them.
    outcome = simulate(SCHEDULE, RETENTION, START, 9, off=set(range(3, 9)))
    assert starts(outcome) == [
        *("2026-11-25 17:00", "2026-11-26 03:00"),
        *("2026-12-03 00:00", "2026-12-03 03:00"),
    ]
    caught_up, regular = outcome.backups[1], outcome.backups[0]
    assert (caught_up.trigger, caught_up.tiers) == (Trigger.CATCH_UP, tuple(RULES))
    assert (regular.trigger, regular.tiers) == (Trigger.SCHEDULE, (Tier.DAILY,))


def test_days_off_at_the_beginning_postpone_the_first_start() -> None:
    outcome = simulate(SCHEDULE, RETENTION, START, 3, off={1, 2})
    assert starts(outcome) == ["2026-11-27 00:00", "2026-11-27 03:00"]


def test_nothing_is_swept_while_off() -> None:
    outcome = simulate(SCHEDULE, RETENTION, START, 60, off=set(range(50, 61)))
    assert outcome.swept_at == in_zone("2027-01-12 04:00")  # day 49
    without_backups = simulate(Schedule(VIENNA, {}, FOUR), RETENTION, START, 60, off={60})
    assert without_backups.swept_at == in_zone("2027-01-22 04:00")


def test_a_sweep_that_was_missed_is_made_good_like_a_backup() -> None:
    assert simulate(SCHEDULE, RETENTION, START, 1).swept_at == START


ONES = Retention(daily=1, weekly=1, monthly=1, manual=30, pre_restore=30, minimum=1)


@pytest.mark.parametrize(("days", "held_back"), [(14, 0), (61, 5), (62, 3), (63, 1), (64, 0)])
def test_the_brake_spreads_over_days_what_may_go_after_an_outage(days: int, held_back: int) -> None:
    # Swept at midnight, the moment at which power is back: that day has one sweep, and takes none.
    at_midnight = Schedule(VIENNA, RULES, time(0))
    outcome = simulate(at_midnight, ONES, START, days, off=set(range(15, 61)))
    assert outcome.held_back == held_back
    assert (outcome.guard is not None) == (days == 61)


def test_the_day_of_the_return_has_two_sweeps_and_neither_trusts_the_clock() -> None:
    outcome = simulate(SCHEDULE, ONES, START, 61, off=set(range(15, 61)))
    assert outcome.swept_at == in_zone("2027-01-24 04:00")
    assert outcome.held_back == 4
    assert outcome.guard == (
        "the clock has been steady only since 2027-01-23 23:00 UTC, "
        "trusted from 2027-01-24 23:00 UTC on"
    )
    assert len(outcome.backups) == 6
    the_day_after = simulate(SCHEDULE, ONES, START, 62, off=set(range(15, 61)))
    assert (the_day_after.guard, the_day_after.held_back) == (None, 2)
    assert len(the_day_after.backups) == 5


def test_the_clock_is_trusted_after_two_days_without_power_and_not_after_three() -> None:
    two, three = (
        simulate(SCHEDULE, RETENTION, START, 41, off=off) for off in ({39, 40}, {38, 39, 40})
    )
    assert two.swept_at == three.swept_at == in_zone("2027-01-04 04:00")
    assert two.guard is None
    assert three.guard is not None


def test_a_host_that_is_never_on_for_a_day_after_days_without_power_never_sweeps() -> None:
    always_off_again = {day for day in range(1, 400) if day % 4}
    outcome = simulate(SCHEDULE, RETENTION, START, 400, off=always_off_again)
    assert len(outcome.backups) == outcome.taken


def test_the_history_of_before_survives_a_year_without_power() -> None:
    before = simulate(SCHEDULE, RETENTION, START, 60)
    off = set(range(61, 461))
    after = simulate(SCHEDULE, RETENTION, START, 461, off=off)
    assert set(local_dates(before)) < set(local_dates(after))
    # The day after, with three more daily backups and one more weekly one.
    swept = simulate(SCHEDULE, RETENTION, START, 462, off=off)
    lost = set(local_dates(before)) - set(local_dates(swept))
    assert lost == {date(2027, 1, 18), date(2027, 1, 19), date(2026, 12, 27)}


def test_where_nothing_is_scheduled_nothing_happens() -> None:
    nothing = simulate(Schedule(VIENNA, {}), RETENTION, START, 30)
    assert (nothing.backups, nothing.taken, nothing.swept_at) == ((), 0, None)
    assert len(nothing.dates) == 30


def test_without_a_sweep_nothing_is_removed() -> None:
    outcome = simulate(Schedule(VIENNA, RULES), RETENTION, START, 100)
    assert len(outcome.backups) == outcome.taken == 100
    assert sum(not decision.keep for decision in outcome.decisions) > 0


@pytest.mark.parametrize(
    ("zone", "start", "days"),
    [
        ("Europe/Vienna", "2026-03-27 12:00", 5),
        ("Europe/Vienna", "2026-10-23 12:00", 5),
        ("America/New_York", "2026-11-01 00:30", 3),
        ("Australia/Lord_Howe", "2026-10-02 12:00", 5),
        ("America/Nuuk", "2026-03-27 12:00", 5),
        ("America/Havana", "2026-11-01 00:30", 3),
        ("America/St_Johns", "2010-11-05 12:00", 5),
        ("Asia/Kolkata", "2026-03-27 23:59", 5),
    ],
)
@pytest.mark.parametrize("at", [time(0), time(2, 30), time(23, 30)])
def test_every_later_day_has_its_one_backup_where_clocks_change(
    zone: str, start: str, days: int, at: time
) -> None:
    there = ZoneInfo(zone)
    schedule = Schedule(there, {Tier.DAILY: Daily(at)}, FOUR)
    outcome = simulate(schedule, RETENTION, in_zone(start, there), days)
    scheduled = [each for each in outcome.backups if each.trigger is Trigger.SCHEDULE]
    # The first start makes good for the slot before it; the first day's own may still come.
    assert len(scheduled) == outcome.taken - 1
    assert days - 1 <= len(scheduled) <= days
    assert len({each.file for each in outcome.backups}) == outcome.taken
    assert outcome.ends_at.astimezone(there).replace(tzinfo=None) == datetime.combine(
        outcome.dates[-1] + timedelta(days=1), time(0)
    )


def test_a_day_that_never_was_has_no_backup() -> None:
    apia = ZoneInfo("Pacific/Apia")
    schedule = Schedule(apia, {Tier.DAILY: Daily(THREE)}, FOUR)
    outcome = simulate(schedule, RETENTION, in_zone("2011-12-29 12:00", apia), 3)
    assert local_dates(outcome, zone=apia) == [date(2011, 12, 29), date(2011, 12, 31)]


def test_gaps_are_counted_in_local_days() -> None:
    # 23:30 and 00:30 in Vienna: an hour apart, and on two days.
    pair = [backup(utc("2026-11-24 22:30")), backup(utc("2026-11-24 23:30"))]
    assert reach(pair, VIENNA).largest_gap_days == 1
    assert reach(pair, ZoneInfo("UTC")).largest_gap_days == 0
    assert reach(pair[::-1], VIENNA).oldest_at == utc("2026-11-24 22:30")
    assert reach([], VIENNA).files == 0
