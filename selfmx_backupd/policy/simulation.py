"""What schedule and retention would leave after some days.

Nothing is decided here: what is due, and what may go, is asked of the same functions that
the daemon asks, at the moments at which it would wake up. Only the history is invented. It
begins with an empty directory, every backup is there and proven at once, and the host has
power except on the days that are off. What came due meanwhile is done when power is back;
but the clock, which is right all the time, is trusted again only a day later.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from selfmx_backupd.model import (
    Backup,
    BackupSet,
    Check,
    Decision,
    Due,
    Durations,
    Entry,
    Server,
    State,
    Verified,
)
from selfmx_backupd.policy.clock import Tick, guard, tick
from selfmx_backupd.policy.retention import Retention, decide, pick
from selfmx_backupd.policy.rules import Daily
from selfmx_backupd.policy.schedule import (
    Schedule,
    due,
    first_moment,
    next_slot,
    sweep_is_due,
    trigger,
)

_SIZE_BYTES = 1
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left at the end.

    Attributes:
        ends_at: The end of the last day, UTC.
        dates: The local date of each day; day 1 is the first.
        backups: The newest first.
        decisions: For each backup, what retention says of it at `ends_at`.
        taken: How many backups there were in all.
        swept_at: When the last sweep was, UTC; None where there was none.
        held_back: How many backups it left to the next one.
        guard: Why the clock could not be trusted with them; None where it was the brake.
    """

    ends_at: datetime
    dates: tuple[date, ...]
    backups: tuple[Backup, ...]
    decisions: tuple[Decision, ...]
    taken: int
    swept_at: datetime | None
    held_back: int
    guard: str | None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far some backups reach back.

    Attributes:
        files: How many there are.
        oldest_at: UTC; None where there is none.
        newest_at: The same.
        largest_gap_days: From one local day that can be restored to the next one; None where
            there are not two.
    """

    files: int
    oldest_at: datetime | None
    newest_at: datetime | None
    largest_gap_days: int | None


def simulate(
    schedule: Schedule,
    retention: Retention,
    start: datetime,
    days: int,
    off: Container[int] = (),
) -> Outcome:
    """Live through `days` local days and tell what is left.

    Args:
        schedule: When backups and sweeps are due.
        retention: What stays.
        start: When the daemon is started for the first time, UTC. The local day that it is in
            is day 1.
        days: At least 1.
        off: The numbers of the days without power.
    """
    calendar = _Calendar(schedule.zone, start.astimezone(schedule.zone).date())
    ends_at = calendar.begin_of(days + 1)
    history = _History(schedule, retention)
    for up_at, down_at in calendar.powered(start, days, off):
        history.boot(up_at)
        at = up_at
        while at < down_at:
            history.wake_up(at)
            at = _next_wake_up(schedule, at, down_at)
        history.watch(down_at)
    return Outcome(
        ends_at=ends_at,
        dates=tuple(calendar.first + n * _DAY for n in range(days)),
        backups=tuple(history.backups),
        decisions=history.decide(ends_at),
        taken=history.taken,
        swept_at=history.swept_at,
        held_back=history.held_back,
        guard=history.guard,
    )


def reach(backups: Iterable[Backup], zone: ZoneInfo) -> Reach:
    """Tell how far backups reach back; days are local to `zone`."""
    instants = sorted(backup.started_at for backup in backups)
    dates = [instant.astimezone(zone).date() for instant in instants]
    return Reach(
        files=len(instants),
        oldest_at=instants[0] if instants else None,
        newest_at=instants[-1] if instants else None,
        largest_gap_days=max(((b - a).days for a, b in pairwise(dates)), default=None),
    )


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Local days and their numbers, from 1 on; `first` is the date of day 1."""

    zone: ZoneInfo
    first: date

    def begin_of(self, number: int) -> datetime:
        """Return the first moment of a day, in UTC."""
        midnight = datetime.combine(self.first + (number - 1) * _DAY, time.min)
        return first_moment(midnight, self.zone)

    def powered(
        self, start: datetime, days: int, off: Container[int]
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield from when until when there is power, of the days 1 to `days`, in UTC."""
        for is_off, run in groupby(range(1, days + 1), key=lambda number: number in off):
            if not is_off:
                numbers = list(run)
                up_at = start if numbers[0] == 1 else self.begin_of(numbers[0])
                yield up_at, self.begin_of(numbers[-1] + 1)


@dataclass(slots=True)
class _History:
    """A backup directory that never was."""

    schedule: Schedule
    retention: Retention
    backups: list[Backup] = field(default_factory=list)
    taken: int = 0
    swept_at: datetime | None = None
    held_back: int = 0
    guard: str | None = None
    _tick: Tick | None = None

    def boot(self, at: datetime) -> None:
        """See how long the daemon has been away."""
        self._tick = tick(self._tick, at, 0.0, boot_id=at.isoformat())

    def watch(self, until: datetime) -> None:
        """Watch the clock, which nobody sets, as the daemon does all the time."""
        if self._tick is not None:
            self._tick = replace(self._tick, at=until)

    def wake_up(self, at: datetime) -> None:
        """Do what the daemon does: one backup for all that is due, then the sweep."""
        self.watch(at)
        owed = due(at, self.schedule, self.backups)
        if owed:
            self.backups.insert(0, _invent(at, owed, self.schedule.zone))
            self.taken += 1
        if sweep_is_due(at, self.schedule, self.swept_at):
            self._sweep(at)

    def _sweep(self, at: datetime) -> None:
        self.guard = guard(self._tick, at)
        goes, waits = pick(self.decide(at), guarded=self.guard is not None)
        gone = {decision.file for decision in goes}
        self.backups = [backup for backup in self.backups if backup.file not in gone]
        self.held_back = len(waits)
        self.swept_at = at

    def decide(self, at: datetime) -> tuple[Decision, ...]:
        """Ask retention about every backup."""
        entries = [
            Entry(each.file, State.VERIFIED, "simulated", each, each.size_bytes)
            for each in self.backups
        ]
        return decide(entries, self.retention, self.schedule.zone, at)


def _next_wake_up(schedule: Schedule, after: datetime, never: datetime) -> datetime:
    rules = list(schedule.tiers.values())
    if schedule.sweep is not None:
        rules.append(Daily(schedule.sweep))
    return min((next_slot(rule, schedule.zone, after) for rule in rules), default=never)


def _invent(at: datetime, owed: tuple[Due, ...], zone: ZoneInfo) -> Backup:
    """Make a backup of the shape that a real one's manifest has, proven at once."""
    started_at = at.replace(microsecond=0)
    return Backup(
        file=f"simulated_{started_at.astimezone(UTC):%Y%m%d_%H%M%S}.bak",
        database="simulated",
        tiers=tuple(each.tier for each in owed),
        trigger=trigger(owed, at, failures_in_a_row=0),
        started_at=started_at,
        finished_at=started_at,
        timezone=zone.key,
        size_bytes=_SIZE_BYTES,
        sha256="0" * 64,
        verified=Verified(at=started_at, by=tuple(Check)),
        damaged=None,
        going=None,
        pin=None,
        server=Server("simulated", "0.0", "simulated"),
        backup_set=_BACKUP_SET,
        files=(),
        duration_s=Durations(backup=0.0, verify=0.0, total=0.0),
        writer="simulation",
    )


_NO_GUID = "00000000-0000-0000-0000-000000000000"
# One database all the time, so one family.
_BACKUP_SET = BackupSet(
    guid=_NO_GUID,
    family_guid=_NO_GUID,
    first_lsn="0",
    last_lsn="0",
    checkpoint_lsn="0",
    database_backup_lsn="0",
    recovery_model="SIMPLE",
    compressed=False,
    copy_only=True,
    size_bytes=_SIZE_BYTES,
)
