"""The proof that a file is a backup, and the name that it gets for it.

Shared by everything that trusts a file: it is restorable as far as anybody can tell
without restoring it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.adapters.mssql import headers, numbers, statements
from selfmx_backupd.adapters.mssql.activity import Activity
from selfmx_backupd.adapters.mssql.watch import Stall
from selfmx_backupd.errors import (
    BackupUnusable,
    ConnectionLost,
    DirectoryUnusable,
    NotEnoughSpace,
    ServerRefused,
    UnreadableHere,
)
from selfmx_backupd.events import BACKUP_PUBLISHED, DAMAGE_FOUND, FSYNC_UNSUPPORTED
from selfmx_backupd.jobs.hashing import Hashing
from selfmx_backupd.jobs.removal import removing
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Check, Damaged, Progress, Verified
from selfmx_backupd.policy.inventory import part_of

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Message, Session


def prove_or_remove(world: World, run: Run, session: Session, backup: Backup) -> Backup:
    """Prove a `.part`; remove it where it is proven to be bad.

    Raises:
        BackupUnusable: It is damaged and has been removed, as far as that can be done.
        BackupdError: It could not be proven; it stays, for the next run.
    """
    try:
        return prove(world, run, session, backup, part_of(backup.file))
    except BackupUnusable as error:
        log.emit(DAMAGE_FOUND, file=backup.file, reason=error.message)
        with removing(backup.file):
            world.directory.remove_unfinished(backup.file)
        raise


def prove_or_mark(world: World, run: Run, session: Session, backup: Backup) -> Backup:
    """Prove a published backup once more; say in its manifest where it is proven to be bad.

    Raises:
        BackupUnusable: It is damaged, and from now on listed so.
        BackupdError: It could not be proven, for a reason that is not its own.
    """
    try:
        return prove(world, run, session, backup, backup.file)
    except BackupUnusable as error:
        log.emit(DAMAGE_FOUND, file=backup.file, reason=error.message)
        damaged = Damaged(at=world.now(), by="proof", reason=error.message)
        with suppress(DirectoryUnusable, NotEnoughSpace):  # what is known is said all the same
            world.directory.write_manifest(replace(backup, damaged=damaged))
        raise


def prove(world: World, run: Run, session: Session, backup: Backup, name: str) -> Backup:
    """Size and header, then RESTORE VERIFYONLY, while SHA-256 runs over the same file.

    Args:
        world: What it works with.
        run: Whom to tell.
        session: In which SQL Server is asked.
        backup: What the manifest says.
        name: Of the file: the backup's, or that of its `.part`.

    Returns:
        The backup with `sha256` and `verified`; nothing has been written yet.

    Raises:
        BackupUnusable: It is not what its manifest says.
        BackupdError: It could not be read, or the server could not be asked.
    """
    began = time.monotonic()
    size = world.directory.size_of(name)
    if size != backup.size_bytes:
        raise BackupUnusable(f"{backup.file} has {size} bytes, {backup.size_bytes} were written")
    same_set(world, session, backup, name)
    with Hashing(world.directory, name, size, run.cancel) as hashing:
        checked = verify_only(world, run, session, name)
        sha256 = hashing.result(run.progress)
    if backup.sha256 not in (None, sha256):
        raise BackupUnusable(f"{backup.file} has not the SHA-256 that its manifest names")
    return replace(
        backup,
        sha256=sha256,
        verified=Verified(at=world.now(), by=(*checked, Check.SHA256)),
        duration_s=replace(backup.duration_s, verify=round(time.monotonic() - began, 3)),
    )


def publish(world: World, backup: Backup) -> Backup:
    """Give a proven backup its name.

    Flushed before it is called verified, and called verified before it is called `.bak`:
    a file of that name is a complete, verified backup, whenever the power fails.
    """
    if not world.directory.sync(part_of(backup.file)):
        log.emit(FSYNC_UNSUPPORTED, file=backup.file)
    world.directory.write_manifest(backup)
    world.directory.publish(backup.file)
    took = backup.duration_s
    log.emit(
        BACKUP_PUBLISHED,
        file=backup.file,
        size_bytes=backup.size_bytes,
        tier=backup.tiers,
        # One that an interrupted run began has no total.
        duration_s=took.total or took.verify or 0.0,
    )
    return backup


def ensure_not_newer(session: Session, file: str, version: str) -> None:
    """A backup of a newer server may not be judged: an older one calls it malformed (3241).

    Args:
        session: In which SQL Server is asked.
        file: The backup.
        version: Of the server that wrote it.

    Raises:
        UnreadableHere: This server is older; backups never restore to an older version.
    """
    ours = session.facts.server.version
    if _major(ours) < _major(version):
        raise UnreadableHere(
            f"{file} was taken from SQL Server {version}, and {ours} can neither prove nor "
            "restore it",
            hint=f"Take {file} and its manifest to where that version or a newer one runs.",
        )


def _major(version: str) -> int:
    number = version.partition(".")[0]
    return int(number) if number.isdecimal() else 0


def same_set(world: World, session: Session, backup: Backup, name: str) -> None:
    """The file holds the backup set that its manifest speaks of.

    Raises:
        BackupUnusable: It holds another, or none.
    """
    sql = statements.header_only(world.directory.server_path_of(name))
    rows = session.rows(sql, f"reading the header of {backup.file}")
    header = headers.the_only_set(rows, backup.file, backup.database)
    if header.backup_set.guid != backup.backup_set.guid:
        raise BackupUnusable(f"{backup.file} holds another backup set than its manifest says")


def verify_only(world: World, run: Run, session: Session, name: str) -> tuple[Check, ...]:
    """Let SQL Server read the whole file; the evidence is message 3262."""
    try:
        _run_verify_only(world, run, session, name, checksum=True)
    except ServerRefused as error:
        if error.number != numbers.NO_CHECKSUMS:
            raise
        # Without checksums is not damaged: it is proven by less, and recorded so.
        _run_verify_only(world, run, session, name, checksum=False)
        return Check.HEADER, Check.VERIFYONLY
    return Check.CHECKSUM, Check.HEADER, Check.VERIFYONLY


def _run_verify_only(
    world: World, run: Run, session: Session, name: str, *, checksum: bool
) -> None:
    file = name.removesuffix(".part")
    statement = statements.verify_only(world.directory.server_path_of(name), checksum=checksum)

    def heard(message: Message) -> None:
        if message.percent is not None:
            run.progress(Progress("verifying", message.percent))

    with Activity(world.connect, session.facts.session_id) as activity:
        seen = session.run(
            statement,
            f"the verification of {file}",
            cancel=run.cancel,
            heard=heard,
            # Nothing grows while VERIFYONLY reads: where our login does not see the
            # session's activity there is no telling slow from stuck, and no limit.
            stall=Stall(world.settings.backup.stall_timeout_s, activity.pulse),
        )
    if numbers.SET_IS_VALID not in seen:
        raise ConnectionLost(f"the verification of {file} ended without SQL Server's message 3262")
