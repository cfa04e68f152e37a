"""RESTORE and CHECKDB: the two long statements of a restore."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from selfmx_backupd.adapters.mssql import numbers
from selfmx_backupd.adapters.mssql import restore_statements as statements
from selfmx_backupd.adapters.mssql.activity import Activity
from selfmx_backupd.adapters.mssql.watch import Stall
from selfmx_backupd.errors import BackupUnusable, ConnectionLost
from selfmx_backupd.jobs.restore.source import Source, naming_the_list
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Progress
from selfmx_backupd.policy.restore import Placement

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Message, Session

# Of what CHECKDB finds, rows above this level are errors; the summary is 10.
_INFORMATION = 10


def restore(
    world: World,
    run: Run,
    session: Session,
    source: Source,
    database: str,
    placements: tuple[Placement, ...],
    *,
    replace: bool = False,
) -> None:
    """RESTORE DATABASE; the evidence is message 3014.

    Raises:
        BackupdError: It failed; the target is in the state RESTORING, or was never made.
    """
    run.step("restoring", source.file)

    def heard(message: Message) -> None:
        if message.percent is not None:
            run.progress(Progress("restoring", message.percent))

    statement = statements.restore_database(
        database,
        world.directory.server_path_of(source.file),
        placements,
        replace=replace,
        checksum=source.header.has_checksums,
    )
    doing = f"the restore of {source.file} to {database}"
    with naming_the_list(), Activity(world.connect, session.facts.session_id) as activity:
        seen = session.run(
            statement,
            doing,
            cancel=run.cancel,
            heard=heard,
            stall=Stall(world.settings.backup.stall_timeout_s, activity.pulse),
        )
    if numbers.BACKUP_DONE not in seen:
        raise ConnectionLost(f"{doing} ended without SQL Server's message 3014")


def check(world: World, run: Run, session: Session, database: str, file: str) -> None:
    """DBCC CHECKDB: the pages of a restored database fit together.

    VERIFYONLY proves that the file is what was written; this proves that what was written
    is a database.

    Raises:
        BackupUnusable: They do not.
    """
    run.step("checking", database)
    found: list[str] = []

    def note(row: dict[str, object]) -> None:
        # The columns of TABLERESULTS are documented nowhere: what has no level is an error too.
        level = row.get("Level")
        if level is None or int(str(level)) > _INFORMATION:
            found.append(str(row.get("MessageText", row)))

    with Activity(world.connect, session.facts.session_id) as activity:
        session.run(
            statements.check_database(database),
            f"the check of {database}",
            cancel=run.cancel,
            heard=lambda _: None,
            stall=Stall(world.settings.backup.stall_timeout_s, _telling(run, activity)),
            found=note,
        )
    if found:
        raise BackupUnusable(
            f"DBCC CHECKDB finds {len(found)} errors in what {file} holds, the first: {found[0]}",
            hint="Take an older backup. To look at this one all the same: "
            f"selfmx-restore --as {world.database}_damaged {file}",
        )


def _telling(run: Run, activity: Activity) -> Callable[[], Hashable | None]:
    """CHECKDB says nothing while it works: what the watch sees is its only progress."""

    def pulse() -> Hashable | None:
        seen = activity.pulse()
        if activity.percent is not None:
            run.progress(Progress("checking", activity.percent))
        return seen

    return pulse
