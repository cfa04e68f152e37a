"""The backup that is to be restored: what its file holds, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from selfmx_backupd.adapters.mssql.headers import Header
from selfmx_backupd.errors import BackupUnusable, UsageError
from selfmx_backupd.jobs.contents import read_contents
from selfmx_backupd.jobs.prove import ensure_not_newer, prove_or_mark, verify_only
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, DatabaseFile, State
from selfmx_backupd.policy import inventory

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


@dataclass(frozen=True, slots=True)
class Source:
    """A file that holds a full backup of our database, which this server can read.

    Attributes:
        size_bytes: Of the file.
        backup: What its manifest says; None where it has none that can be read.
        files: The files that a restore would make.
        taken_at: When the backup was begun, by its manifest, its DESCRIPTION or its name; None
            where none of them tells.
    """

    file: str
    size_bytes: int
    backup: Backup | None
    header: Header
    files: tuple[DatabaseFile, ...]
    taken_at: datetime | None


def read_source(world: World, session: Session, file: str) -> Source:
    """Find a backup, and let SQL Server say what is in it.

    Raises:
        BackupUnusable: It is missing, known to be damaged, or holds something else.
        UnreadableHere: It was taken from a newer server than this one.
    """
    with naming_the_list():
        return _read(world, session, file)


def _read(world: World, session: Session, file: str) -> Source:
    size = _find(world, file)
    backup = _manifest_of(world, file)
    if backup is not None:
        ensure_not_newer(session, file, backup.server.version)
    contents = read_contents(world, session, file)
    header = contents.header
    if backup is not None and header.backup_set.guid != backup.backup_set.guid:
        raise BackupUnusable(f"{file} holds another backup set than its manifest says")
    taken_at = backup.started_at if backup else contents.begun_at(world, file)
    return Source(file, size, backup, header, contents.files, taken_at)


def prove_source(world: World, run: Run, session: Session, source: Source) -> None:
    """Read the whole file, on both sides, before anything depends on it.

    Raises:
        BackupUnusable: It is damaged.
    """
    with naming_the_list():
        if source.backup is not None and source.backup.verified is not None:
            prove_or_mark(world, run, session, source.backup)
        else:
            # Without a manifest, or with one that was never completed, there is no sum to compare.
            verify_only(world, run, session, source.file)


@contextmanager
def naming_the_list() -> Iterator[None]:
    """Whoever restores needs another backup that is there, not one of what is lost."""
    try:
        yield
    except BackupUnusable as error:
        error.hint = "Take another one. The list: selfmx-restore"
        raise


def _find(world: World, file: str) -> int:
    if file.endswith(inventory.PART):
        raise UsageError(f"{file} is not finished", hint="The next selfmx-backup finishes it.")
    size = world.directory.size_of(file)
    if size is None:
        raise BackupUnusable(
            f"there is no backup {file} in {world.directory.path}, or it is no regular file"
        )
    return size


def _manifest_of(world: World, file: str) -> Backup | None:
    """What is known of a file; a file of any other name is unknown, and may be a backup too."""
    entries = {entry.file: entry for entry in world.inventory().entries}
    entry = entries.get(file)
    if entry is None:
        return None
    if entry.state in (State.DAMAGED, State.MISSING):
        raise BackupUnusable(f"{file} is {entry.state}: {entry.reason}")
    return entry.backup
