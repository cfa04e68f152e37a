"""What a listing of the backup directory means.

A `.bak` is a complete, verified backup only where its manifest says so and its size
agrees; everything else counts for nothing, and never goes by itself.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from selfmx_backupd.model import Backup, Entry, State

BACKUP = ".bak"
PART = ".bak.part"
MANIFEST = ".json"
TEMPORARY = ".json.tmp"
PROBE = ".probe"
LOCK = ".lock"
# Behind the name of what a person has given up: no name of ours, so never touched again.
ASIDE = ".damaged"

_STEM = re.compile(r"(?P<prefix>[^_]+)_(?P<date>[0-9]{8})_(?P<time>[0-9]{6})")

# A clock that was ten minutes ahead may have dated a backup; one dated further ahead
# was dated by a wrong clock, and its age means nothing.
_AHEAD = timedelta(minutes=10)

_WHAT_THEN = "the daemon adopts it, or its log says why not"


@dataclass(frozen=True, slots=True)
class Listing:
    """The directory as it was read.

    Attributes:
        sizes: Every regular file's name and size in bytes; links and folders are absent.
        others: Names of everything else.
        manifests: For each `.json` that is named like one of ours: its content, or a
            sentence that says why it cannot be read.
    """

    sizes: Mapping[str, int]
    others: tuple[str, ...]
    manifests: Mapping[str, Backup | str]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A `.part`: rubbish without a manifest, complete but not yet proven with one."""

    file: str
    backup: Backup | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What the directory holds.

    Attributes:
        entries: Every backup, newest name first.
        unfinished: What an interrupted run left to be proven or removed.
        going: Backups whose deletion was interrupted.
        leftovers: Names of temporary files of ours.
        strangers: Names that are somebody else's: reported, never touched.
    """

    entries: tuple[Entry, ...]
    unfinished: tuple[Unfinished, ...]
    going: tuple[Backup, ...]
    leftovers: tuple[str, ...]
    strangers: tuple[str, ...]

    def verified(self, database: str) -> tuple[Backup, ...]:
        """The verified backups of one database, newest first.

        By their start, not by their names: when summer time ends, an hour of names comes
        twice, and the later backup may have the earlier name.
        """
        found = (
            entry.backup
            for entry in self.entries
            if entry.state is State.VERIFIED
            and entry.backup is not None
            and entry.backup.database.casefold() == database.casefold()
        )
        return tuple(sorted(found, key=lambda each: each.started_at, reverse=True))


def by_oldest_proof(entries: Iterable[Entry], now: datetime) -> tuple[Backup, ...]:
    """The verified backups in the order in which they want to be read again.

    A proof that is dated ahead was dated by a wrong clock: it may be of any age, and comes
    first. Of equal dates the earlier name comes first.

    Args:
        entries: Of the directory, in any order.
        now: UTC.
    """
    proofs = [
        (each.backup.verified.at, each.file, each.backup)
        for each in entries
        if each.state is State.VERIFIED and each.backup and each.backup.verified
        # Without a sum there is nothing to compare with.
        if each.backup.sha256 is not None
    ]
    proofs.sort(key=lambda proof: (proof[0] <= now, proof[0], proof[1]))
    return tuple(backup for _, _, backup in proofs)


def part_of(file: str) -> str:
    """What a backup is called until it is proven."""
    return file.removesuffix(BACKUP) + PART


def is_stem(name: str, prefix: str) -> bool:
    """Whether a name without its ending is one that we give: prefix, date and time.

    Digits that are no date are not ours: we never wrote such a name.
    """
    found = _STEM.fullmatch(name)
    if found is None or found["prefix"] != prefix:
        return False
    try:
        datetime.fromisoformat(f"{found['date']}T{found['time']}")
    except ValueError:
        return False
    return True


def dated(file: str, zone: tzinfo) -> datetime | None:
    """When a backup was begun, by its name alone, UTC; None where the name tells nothing.

    Of a local time that exists twice it is the first.
    """
    found = _STEM.fullmatch(file.removesuffix(BACKUP))
    if found is None or not is_stem(file.removesuffix(BACKUP), found["prefix"]):
        return None
    local = datetime.fromisoformat(f"{found['date']}T{found['time']}")
    return local.replace(tzinfo=zone).astimezone(UTC)


def take(listing: Listing, prefix: str, now: datetime) -> Inventory:
    """Make sense of a listing.

    Args:
        listing: The directory as it was read.
        prefix: What our names begin with.
        now: UTC; tells which backups are dated ahead.
    """
    stems: dict[str, set[str]] = {}
    strangers = list(listing.others)
    leftovers = []
    for name in sorted(listing.sizes):
        stem, dot, rest = name.partition(".")
        ending = dot + rest
        if name == prefix + LOCK:
            continue
        if name == prefix + PROBE or (ending == TEMPORARY and is_stem(stem, prefix)):
            leftovers.append(name)
        elif ending in (BACKUP, PART, MANIFEST) and is_stem(stem, prefix):
            stems.setdefault(stem, set()).add(ending)
        else:
            strangers.append(name)
    entries, unfinished, going = [], [], []
    for stem, endings in sorted(stems.items(), reverse=True):
        content = listing.manifests.get(stem + MANIFEST)
        backup = _about(content, stem)
        if backup is not None and backup.going is not None and PART not in endings:
            going.append(backup)
        elif PART in endings and BACKUP not in endings and (backup or content is None):
            unfinished.append(Unfinished(stem + BACKUP, backup))
        else:
            entries.append(_entry(stem, content, listing, now))
            strangers += [stem + PART] if endings >= {PART, BACKUP} else []
    return Inventory(
        tuple(entries), tuple(unfinished), tuple(going), tuple(leftovers), tuple(sorted(strangers))
    )


def _about(content: Backup | str | None, stem: str) -> Backup | None:
    """The manifest, where it can be read and speaks of this file and no other.

    A copied manifest must not have the file removed that it was copied from.
    """
    return content if isinstance(content, Backup) and content.file == stem + BACKUP else None


def _entry(stem: str, content: Backup | str | None, listing: Listing, now: datetime) -> Entry:
    file = stem + BACKUP
    backup = _about(content, stem)
    size = listing.sizes.get(file)
    if size is None and stem + PART in listing.sizes:
        # Its manifest says that it is complete, in words that this version cannot read.
        why = content if isinstance(content, str) else "its manifest speaks of another file"
        reason = f"it was not finished, and {why}"
        return Entry(file, State.UNKNOWN, reason, None, listing.sizes[stem + PART])
    if size is not None and backup is None and not isinstance(content, str):
        return _without_manifest(stem, content, listing)
    state, reason = _judge(content, size, now)
    return Entry(file=file, state=state, reason=reason, backup=backup, size_bytes=size)


def _without_manifest(stem: str, claims: Backup | None, listing: Listing) -> Entry:
    """A file of which no manifest speaks: an orphan, unless a manifest could do harm there."""
    about = f"its manifest speaks of {claims.file}" if claims else "it has no manifest"
    names = {*listing.sizes, *listing.others}
    # Beside a `.part` it would say that the `.part` is complete; and what stands under its
    # own name, a link or a folder, is somebody else's.
    in_the_way = [stem + PART] if stem + PART in names else []
    in_the_way += [stem + MANIFEST] if stem + MANIFEST in listing.others else []
    what_then = f"{in_the_way[0]} is in the way of one" if in_the_way else _WHAT_THEN
    return Entry(
        file=stem + BACKUP,
        state=State.UNKNOWN,
        reason=f"{about}: {what_then}",
        backup=None,
        size_bytes=listing.sizes[stem + BACKUP],
        is_orphan=not in_the_way,
        claims=claims,
    )


def _judge(content: Backup | str | None, size: int | None, now: datetime) -> tuple[State, str]:
    if size is None:
        return State.MISSING, "its manifest is here, the file is gone"
    if not isinstance(content, Backup):
        return State.UNKNOWN, str(content)
    return _judge_manifest(content, size, now)


def _judge_manifest(backup: Backup, size: int, now: datetime) -> tuple[State, str]:
    if backup.damaged is not None:
        return State.DAMAGED, backup.damaged.reason
    if backup.size_bytes != size:
        return State.DAMAGED, f"its size is {size} bytes, {backup.size_bytes} were written"
    if backup.verified is None:
        return State.UNKNOWN, "it was never proven"
    if backup.started_at > now + _AHEAD:
        return State.UNKNOWN, "it is dated ahead of the clock"
    return State.VERIFIED, f"proven by {', '.join(backup.verified.by)}"
