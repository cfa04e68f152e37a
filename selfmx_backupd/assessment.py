"""The words of an assessment: what was seen, what is wrong with it, how bad that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType

from selfmx_backupd.model import SCHEDULED_TIERS, Backup, Due, Entry, NextRun, Tier, UtcOnly
from selfmx_backupd.outcomes import Job, Outcomes, RunMark

# Of the script that this program replaces; SelfMX's updater enables it again.
OLD_TIMER = "selfmx-backup.timer"


class Severity(IntEnum):
    """How bad it is; the numbers are the exit codes of monitoring plug-ins."""

    OK = 0
    WARNING = 1  # look at it in daylight
    CRITICAL = 2  # perhaps nothing to restore, data lost, or the database out of service
    UNKNOWN = 3  # it could not be seen

    @property
    def rank(self) -> int:
        """How bad it is beside others: what cannot be seen may be worse than a warning."""
        return (Severity.OK, Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL).index(self)


class Cause(StrEnum):
    """What is wrong; of two that are equally bad the first is told first."""

    INTERRUPTED_RESTORE = "interrupted_restore"
    UNREADABLE_PLAN = "unreadable_plan"
    NO_BACKUP = "no_backup"
    LATE = "late"
    DIRECTORY_UNUSABLE = "directory_unusable"
    NO_SPACE = "no_space"
    DAEMON_DOWN = "daemon_down"
    STALLED = "stalled"
    OLD_SCRIPT = "old_script"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNSEEN = "unseen"
    FAILED = "failed"
    BLOCKED = "blocked"
    FAMILIES = "families"
    STALE = "stale"
    UNSCHEDULED = "unscheduled"
    UNKNOWN = "unknown"
    UNPROVEN = "unproven"
    HELD_BACK = "held_back"
    UNSWEPT = "unswept"
    LOW_SPACE = "low_space"
    FILLING = "filling"
    LEFT_OVER = "left_over"
    FORGETFUL = "forgetful"


_CRITICAL = frozenset(
    {
        Cause.INTERRUPTED_RESTORE,
        Cause.UNREADABLE_PLAN,
        Cause.NO_BACKUP,
        Cause.LATE,
        Cause.DIRECTORY_UNUSABLE,
        Cause.NO_SPACE,
        Cause.DAEMON_DOWN,
        Cause.STALLED,
        Cause.OLD_SCRIPT,
        Cause.MISSING,
        Cause.DAMAGED,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        cause: Its kind, for programs.
        sentence: The same for a person.
        hint: A sentence with the next command to type; None where nobody knows one.
    """

    cause: Cause
    sentence: str
    hint: str | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is: its cause alone decides. ARCHITECTURE.md has the table."""
        if self.cause is Cause.UNSEEN:
            return Severity.UNKNOWN
        return Severity.CRITICAL if self.cause in _CRITICAL else Severity.WARNING


@dataclass(frozen=True, slots=True)
class Daemon(UtcOnly):
    """Whether the daemon lives; `since` and `pid` are None where that is not known."""

    lives: bool
    since: datetime | None = None
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What will become of the disk if everything goes on as it did.

    Attributes:
        next_bytes: What must be free for the next backup.
        to_come_bytes: What retention will add at most, at today's size, before it removes as
            much as comes; None where it keeps some backups for ever.
        growth_bytes_a_day: By how much a backup is larger than the one a day before; None
            where there are not enough backups to tell.
        known_days: So many days are known, and looked ahead; more is not promised.
        lasts_days: After so many the disk is full; None where it is not within `known_days`.
    """

    next_bytes: int
    to_come_bytes: int | None
    growth_bytes_a_day: int | None
    known_days: int
    lasts_days: int | None


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of the backup directory; no outlook where no backup tells of one."""

    free_bytes: int
    total_bytes: int
    outlook: Outlook | None = None

    @property
    def free_percent(self) -> float:
        """How much of it is free, of a hundred."""
        return 100 * self.free_bytes / max(self.total_bytes, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation(UtcOnly):
    """Everything that an assessment rests on.

    Attributes:
        now: UTC.
        entries: Every backup of the directory.
        verified: The verified ones of our database, newest first.
        sees_all: No backup was hidden from whoever looked: one that is absent is not there.
        due: The tiers that want a backup.
        next_runs: The next instant of each tier, the soonest first.
        expected_since: With a schedule that is kept, the newest backup is not older; None
            where nothing is scheduled.
        held_back: How many backups may go and wait for a later sweep.
        guard: Why nothing may be swept; None where the clock can be trusted, or nobody knows.
        unswept: How many backups the guard alone keeps.
        busy: What is under way: a backup for what is due, or a restore in whatever process.
            The mark in the state file alone may be a dead run's, or a manual backup's, which
            settles no tier.
        running: The run that is under way, whoever does it.
        outcomes: How the last runs ended.
        disk: None where it could not be seen.
        daemon: None where it could not be seen.
        old_script: SelfMX's own script is on, and will delete our backups by age.
        met: What whoever looked has met: what cannot be seen, what stands in no file.
    """

    now: datetime
    entries: Sequence[Entry] = ()
    verified: Sequence[Backup] = ()
    sees_all: bool = True
    due: Sequence[Due] = ()
    next_runs: Sequence[NextRun] = ()
    expected_since: datetime | None = None
    held_back: int = 0
    guard: str | None = None
    unswept: int = 0
    busy: Job | None = None
    running: RunMark | None = None
    outcomes: Outcomes = field(default_factory=Outcomes)
    disk: Disk | None = None
    daemon: Daemon | None = None
    old_script: bool = False
    met: Sequence[Finding] = ()

    @property
    def newest(self) -> Backup | None:
        """The newest backup that can be restored."""
        return self.verified[0] if self.verified else None

    @property
    def by_tier(self) -> Mapping[Tier, Sequence[Backup]]:
        """The verified backups of each tier, newest first: the scheduled tiers, and any used."""
        found = {tier: [each for each in self.verified if tier in each.tiers] for tier in Tier}
        shown = {tier: its for tier, its in found.items() if its or tier in SCHEDULED_TIERS}
        return MappingProxyType(shown)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was seen, and everything that is wrong with it, worst first."""

    seen: Situation
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Severity:
        """How bad the worst of it is."""
        return max((each.severity for each in self.findings), key=_rank, default=Severity.OK)


def _rank(severity: Severity) -> int:
    return severity.rank
