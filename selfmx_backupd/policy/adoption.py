"""A `.bak` of which no manifest speaks: whether it may be adopted, and as what.

Somebody may have moved or copied it, restored it from tape, or taken it with the script that was
here before. Where nothing more is known than its header, its past is not known either.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from selfmx_backupd.model import Backup, Durations, Entry, Pin, State

# A file that has not changed for so long is not being written any more.
QUIET = timedelta(minutes=2)

_PINNED_FOR = timedelta(days=30)
_PINNED_BECAUSE = "adopted"

# Local time is at most so far behind UTC, and so far ahead of it; a script that names a file
# before it asks for the backup may wait a little.
_BEHIND, _AHEAD = timedelta(hours=12), timedelta(hours=14)
_WAITING = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a file may be adopted.

    Attributes:
        refusal: Why not, a sentence's end behind the file's name; None where it may.
        known: What a manifest says of this very backup under another name; None where none does.
    """

    refusal: str | None = None
    known: Backup | None = None


def is_quiet(
    written_at: datetime, unchanged_since: datetime, now: datetime, *, has_changed: bool
) -> bool:
    """Whether nobody writes to a file any more.

    Args:
        written_at: When it was last written, UTC, by a clock that may be ahead of ours.
        unchanged_since: Since when we have seen it as it is, UTC.
        now: UTC.
        has_changed: We have seen it change. Then its own word for when it was written counts
            for nothing: copying programs set that to what it was elsewhere.
    """
    if now - unchanged_since >= QUIET:
        return True
    return not has_changed and now - written_at >= QUIET


def judge(
    orphan: Entry, guid: str, entries: Iterable[Entry], unsettled: Iterable[Backup]
) -> Verdict:
    """Whether an orphan may be adopted, by what else is in the directory.

    Args:
        orphan: A file of which no manifest speaks.
        guid: Of the backup set in it.
        entries: Every backup of the directory.
        unsettled: Those that are not finished, or whose deletion has begun.
    """
    others = [each for each in entries if each.backup and each.file != orphan.file]
    here = [each.backup for each in others if each.backup and each.state is not State.MISSING]
    for backup in (*here, *unsettled):
        if backup.backup_set.guid == guid:
            return Verdict(f"is a copy of {backup.file}")
    claims = orphan.claims
    if claims is not None and claims.backup_set.guid != guid:
        return Verdict(f"holds another backup set than its manifest says, that of {claims.file}")
    gone = [each.backup for each in others if each.backup and each.state is State.MISSING]
    known = next((each for each in gone if each.backup_set.guid == guid), claims)
    if known is not None and known.size_bytes != orphan.size_bytes:
        return Verdict(f"holds what {known.file} held, and has not its {known.size_bytes} bytes")
    return Verdict(known=known)


def moved(known: Backup, file: str) -> Backup:
    """A backup under the name that somebody gave it; it has to be proven once more.

    A deletion that had begun is not carried on: whoever renamed the file wants it.
    """
    return replace(known, file=file, verified=None, going=None)


def pin(now: datetime) -> Pin:
    """What holds a backup whose past is not known until a person has had time to look."""
    return Pin(until=now + _PINNED_FOR, reason=_PINNED_BECAUSE)


def begun(told: datetime | None, named: datetime | None, clock_at: datetime) -> datetime | None:
    """When a backup without a manifest was begun, UTC; None where nobody can tell.

    Args:
        told: By its DESCRIPTION, where that is ours.
        named: By its name, which is local time where the schedule is.
        clock_at: By its server's clock, whose zone nobody knows, read as if it were UTC. Where
            no zone of this world could make it agree with the name, somebody has renamed the
            file, and the name counts for nothing.
    """
    if told is not None or named is None:
        return told
    is_possible = earliest(clock_at) - _WAITING <= named <= clock_at + _BEHIND
    return named if is_possible else None


def earliest(clock_at: datetime) -> datetime:
    """The first moment, UTC, at which the clock of some place shows this.

    In doubt too early: a backup that is dated too late would settle a tier wrongly.
    """
    return clock_at - _AHEAD


def superseded(entries: Iterable[Entry]) -> tuple[tuple[str, str], ...]:
    """Backups that are missing because they have another name now: (old name, new name).

    Only where the new manifest says everything that the old one said.
    """
    every = tuple(entries)
    here = {
        _facts(each.backup, each.backup): each.file
        for each in every
        if each.backup and each.size_bytes == each.backup.size_bytes and each.backup.verified
    }
    gone = [each for each in every if each.backup and each.state is State.MISSING]
    return tuple(
        (old.file, file)
        for old in gone
        for facts, file in here.items()
        if old.backup and facts == _facts(old.backup, facts)
    )


def _facts(backup: Backup, other: Backup) -> Backup:
    """What a move does not change; a sum that was never taken is as good as the other's."""
    return replace(
        backup,
        file="",
        verified=None,
        sha256=backup.sha256 or other.sha256,
        duration_s=Durations(),
    )
