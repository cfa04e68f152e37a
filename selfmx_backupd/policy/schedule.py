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

The parse_ functions read the configuration's texts. Their ValueErrors say what is
wrong and what would be right.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Literal
from zoneinfo import ZoneInfo

from selfmx_backupd.model import SCHEDULED_TIERS, Backup, Due, NextRun, Tier, Trigger

OFF = "off"
LAST: Literal["last"] = "last"

# In the order of date.weekday(). Not calendar.day_name: that speaks the operator's language.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_COMMON_DAY = 28  # the last day that every month has

# A backup this long after its slot was not started by the slot's own wake-up.
CATCH_UP_AFTER = timedelta(minutes=10)

_DAY = timedelta(days=1)
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DAY_OF_MONTH = re.compile(r"0?[1-9]|[12][0-9]|3[01]")


@dataclass(frozen=True, slots=True)
class Daily:
    """Once every local day at the wall time `at`."""

    at: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """Once every local week; `weekday` counts from 0, Monday, as date.weekday() does."""

    weekday: int
    at: time

    def __post_init__(self) -> None:
        if self.weekday not in range(len(WEEKDAYS)):
            raise ValueError(f"there is no weekday {self.weekday}, 0 to 6 would be one")


@dataclass(frozen=True, slots=True)
class Monthly:
    """Once every local month, on the day 1 to 28 or on the month's last."""

    day: int | Literal["last"]
    at: time

    def __post_init__(self) -> None:
        if self.day != LAST and not 1 <= self.day <= LAST_COMMON_DAY:
            raise ValueError(f'not every month has a day {self.day}, write 1 to 28 or "last"')


Rule = Daily | Weekly | Monthly


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


def parse_time(text: str) -> time | None:
    """Read a time of day, "03:00"; None for "off"."""
    return None if _is_off(text) else _time_of_day(text.strip())


def parse_daily(text: str) -> Daily | None:
    """Read a daily rule, "03:00"; None for "off"."""
    return None if _is_off(text) else Daily(_time_of_day(text.strip()))


def parse_weekly(text: str) -> Weekly | None:
    """Read a weekly rule, "sunday 03:00"; None for "off"."""
    if _is_off(text):
        return None
    weekday, at = _two_words(text, 'a weekday and a time, write it like "sunday 03:00"')
    return Weekly(_weekday(weekday), _time_of_day(at))


def parse_monthly(text: str) -> Monthly | None:
    """Read a monthly rule, "1 03:00" or "last 03:00"; None for "off"."""
    if _is_off(text):
        return None
    day, at = _two_words(text, 'a day and a time, write it like "1 03:00" or "last 03:00"')
    return Monthly(_day_of_month(day), _time_of_day(at))


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
    return _first_moment(datetime.combine(day, rule.at), zone)


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
    return _first_moment(datetime.combine(day, time.min), zone).astimezone(zone).date() == day


def _first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
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


def _is_off(text: str) -> bool:
    return text.strip().lower() == OFF


def _time_of_day(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not a time of day, write "00:00" to "23:59"')
    return time(int(found[1]), int(found[2]))


def _two_words(text: str, wanted: str) -> tuple[str, str]:
    first, _, second = " ".join(text.lower().split()).partition(" ")
    if not second:
        raise ValueError(f'"{text}" is not {wanted}')
    return first, second


def _weekday(word: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    meant = [name for name in WEEKDAYS if name.startswith(word)]
    meant = meant or get_close_matches(word, WEEKDAYS, n=1)
    right = f'"{meant[0]}"' if len(meant) == 1 else f"one of {', '.join(WEEKDAYS)}"
    raise ValueError(f'"{word}" is not a weekday, write {right}')


def _day_of_month(word: str) -> int | Literal["last"]:
    if word == LAST:
        return LAST
    if _DAY_OF_MONTH.fullmatch(word) is None:
        raise ValueError(f'"{word}" is not a day of the month, write 1 to 28 or "last"')
    if int(word) > LAST_COMMON_DAY:
        raise ValueError(f'not every month has a day {int(word)}, write "last" for its last day')
    return int(word)
