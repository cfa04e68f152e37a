"""What a crash left behind: finished where it was complete, removed where it was not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.adapters.mssql import statements
from selfmx_backupd.errors import BackupUnusable
from selfmx_backupd.events import (
    BACKUP_MOVED,
    LEFTOVER_KEPT,
    LEFTOVER_REMOVED,
    SWEEP_REMOVED,
)
from selfmx_backupd.jobs.prove import ensure_not_newer, prove_or_remove, publish
from selfmx_backupd.jobs.removal import removing
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World, program_name
from selfmx_backupd.model import Backup
from selfmx_backupd.policy import adoption
from selfmx_backupd.policy.inventory import part_of

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


def reconcile_alone(world: World, run: Run) -> None:
    """Reconcile without a backup to take; SQL Server is asked only where it must be."""
    tidy(world)
    if world.inventory().unfinished:
        run.step("connecting")
        with world.session() as session:
            reconcile(world, run, session)


def reconcile(world: World, run: Run, session: Session) -> None:
    """Deal with everything that an interrupted run may have left.

    Raises:
        BackupdError: A complete backup could not be proven, for a reason that is not the
            backup's. No new one is taken before that is mended: each would leave another.
    """
    tidy(world)
    for unfinished in world.inventory().unfinished:
        if unfinished.backup is None:
            _remove_rubbish(world, session, unfinished.file)
        else:
            _finish(world, run, session, unfinished.backup)


def tidy(world: World) -> None:
    """Remove temporary files, end deletions that were begun, and the taking up of moved files.

    What cannot be removed is reported and stays: it must not stop backups.
    """
    inventory = world.inventory()
    for name in inventory.leftovers:
        with removing(name):
            world.directory.remove_leftover(name)
            log.emit(LEFTOVER_REMOVED, file=name, reason="a temporary file")
    for backup in inventory.going:
        with removing(backup.file):
            world.directory.remove_backup(backup.file)
            reason = backup.going.reason if backup.going else ""
            log.emit(SWEEP_REMOVED, file=backup.file, size_bytes=backup.size_bytes, reason=reason)
    for was, file in adoption.superseded(inventory.entries):
        with removing(was):
            world.directory.remove_manifest(was)
            log.emit(BACKUP_MOVED, file=file, was=was)


def _finish(world: World, run: Run, session: Session, backup: Backup) -> None:
    run.step("verifying", backup.file)
    ensure_not_newer(session, backup.file, backup.server.version)
    try:
        proven = prove_or_remove(world, run, session, backup)
    except BackupUnusable:
        # Reported and removed: what it was taken for is still due.
        return
    publish(world, proven)


def _remove_rubbish(world: World, session: Session, file: str) -> None:
    """Remove a `.part` without a manifest, once nobody writes to it any more."""
    if session.facts.sees_all:
        program = program_name(world.directory.prefix)
        running = session.rows(
            statements.running_backups(program), "looking for a backup that still runs"
        )
        busy = "an interrupted backup of ours still runs in SQL Server" if running else ""
    else:
        # A file that nobody has written to for a while has no writer.
        busy = "it was written to a moment ago" if _is_fresh(world, file) else ""
    if busy:
        log.emit(LEFTOVER_KEPT, file=file, reason=busy)
        return
    with removing(file):
        world.directory.remove_unfinished(file)
        log.emit(LEFTOVER_REMOVED, file=file, reason="it is incomplete")


def _is_fresh(world: World, file: str) -> bool:
    stamp = world.directory.stamp_of(part_of(file))
    if stamp is None:
        return False
    # Ahead of our clock also counts as fresh.
    return world.now() - datetime.fromtimestamp(stamp.written_at, UTC) < adoption.QUIET
