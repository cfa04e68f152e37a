"""When a backup is due: scheduled instants, what is owed, and how retries are paced.

A *slot* is one scheduled instant. It is configured as local time and computed as
the first moment at which the wall clock shows that time or later. This one
sentence covers summer time: a time that exists twice runs at its first
occurrence, and one that does not exist runs at the moment the gap ends. So each
local day, week and month has exactly one slot. The one exception is a local day
that never was (Pacific/Apia went from 29 to 31 December 2011): it has no daily
slot. A weekly or monthly slot on such a day runs when the gap ends, because its
week or month did exist.

Python subtracts and compares two datetimes of one zone by their wall time, as if
there were no summer time. So everything here is compared in UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from selfmx_backupd.model import SCHEDULED_TIERS, Backup, Due, NextRun, Tier, Trigger
from selfmx_backupd.policy.rules import LAST, Daily, Monthly, Rule, Weekly

# A backup this long after its slot was not started by the slot's own wake-up.
CATCH_UP_AFTER = timedelta(minutes=10)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is scheduled when.

    Attributes:
        zone: All wall times are local to it.
        tiers: One rule for each scheduled tier; a tier that is absent is off.
        sweep: The wall time of the daily sweep, None where it is off.
    """

    zone: ZoneInfo
    tiers: Mapping[Tier, Rule]
    sweep: time | None = None

    def __post_init__(self) -> None:
        for tier in self.tiers:
            if tier not in SCHEDULED_TIERS:
                raise ValueError(f"{tier} backups have no schedule, daily, weekly and monthly have")


class Change(StrEnum):
    """What the clocks do to a configured time on a day on which they are changed."""

    SKIPPED = "skipped"  # no clock shows it
    REPEATED = "repeated"  # clocks show it twice


@dataclass(frozen=True, slots=True)
class Touched:
    """A slot whose time the clocks skip or repeat.

    Attributes:
        wall: The configured date and time, naive: local to the schedule's zone.
        change: Which of the two.
    """

    wall: datetime
    change: Change


def last_slot(rule: Rule, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the rule's newest slot that is not later than `now`, in UTC."""
    # A clock that is turned back over midnight shows yesterday's date again when today's slot
    # has already been. No zone was ever turned back by more than a day.
    day = now.astimezone(zone).date() + _DAY
    while (slot := _slot(rule, zone, day)) is None or slot > now:
        day -= _DAY
    return slot


def next_slot(rule: Rule, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the rule's first slot that is later than `after`, in UTC."""
    day = after.astimezone(zone).date()
    while (slot := _slot(rule, zone, day)) is None or slot <= after:
        day += _DAY
    return slot


def touched(rule: Rule, zone: ZoneInfo, slot: datetime) -> Touched | None:
    """Tell whether a change of the clocks touches a slot of the rule; None where none does."""
    shown = slot.astimezone(zone)
    # A gap that reaches into the next day moves the slot there. No gap was longer than a day.
    days = (shown.date(), shown.date() - _DAY)
    day = next(day for day in days if _slot(rule, zone, day) == slot)
    wall = datetime.combine(day, rule.at)
    if shown.replace(tzinfo=None) != wall:
        return Touched(wall, Change.SKIPPED)
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return Touched(wall, Change.REPEATED) if first != second else None


def first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment, in UTC, at which clocks in `zone` show `wall` (naive) or later."""

    def shown(moment: datetime) -> datetime:
        return moment.astimezone(zone).replace(tzinfo=None)

    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if shown(late) == wall:
        return late
    # No clock shows `wall`. For such a time fold 0 uses the offset before the gap and so falls
    # behind the gap, fold 1 falls before it (PEP 495); the gap's end is found between the two.
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while late - early > timedelta.resolution:
        middle = early + (late - early) / 2
        if shown(middle) < wall:
            early = middle
        else:
            late = middle
    return late


def due(now: datetime, schedule: Schedule, backups: Iterable[Backup]) -> tuple[Due, ...]:
    """Return the tiers that want a backup now, in the order of SCHEDULED_TIERS.

    A tier is due while no good backup, dated not later than `now`, carries it since the
    tier's last slot. Good is: verified, not damaged, its deletion not begun.

    Args:
        now: UTC.
        schedule: Says which tiers there are.
        backups: Those of one database; their order does not matter.
    """
    good = [b for b in backups if b.verified and not b.damaged and not b.going]
    owed = []
    for tier in (tier for tier in SCHEDULED_TIERS if tier in schedule.tiers):
        since = last_slot(schedule.tiers[tier], schedule.zone, now)
        if not any(tier in b.tiers and since <= b.started_at <= now for b in good):
            owed.append(Due(tier, since))
    return tuple(owed)


def next_runs(now: datetime, schedule: Schedule, count: int) -> tuple[NextRun, ...]:
    """Return what is scheduled at the next `count` instants after `now`, sorted.

    Tiers that coincide are served by one BACKUP and count as one instant, none of them is cut
    off: there may be more than `count` values.
    """
    if not schedule.tiers:
        return ()
    runs: list[NextRun] = []
    at = now
    for _ in range(count):
        slots = {tier: next_slot(rule, schedule.zone, at) for tier, rule in schedule.tiers.items()}
        at = min(slots.values())
        runs += [NextRun(tier, at) for tier in SCHEDULED_TIERS if slots.get(tier) == at]
    return tuple(runs)


def sweep_is_due(now: datetime, schedule: Schedule, swept_at: datetime | None) -> bool:
    """Tell whether a sweep is wanted: none has succeeded since its last slot.

    Args:
        now: UTC.
        schedule: Says when, and whether.
        swept_at: The last success, UTC; None where there was none. One that is dated ahead of
            the clock says nothing about today.
    """
    if schedule.sweep is None:
        return False
    slot = last_slot(Daily(schedule.sweep), schedule.zone, now)
    return swept_at is None or not slot <= swept_at <= now


def next_of_each(now: datetime, schedule: Schedule) -> tuple[NextRun, ...]:
    """Return the next instant of each scheduled tier, the soonest first."""
    runs = [
        NextRun(tier, next_slot(schedule.tiers[tier], schedule.zone, now))
        for tier in SCHEDULED_TIERS
        if tier in schedule.tiers
    ]
    return tuple(sorted(runs, key=lambda run: run.at))


def expected_since(now: datetime, schedule: Schedule) -> datetime | None:
    """Return the instant since which there should be a backup, in UTC; None without a schedule.

    The last slot but one of the tier that comes most often: the backup of its last slot may
    still be under way.
    """
    slots = []
    for rule in schedule.tiers.values():
        last = last_slot(rule, schedule.zone, now)
        slots.append(last_slot(rule, schedule.zone, last - timedelta.resolution))
    return max(slots, default=None)


def retry_at(
    last_attempt_at: datetime | None,
    failures_in_a_row: int,
    retry_after_s: Sequence[int],
    now: datetime,
) -> datetime | None:
    """Return when the next attempt is allowed, in UTC; None where it is allowed now.

    An attempt that lies in the future paces nothing: the clock was set back, and a wrong
    clock must never stop backups.

    Args:
        last_attempt_at: UTC; None where there was none.
        failures_in_a_row: 0 after a success.
        retry_after_s: The pause in seconds after the first failure, the second and so on;
            the last one repeats. Not empty.
        now: UTC.
    """
    if last_attempt_at is None or last_attempt_at > now or failures_in_a_row < 1:
        return None
    pause_s = retry_after_s[min(failures_in_a_row, len(retry_after_s)) - 1]
    allowed_at = last_attempt_at + timedelta(seconds=pause_s)
    return allowed_at if allowed_at > now else None


def trigger(due_tiers: Sequence[Due], now: datetime, failures_in_a_row: int) -> Trigger:
    """Return why the backup that serves `due_tiers` is taken.

    A retry when the last attempt failed; a catch-up when even the newest of the slots that it
    serves is older than CATCH_UP_AFTER, for then it makes good for one that was missed.

    Args:
        due_tiers: What `due` returned; not empty.
        now: UTC.
        failures_in_a_row: 0 after a success.
    """
    if failures_in_a_row > 0:
        return Trigger.RETRY
    newest = max(tier.since for tier in due_tiers)
    return Trigger.CATCH_UP if now - newest > CATCH_UP_AFTER else Trigger.SCHEDULE


def _slot(rule: Rule, zone: ZoneInfo, day: date) -> datetime | None:
    """Return the slot that belongs to `day`, in UTC; None where the day has none."""
    if not _falls_on(rule, day):
        return None
    if isinstance(rule, Daily) and not _exists(day, zone):
        return None
    return first_moment(datetime.combine(day, rule.at), zone)


def _falls_on(rule: Rule, day: date) -> bool:
    match rule:
        case Daily():
            return True
        case Weekly():
            return day.weekday() == rule.weekday
        case Monthly():
            return (day + _DAY).day == 1 if rule.day == LAST else day.day == rule.day


def _exists(day: date, zone: ZoneInfo) -> bool:
    """Tell whether clocks in `zone` ever showed this date."""
    return first_moment(datetime.combine(day, time.min), zone).astimezone(zone).date() == day
