"""A backup, step by step: preflight, BACKUP, header, proof, name."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from selfmx_backupd import __version__, log
from selfmx_backupd.adapters.mssql import headers, numbers, statements
from selfmx_backupd.adapters.mssql.activity import Activity
from selfmx_backupd.adapters.mssql.watch import Stall
from selfmx_backupd.errors import (
    AnotherBackupRuns,
    BackupdError,
    BackupUnusable,
    ConnectionLost,
    DirectoriesDiffer,
    ServerRefused,
)
from selfmx_backupd.events import BACKUP_HISTORY_UNWRITTEN, BACKUP_STARTED
from selfmx_backupd.jobs.preflight import ensure_space, find_database, prove_same_directory
from selfmx_backupd.jobs.prove import prove_or_remove, publish
from selfmx_backupd.jobs.reconcile import reconcile
from selfmx_backupd.jobs.removal import removing
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Durations, Pin, Progress, State, Tier, Trigger
from selfmx_backupd.outcomes import Job
from selfmx_backupd.policy import schedule
from selfmx_backupd.policy.inventory import part_of

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Message, Session

# Our own BACKUP, orphaned by a crash a moment ago, ends as soon as the server notices.
_WAIT_FOR_ORPHAN_S = (2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written, settled before BACKUP begins."""

    file: str
    database: str
    tiers: tuple[Tier, ...]
    trigger: Trigger
    started_at: datetime
    pin: Pin | None


def back_up_due(world: World, run: Run) -> Backup | None:
    """One backup for all tiers that are due; None where none is.

    What an interrupted run left behind comes first: it may be all that is due.
    """
    failures = world.state.recall().of(Job.BACKUP).failures_in_a_row
    run.step("connecting")
    with world.session() as session:
        reconcile(world, run, session)
        due = schedule.due(world.now(), world.schedule, world.inventory().verified(world.database))
        if not due:
            return None
        tiers = tuple(each.tier for each in due)
        trigger = schedule.trigger(due, world.now(), failures)
        published = _back_up(world, run, session, tiers, trigger)
        _ensure_it_counts(world, published)
        return published


def back_up_now(world: World, run: Run, pin: Pin | None = None) -> Backup:
    """A manual backup, which settles no tier; pinned from its first manifest on."""
    run.step("connecting")
    with world.session() as session:
        reconcile(world, run, session)
        return _back_up(world, run, session, (Tier.MANUAL,), Trigger.MANUAL, pin)


def back_up_before_restore(world: World, run: Run) -> Backup:
    """The safety copy of what a restore in place is about to overwrite."""
    with world.session() as session:
        reconcile(world, run, session)
        return _back_up(world, run, session, (Tier.PRE_RESTORE,), Trigger.PRE_RESTORE)


def _ensure_it_counts(world: World, published: Backup) -> None:
    """What was just published settles its tiers; otherwise the next one would follow at once.

    Raises:
        BackupUnusable: It is not there any more, or not counted.
    """
    entries = {entry.file: entry for entry in world.inventory().entries}
    entry = entries.get(published.file)
    if entry is None or entry.state is not State.VERIFIED:
        reason = entry.reason if entry else "it is gone"
        raise BackupUnusable(
            f"{published.file} was published and does not count: {reason}",
            hint=f"Does something move backups away? Type: ls -la {world.directory.path}",
        )


def _back_up(  # what it works with, and what makes the backup what it is
    world: World,
    run: Run,
    session: Session,
    tiers: tuple[Tier, ...],
    trigger: Trigger,
    pin: Pin | None = None,
) -> Backup:
    began = time.monotonic()
    run.step("checking")
    database = find_database(world, session)
    ensure_space(world, database)
    prove_same_directory(world, session)
    plan = _plan(world, database.name, tiers, trigger, pin)
    log.emit(BACKUP_STARTED, database=plan.database, file=plan.file, tier=tiers, trigger=trigger)
    try:
        run.step("backing up", plan.file)
        writing = time.monotonic()
        _write(world, run, session, plan)
        backup = _describe(world, session, plan, time.monotonic() - writing)
    except ConnectionLost:
        # The server may still be writing: the next run looks before it removes anything.
        raise
    except BackupdError:
        with removing(plan.file):
            world.directory.remove_unfinished(plan.file)
        raise
    run.step("verifying", plan.file)
    proven = prove_or_remove(world, run, session, backup)
    total = replace(proven.duration_s, total=round(time.monotonic() - began, 3))
    return publish(world, replace(proven, duration_s=total))


def _plan(
    world: World, database: str, tiers: tuple[Tier, ...], trigger: Trigger, pin: Pin | None
) -> _Plan:
    started_at = world.now().replace(microsecond=0)
    return _Plan(
        file=world.directory.free_name(started_at.astimezone(world.zone)),
        database=database,
        tiers=tiers,
        trigger=trigger,
        started_at=started_at,
        pin=pin,
    )


def _write(world: World, run: Run, session: Session, plan: _Plan) -> None:
    """BACKUP DATABASE to the `.part`.

    The evidence of success is message 3014. Error 3009 comes when SQL Server could not
    note the backup in msdb: the backup itself is good, and header and proof decide.
    """
    try:
        seen = _run_backup(world, run, session, plan)
    except ServerRefused as error:
        if error.number != numbers.HISTORY_UNWRITTEN:
            session.raise_missing_right(plan.database, error)
            raise
        log.emit(BACKUP_HISTORY_UNWRITTEN, file=plan.file)
        return
    if numbers.BACKUP_DONE not in seen:
        # Driver 18 takes a connection that is cut between two messages for the end of the
        # results: no error anywhere, only the evidence is missing.
        raise ConnectionLost(
            f"the backup of {plan.database} failed: it ended without SQL Server's message 3014"
        )


def _run_backup(world: World, run: Run, session: Session, plan: _Plan) -> frozenset[int]:
    """Run the statement; wait for our own orphaned BACKUP to end (3023)."""
    for wait_s in _WAIT_FOR_ORPHAN_S:
        try:
            return _run_backup_once(world, run, session, plan)
        except AnotherBackupRuns:
            run.cancel.wait(wait_s)
            run.cancel.check()
    return _run_backup_once(world, run, session, plan)


def _run_backup_once(world: World, run: Run, session: Session, plan: _Plan) -> frozenset[int]:
    directory = world.directory
    statement = statements.backup_database(
        plan.database,
        directory.server_path_of(part_of(plan.file)),
        name=plan.file.removesuffix(".bak"),
        description=statements.describe(plan.tiers, plan.trigger, plan.started_at),
        compression=_compression(world, session),
    )

    def heard(message: Message) -> None:
        if message.percent is not None:
            size = directory.size_of(part_of(plan.file))
            run.progress(Progress("backing up", message.percent, size))

    with Activity(world.connect, session.facts.session_id) as activity:

        def pulse() -> Hashable:
            return directory.stamp_of(part_of(plan.file)), activity.pulse()

        return session.run(
            statement,
            f"the backup of {plan.database}",
            cancel=run.cancel,
            heard=heard,
            stall=Stall(world.settings.backup.stall_timeout_s, pulse),
        )


def _compression(world: World, session: Session) -> bool | None:
    """Whether to ask for COMPRESSION; None leaves it to the server (error 1844 on Express)."""
    match world.settings.backup.compression:
        case "on":
            return True
        case "off":
            return False
        case _:
            return True if session.facts.compresses else None


def _describe(world: World, session: Session, plan: _Plan, took_s: float) -> Backup:
    """Read the header of what was written, and write the manifest, not yet verified."""
    directory = world.directory
    size = directory.size_of(part_of(plan.file))
    if not size:
        raise DirectoriesDiffer(
            f"SQL Server wrote {directory.server_path_of(part_of(plan.file))}, and "
            f"{'nothing of it' if size is None else 'only an empty file'} is in {directory.path}",
            hint=f"Type: ls -la {directory.path}",
        )
    directory.ensure_readable(plan.file)
    path = directory.server_path_of(part_of(plan.file))
    rows = session.rows(statements.header_only(path), f"reading the header of {plan.file}")
    header = headers.the_only_set(rows, plan.file, plan.database)
    if not header.has_checksums:
        raise BackupUnusable(f"{plan.file} has no checksums, though they were asked for")
    files = session.rows(statements.file_list_only(path), f"reading the files of {plan.file}")
    backup = Backup(
        file=plan.file,
        database=header.database,
        tiers=plan.tiers,
        trigger=plan.trigger,
        started_at=plan.started_at,
        finished_at=world.now(),
        timezone=world.zone.key,
        size_bytes=size,
        sha256=None,
        verified=None,
        damaged=None,
        going=None,
        pin=plan.pin,
        server=session.facts.server,
        backup_set=header.backup_set,
        files=headers.read_files(files),
        duration_s=Durations(backup=round(took_s, 3)),
        writer=f"selfmx-backupd {__version__}",
    )
    directory.write_manifest(backup)
    return backup
