"""The schedule against clocks that are watched minute by minute."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from selfmx_backupd.model import SCHEDULED_TIERS
from selfmx_backupd.policy.rules import Daily, Monthly, Rule, Weekly
from selfmx_backupd.policy.schedule import due, last_slot, next_runs, next_slot
from tests.build import backup
from tests.property.schedules import (
    DAY,
    MINUTE,
    ZONES,
    places,
    rules,
    schedules,
    times,
    transitions,
    zones,
)


def watch(zone: ZoneInfo, at: time, start: datetime, days: int) -> Iterator[tuple[date, datetime]]:
    """Look at the clock once a minute; yield each day that is seen and when `at` is reached.

    A day whose `at` falls into a gap that ends the day is reached on the next.
    """
    pending: list[date] = []
    seen: set[date] = set()
    moment = start
    while moment < start + days * DAY:
        wall = moment.astimezone(zone).replace(tzinfo=None)
        if wall.date() not in seen:
            seen.add(wall.date())
            pending.append(wall.date())
        while pending and wall >= datetime.combine(pending[0], at):
            yield pending.pop(0), moment
        moment += MINUTE


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_every_local_day_that_exists_has_exactly_one_daily_slot(data: st.DataObject) -> None:
    zone = data.draw(zones)
    at = data.draw(times)
    change = data.draw(st.sampled_from(transitions(zone)))
    start = change - 3 * DAY
    # The first day is seen from its middle on and may have had its slot before.
    expected = [moment for _, moment in watch(zone, at, start, 6)][1:]
    rule, found = Daily(at), []
    slot = next_slot(rule, zone, expected[0] - MINUTE)
    while slot <= expected[-1]:
        found.append(slot)
        slot = next_slot(rule, zone, slot)
    assert found == expected
    assert [last_slot(rule, zone, moment) for moment in expected] == expected


@settings(max_examples=100, deadline=None)
@given(places(), rules)
def test_now_lies_between_two_neighbouring_slots(
    place: tuple[ZoneInfo, datetime], rule: Rule
) -> None:
    zone, now = place
    last, following = last_slot(rule, zone, now), next_slot(rule, zone, now)
    assert last <= now < following
    assert last_slot(rule, zone, following) == following
    assert last_slot(rule, zone, following - timedelta.resolution) == last
    assert next_slot(rule, zone, last) == following


# Neither a day that never was nor a gap at midnight moves these slots to another date.
dated = places().filter(lambda place: place[0].key != "Pacific/Apia")
by_day = st.builds(time, st.integers(2, 21), st.integers(0, 59))


@settings(max_examples=30, deadline=None)
@given(dated, st.integers(0, 6), by_day)
def test_every_week_has_exactly_one_slot(
    place: tuple[ZoneInfo, datetime], weekday: int, at: time
) -> None:
    zone, now = place
    slots = chain(Weekly(weekday, at), zone, now, 10)
    dates = [slot.astimezone(zone).date() for slot in slots]
    assert dates[0].weekday() == weekday
    assert dates == [dates[0] + week * 7 * DAY for week in range(10)]


@settings(max_examples=30, deadline=None)
@given(dated, st.integers(1, 28), by_day)
def test_every_month_has_exactly_one_slot(
    place: tuple[ZoneInfo, datetime], day: int, at: time
) -> None:
    zone, now = place
    slots = [slot.astimezone(zone) for slot in chain(Monthly(day, at), zone, now, 14)]
    assert {slot.day for slot in slots} == {day}
    months = [slot.year * 12 + slot.month for slot in slots]
    assert months == list(range(months[0], months[0] + 14))
    lasts = [slot.astimezone(zone) for slot in chain(Monthly("last", at), zone, now, 14)]
    assert {(slot + DAY).day for slot in lasts} == {1}
    months = [slot.year * 12 + slot.month for slot in lasts]
    assert months == list(range(months[0], months[0] + 14))


def chain(rule: Rule, zone: ZoneInfo, now: datetime, count: int) -> list[datetime]:
    slots = [next_slot(rule, zone, now)]
    while len(slots) < count:
        slots.append(next_slot(rule, zone, slots[-1]))
    return slots


@settings(max_examples=60, deadline=None)
@given(st.data(), places())
def test_a_backup_settles_its_tiers_until_their_next_slot(
    data: st.DataObject, place: tuple[ZoneInfo, datetime]
) -> None:
    zone, now = place
    schedule = data.draw(schedules(zone))
    backups = [backup(now, SCHEDULED_TIERS)]
    assert due(now, schedule, backups) == ()
    runs = next_runs(now, schedule, 1)
    at = runs[0].at
    assert due(at - timedelta.resolution, schedule, backups) == ()
    assert [(d.tier, d.since) for d in due(at, schedule, backups)] == [(r.tier, r.at) for r in runs]


@settings(max_examples=60, deadline=None)
@given(st.data(), places())
def test_what_is_due_stays_due_until_a_backup_carries_it(
    data: st.DataObject, place: tuple[ZoneInfo, datetime]
) -> None:
    zone, now = place
    schedule = data.draw(schedules(zone))
    at = next_runs(now, schedule, 1)[0].at
    later = at + timedelta(minutes=data.draw(st.integers(0, 60 * 24 * 90)))
    served = {d.tier for d in due(at, schedule, [backup(now, SCHEDULED_TIERS)])}
    assert served <= {d.tier for d in due(later, schedule, [backup(now, SCHEDULED_TIERS)])}


@settings(max_examples=50, deadline=None)
@given(st.data(), places(), st.integers(1, 12))
def test_the_next_runs_are_sorted_and_leave_out_none(
    data: st.DataObject, place: tuple[ZoneInfo, datetime], count: int
) -> None:
    zone, now = place
    schedule = data.draw(schedules(zone))
    runs = next_runs(now, schedule, count)
    assert len({run.at for run in runs}) == count
    assert list(runs) == sorted(runs, key=lambda run: (run.at, SCHEDULED_TIERS.index(run.tier)))
    for tier, rule in schedule.tiers.items():
        assert [r.at for r in runs if r.tier is tier] == up_to(rule, zone, now, runs[-1].at)


def up_to(rule: Rule, zone: ZoneInfo, now: datetime, end: datetime) -> list[datetime]:
    """All slots of a rule in (now, end], found backwards from the end."""
    found: list[datetime] = []
    slot = last_slot(rule, zone, end)
    while slot > now:
        found.insert(0, slot)
        slot = last_slot(rule, zone, slot - timedelta.resolution)
    return found


def test_the_watched_zones_change_their_clocks() -> None:
    assert all(len(transitions(ZoneInfo(name))) > 5 for name in ZONES if name != "UTC")
