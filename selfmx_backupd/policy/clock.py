"""The clock guard: whether the clock can be trusted with the age of backups.

A wrong clock must never stop backups, and must never let one go. So the daemon takes a
tick at every wake-up: what the wall clock shows, and how far that is from the time since
boot, which nobody can set. Nothing is swept until ticks have been steady for a day.

Steady is a tick that follows one of at most two days ago, and, within one boot, whose
offset has not moved by more than ten minutes since the ticks have been steady. Since
then, not since the last tick: a clock that is set in small steps moves as far. The time
since boot begins anew with each boot, so across one only the age of the last tick counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from selfmx_backupd.model import UtcOnly

MOVED = timedelta(minutes=10)
TOO_OLD = timedelta(days=2)
STEADY_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(UtcOnly):
    """What the clock showed at a wake-up.

    Attributes:
        at: The wall clock, UTC.
        boot_id: Of the boot that `offset_s` belongs to.
        offset_s: The wall clock minus the time since boot, in seconds, when the ticks of this
            boot began to be steady.
        steady_since: Since when ticks have been steady, UTC.
    """

    at: datetime
    boot_id: str
    offset_s: float
    steady_since: datetime


def tick(previous: Tick | None, now: datetime, boottime_s: float, boot_id: str) -> Tick:
    """The tick of this moment.

    Args:
        previous: The last one; None where none is known.
        now: UTC.
        boottime_s: Seconds since boot, those of a suspended machine included.
        boot_id: Which boot that is.
    """
    offset_s = now.timestamp() - boottime_s
    if previous is None or not _follows(previous, now, offset_s, boot_id):
        return Tick(at=now, boot_id=boot_id, offset_s=offset_s, steady_since=now)
    if previous.boot_id == boot_id:
        offset_s = previous.offset_s
    return Tick(at=now, boot_id=boot_id, offset_s=offset_s, steady_since=previous.steady_since)


def guard(last: Tick | None, now: datetime) -> str | None:
    """Why nothing may be swept; None where the clock can be trusted.

    Args:
        last: The last tick; None where none is known.
        now: UTC.
    """
    if last is None:
        return "the daemon has not yet watched the clock for 24 hours"
    if last.at - now > MOVED:
        return f"the clock was set back: it showed {_said(last.at)} before it shows {_said(now)}"
    if now - last.at > TOO_OLD:
        return f"the daemon has not watched the clock since {_said(last.at)}"
    # A moment that lies ahead was seen by another clock, and is no beginning either.
    if now - last.steady_since < STEADY_FOR:
        since, until = last.steady_since, last.steady_since + STEADY_FOR
        return (
            f"the clock has been steady only since {_said(since)}, trusted from {_said(until)} on"
        )
    return None


def _follows(previous: Tick, now: datetime, offset_s: float, boot_id: str) -> bool:
    age = now - previous.at
    if age > TOO_OLD:
        return False
    if previous.boot_id == boot_id:
        return abs(offset_s - previous.offset_s) <= MOVED.total_seconds()
    return age >= timedelta(0)


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
