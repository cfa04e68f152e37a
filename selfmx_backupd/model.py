"""The words of the domain: frozen values that every other room passes around.

Every datetime is aware and in UTC; others are refused at construction. Sizes
are bytes, durations seconds. LSNs are strings, because they have up to 25
digits, more than any integer that JSON readers agree on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self


class Tier(StrEnum):
    """What a backup is kept as."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    MANUAL = "manual"
    PRE_RESTORE = "pre_restore"


SCHEDULED_TIERS = (Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY)


class Trigger(StrEnum):
    """Why a backup was taken."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch-up"
    RETRY = "retry"
    MANUAL = "manual"
    PRE_RESTORE = "pre_restore"
    ADOPTED = "adopted"


class Check(StrEnum):
    """What a proof consists of."""

    CHECKSUM = "checksum"
    HEADER = "header"
    VERIFYONLY = "verifyonly"
    SHA256 = "sha256"


class State(StrEnum):
    """What a backup in the directory is worth."""

    VERIFIED = "verified"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    MISSING = "missing"


class UtcOnly:
    """Refuses a datetime that is naive or not in UTC."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for entry in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, entry.name)
            if isinstance(value, datetime) and value.tzinfo is not UTC:
                raise ValueError(f"{type(self).__name__}.{entry.name} is not in UTC: {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(UtcOnly):
    """When and by what a backup was proven."""

    at: datetime
    by: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged(UtcOnly):
    """When and by what a backup was found to be damaged."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Going(UtcOnly):
    """A backup whose deletion has begun."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin(UtcOnly):
    """A backup that somebody holds; for ever where `until` is None."""

    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Server:
    """The SQL Server that a backup was taken from."""

    name: str
    version: str
    edition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSet:
    """The header of the backup set, as RESTORE HEADERONLY reports it.

    `size_bytes` is the uncompressed size of what was backed up.
    """

    guid: str
    family_guid: str
    first_lsn: str
    last_lsn: str
    checkpoint_lsn: str
    database_backup_lsn: str
    recovery_model: str
    compressed: bool
    copy_only: bool
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A data or log file of the database, as RESTORE FILELISTONLY reports it.

    `type` is D data, L log, F full-text, S filestream or in-memory.
    """

    logical_name: str
    type: str
    physical_name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the steps of a backup took, in seconds; None while not known."""

    backup: float | None = None
    verify: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup(UtcOnly):
    """One backup, as its manifest describes it.

    Attributes:
        file: Its name, `<prefix>_YYYYMMDD_HHMMSS.bak`, without a directory.
        timezone: The zone that the name's local time is in.
        sha256: Lower-case hex; None until the first proof.
        verified: None until the first proof.
        extra: Keys of the manifest that this version does not know; kept as they are.
    """

    file: str
    database: str
    tiers: tuple[Tier, ...]
    trigger: Trigger
    started_at: datetime
    finished_at: datetime
    timezone: str
    size_bytes: int
    sha256: str | None
    verified: Verified | None
    damaged: Damaged | None
    going: Going | None
    pin: Pin | None
    server: Server
    backup_set: BackupSet
    files: tuple[DatabaseFile, ...]
    duration_s: Durations
    writer: str
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One backup of the directory and what it is worth.

    Attributes:
        file: The name of the `.bak`.
        state: Only a verified backup counts for anything.
        reason: Why the state is what it is, in words.
        backup: What the manifest says; None where it cannot be read.
        size_bytes: Of the file on disk; None where it is missing.
        is_orphan: The file is here, and no manifest speaks of it: it may be adopted.
        claims: What the manifest beside an orphan says of a file of another name.
    """

    file: str
    state: State
    reason: str
    backup: Backup | None
    size_bytes: int | None
    is_orphan: bool = False
    claims: Backup | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A tier that wants a backup, and since when (its last scheduled instant, UTC)."""

    tier: Tier
    since: datetime


@dataclass(frozen=True, slots=True)
class NextRun:
    """A scheduled instant that lies ahead, in UTC."""

    tier: Tier
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Retention's answer for one backup.

    Attributes:
        file: The name of the `.bak`.
        keep: False where it may go now.
        keeps: Why it stays; empty where it may go.
        goes: Why it may go; empty where it stays.
        goes_at: The earliest instant at which it may go, where time alone decides; None
            where it does not (for ever, or until other backups are there).
        held_back: It may go, but the brake keeps it for the next sweep.
        kept_as: The tiers that keep it; empty where it may go, or where something else does.
    """

    file: str
    keep: bool
    keeps: tuple[str, ...]
    goes: tuple[str, ...]
    goes_at: datetime | None
    held_back: bool = False
    kept_as: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step has come.

    Attributes:
        step: What is being done, a participle: "backing up", "verifying".
        percent: 0 to 100, or None where it cannot be known.
        size_bytes: What the file has grown to, or None.
    """

    step: str
    percent: int | None = None
    size_bytes: int | None = None

    @classmethod
    def of(cls, step: str, done_bytes: int, all_bytes: int) -> Self:
        """How far a step is that has read so many bytes of all; a file may have grown since."""
        return cls(step, min(100, 100 * done_bytes // max(all_bytes, 1)))
