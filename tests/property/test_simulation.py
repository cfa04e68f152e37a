"""Whatever is simulated obeys the laws of schedule and retention."""

from hypothesis import given, settings
from hypothesis import strategies as st

from selfmx_backupd.policy.retention import Retention, decide
from selfmx_backupd.policy.schedule import Schedule
from selfmx_backupd.policy.simulation import Outcome, simulate
from tests.build import entry
from tests.property.directories import retentions
from tests.property.schedules import places, schedules

Life = tuple[Schedule, Retention, frozenset[int], Outcome]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A made-up configuration and host, and what is left after some days of it."""
    zone, start = draw(places())
    schedule, retention = draw(schedules(zone)), draw(retentions)
    days = draw(st.integers(1, 45))
    ranges = draw(st.lists(st.tuples(st.integers(1, days), st.integers(0, 15)), max_size=3))
    off = frozenset(day for first, more in ranges for day in range(first, first + more))
    return schedule, retention, off, simulate(schedule, retention, start, days, off)


@settings(max_examples=60, deadline=None)
@given(lives())
def test_the_newest_remain_and_none_is_of_a_day_without_power(life: Life) -> None:
    schedule, retention, off, outcome = life
    assert len(outcome.backups) >= min(retention.minimum, outcome.taken)
    dark = {day for number, day in enumerate(outcome.dates, start=1) if number in off}
    days = {each.started_at.astimezone(schedule.zone).date() for each in outcome.backups}
    assert days <= set(outcome.dates) - dark
    for backup, decision in zip(outcome.backups, outcome.decisions, strict=True):
        assert decision.file == backup.file
        assert set(decision.kept_as) <= set(backup.tiers) <= set(schedule.tiers)
        assert decision.keep or not decision.kept_as


@settings(max_examples=60, deadline=None)
@given(lives())
def test_sweeping_once_more_finds_only_what_the_brake_held_back(
    life: Life,
) -> None:
    schedule, retention, _, outcome = life
    if outcome.swept_at is None:
        assert len(outcome.backups) == outcome.taken
        return
    here = [entry(each) for each in outcome.backups if each.started_at <= outcome.swept_at]
    decisions = decide(here, retention, schedule.zone, outcome.swept_at)
    assert sum(bool(each.goes) for each in decisions) == outcome.held_back
