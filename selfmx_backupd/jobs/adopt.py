"""A file with our name that no manifest speaks of, proven and taken up; one at a time.

A directory may hold many, each as large as a backup: between two of them everything that is
due gets its turn, and what was refused is not read again while it stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from selfmx_backupd import __version__, log
from selfmx_backupd.adapters.backup_dir import Stamp
from selfmx_backupd.errors import BackupdError, BackupUnusable, ServerRefused, UnreadableHere
from selfmx_backupd.events import (
    ADOPT_REFUSED,
    BACKUP_ADOPTED,
    BACKUP_RETURNED,
    FSYNC_UNSUPPORTED,
)
from selfmx_backupd.jobs.contents import Contents, read_contents
from selfmx_backupd.jobs.preflight import prove_same_directory
from selfmx_backupd.jobs.prove import prove, prove_or_mark
from selfmx_backupd.jobs.reconcile import tidy
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Durations, Entry, Server, State, Tier, Trigger
from selfmx_backupd.policy import adoption
from selfmx_backupd.policy.adoption import Verdict
from selfmx_backupd.policy.inventory import Inventory

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

# The header does not say it.
_EDITION = "unknown"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it has been since some moment."""

    stamp: Stamp
    since: datetime
    has_changed: bool = False


class Adoption:
    """What is to be adopted, and what this process remembers of what was looked at.

    A file that was missing, or had another size than its manifest says, and is as it was again,
    is proven again too: nobody knows where it has been.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._refused: dict[str, Stamp] = {}
        self._failures: Counter[str] = Counter()
        self._lost: set[str] = set()

    def wants(self, world: World, found: Inventory) -> bool:
        """Whether there is something to do; looks at the files, not into them."""
        for entry in found.entries:
            known = entry.backup
            if known and not known.damaged and entry.state in (State.MISSING, State.DAMAGED):
                self._lost.add(entry.file)
        return next(self._candidates(world, found), None) is not None

    def adopt_next(self, world: World, run: Run) -> None:
        """Adopt one file, or prove one that has come back.

        Raises:
            BackupdError: It could not be read, or the server could not be asked: for no reason
                of its own. The next run begins with another file, if there is one.
        """
        tidy(world)
        found = world.inventory()
        entry = next(self._candidates(world, found), None)
        if entry is None:
            return
        try:
            self._settle(world, run, entry, found)
        except BackupdError:
            self._failures[entry.file] += 1
            raise

    def _candidates(self, world: World, found: Inventory) -> Iterator[Entry]:
        """What nobody writes to and was not refused as it is: the newest name first."""
        wanted = [each for each in found.entries if each.is_orphan or self._is_back(each)]
        for entry in sorted(wanted, key=lambda each: self._failures[each.file]):
            stamp = world.directory.stamp_of(entry.file)
            if stamp is None or self._refused.get(entry.file) == stamp:
                continue
            if self._is_quiet(entry.file, stamp, world.now()):
                yield entry

    def _is_back(self, entry: Entry) -> bool:
        return entry.state is State.VERIFIED and entry.file in self._lost

    def _is_quiet(self, file: str, stamp: Stamp, now: datetime) -> bool:
        seen = self._seen.get(file, _Seen(stamp, now))
        if seen.stamp != stamp:
            seen = _Seen(stamp, now, has_changed=True)
        self._seen[file] = seen
        written_at = datetime.fromtimestamp(stamp.written_at, UTC)
        return adoption.is_quiet(written_at, seen.since, now, has_changed=seen.has_changed)

    def _settle(self, world: World, run: Run, entry: Entry, found: Inventory) -> None:
        stamp = world.directory.stamp_of(entry.file)
        run.step("connecting")
        with world.session() as session:
            if entry.backup is not None:
                _prove_again(world, run, session, entry.backup)
                self._lost.discard(entry.file)
                return
            try:
                _adopt(world, run, session, entry, found)
            except (BackupUnusable, UnreadableHere) as error:
                if stamp is None or world.directory.stamp_of(entry.file) != stamp:
                    return  # somebody still writes to it: for later
                self._refused[entry.file] = stamp
                log.emit(ADOPT_REFUSED, file=entry.file, reason=error.message)


def _prove_again(world: World, run: Run, session: Session, backup: Backup) -> None:
    run.step("verifying", backup.file)
    try:
        proven = prove_or_mark(world, run, session, backup)
    except BackupUnusable:
        return  # reported, and listed as damaged from now on
    world.directory.write_manifest(proven)
    log.emit(BACKUP_RETURNED, file=backup.file)


def _adopt(world: World, run: Run, session: Session, entry: Entry, found: Inventory) -> None:
    """Header, proof, manifest; where the backup was moved, the manifest of its old name goes.

    Raises:
        BackupUnusable: It is no backup that may be adopted.
        UnreadableHere: Only another server could tell.
        BackupdError: It could not be read, or the server could not be asked.
    """
    file = entry.file
    run.step("reading", file)
    # On a wrong mount the server would judge another file than the one that we sum up.
    prove_same_directory(world, session)
    contents = _read(world, session, file)
    guid = contents.header.backup_set.guid
    verdict = _judge(entry, guid, found)
    if verdict.refusal is not None:
        raise BackupUnusable(f"{file} {verdict.refusal}")
    size_bytes = entry.size_bytes or 0
    known = verdict.known
    backup = adoption.moved(known, file) if known else _describe(world, file, size_bytes, contents)
    run.step("verifying", file)
    stamp = world.directory.stamp_of(file)
    proven = prove(world, run, session, backup, file)
    if not world.directory.sync(file):
        log.emit(FSYNC_UNSUPPORTED, file=file)
    if world.directory.stamp_of(file) != stamp or not _still(world, entry, guid, verdict):
        return  # the proof took long, and says nothing of what is here now
    world.directory.write_manifest(proven)
    log.emit(
        BACKUP_ADOPTED,
        file=file,
        size_bytes=proven.size_bytes,
        tier=proven.tiers,
        by=proven.verified.by if proven.verified else (),
    )
    tidy(world)


def _read(world: World, session: Session, file: str) -> Contents:
    try:
        return read_contents(world, session, file)
    except ServerRefused as error:
        session.raise_missing_right(world.database, error)
        raise


def _judge(entry: Entry, guid: str, found: Inventory) -> Verdict:
    unfinished = (each.backup for each in found.unfinished if each.backup)
    return adoption.judge(entry, guid, found.entries, (*unfinished, *found.going))


def _still(world: World, entry: Entry, guid: str, verdict: Verdict) -> bool:
    """Everything is as it was: a manifest may have come behind its file, or an original back."""
    found = world.inventory()
    return entry in found.entries and _judge(entry, guid, found) == verdict


def _describe(world: World, file: str, size_bytes: int, contents: Contents) -> Backup:
    """What can be said of a backup whose manifest is gone, or never was."""
    header = contents.header
    told = contents.told
    started_at = contents.begun_at(world, file) or adoption.earliest(header.clock_at)
    return Backup(
        file=file,
        database=header.database,
        tiers=told.tiers if told else (Tier.DAILY,),
        trigger=Trigger.ADOPTED,
        started_at=started_at,
        finished_at=started_at + header.took,
        timezone=world.zone.key,
        size_bytes=size_bytes,
        sha256=None,
        verified=None,
        damaged=None,
        going=None,
        pin=adoption.pin(world.now()),
        server=Server(header.server_name, header.server_version, _EDITION),
        backup_set=header.backup_set,
        files=contents.files,
        duration_s=Durations(),
        writer=f"selfmx-backupd {__version__}",
    )
