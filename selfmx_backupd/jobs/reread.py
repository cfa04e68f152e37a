"""The monthly look: one backup is read again at each scheduled sweep.

A disk may lose what it once held. With about two dozen backups each is read again every
month. SQL Server is not needed: the SHA-256 is that of the bytes which it has proven.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from selfmx_backupd import log
from selfmx_backupd.errors import BackupdError, DirectoryUnusable, NotEnoughSpace
from selfmx_backupd.events import DAMAGE_FOUND, REREAD_DONE
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Check, Damaged, Progress
from selfmx_backupd.policy import inventory

_READING = "reading again"


@dataclass(frozen=True, slots=True)
class Reread:
    """What came of it.

    Attributes:
        doubtful: Names of backups that must not let others go, whatever their manifests say.
        errors: Why files could not be read.
    """

    doubtful: frozenset[str]
    errors: tuple[BackupdError, ...]


def reread_oldest(world: World, run: Run) -> Reread:
    """Read the backup again whose proof is the oldest, and say in its manifest what is true.

    One that cannot be read is not called damaged, not even for an error of the disk (EIO):
    the cause may be a cable, a network file system or a right, and the next one is read in
    its place. But nothing may go on its strength meanwhile, and its error is raised aloud.

    Raises:
        Cancelled: A signal asked for the end.
    """
    doubtful, errors = set(), []
    for backup in inventory.by_oldest_proof(world.inventory().entries, world.now()):
        run.step(_READING, backup.file)
        try:
            if not _is_what_was_proven(world, run, backup):
                doubtful.add(backup.file)
            break
        except DirectoryUnusable as error:
            doubtful.add(backup.file)
            errors.append(_naming(backup.file, error))
    return Reread(frozenset(doubtful), tuple(errors))


def _is_what_was_proven(world: World, run: Run, backup: Backup) -> bool:
    sound = _sha256(world, run, backup) == backup.sha256
    if sound and backup.verified is not None:
        # `by` stays: these are the bytes that SQL Server found valid.
        found = replace(backup, verified=replace(backup.verified, at=world.now()))
        log.emit(REREAD_DONE, file=backup.file, size_bytes=backup.size_bytes)
    else:
        reason = "its SHA-256 is not the one that was proven"
        found = replace(backup, damaged=Damaged(at=world.now(), by=Check.SHA256, reason=reason))
        log.emit(DAMAGE_FOUND, file=backup.file, reason=reason)
    with suppress(NotEnoughSpace):  # the sweep, which comes next, is what makes room
        world.directory.write_manifest(found)
    return sound


def _sha256(world: World, run: Run, backup: Backup) -> str:
    def tell(read_bytes: int) -> None:
        run.progress(Progress.of(_READING, read_bytes, backup.size_bytes))

    return world.directory.sha256(backup.file, run.cancel, tell)


def _naming(file: str, error: DirectoryUnusable) -> DirectoryUnusable:
    """The same error with the file's name: a read that fails does not tell it."""
    if file in error.message:
        return error
    return DirectoryUnusable(f"{error.message} ({file})", hint=error.hint)
