"""A copy of a backup under a name of its own: nothing in service is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmx_backupd.errors import BackupUnusable
from selfmx_backupd.jobs.restore import copying, steps
from selfmx_backupd.jobs.restore.heal import putting_right
from selfmx_backupd.jobs.restore.report import Notes, Report
from selfmx_backupd.jobs.restore.survey import Survey
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


def restore_copy(world: World, run: Run, session: Session, survey: Survey, notes: Notes) -> Report:
    """Restore to a new database, to look at it.

    What CHECKDB finds is told and the copy stays: this is how one looks at a backup that is
    not whole.

    Raises:
        BackupdError: There is no copy.
    """
    restoring = world.for_restoring()
    source, name = survey.source, survey.database
    steps.begin(world, run, session, survey, notes)
    with putting_right(world, run, session):
        with notes.timing("restore"):
            copying.restore(restoring, run, session, source, name, survey.placements)
        with notes.timing("check"):
            _check(restoring, run, session, survey, notes)
    return steps.report_of(survey, steps.close(world, run), notes, "it was not touched")


def _check(world: World, run: Run, session: Session, survey: Survey, notes: Notes) -> None:
    try:
        copying.check(world, run, session, survey.database, survey.source.file)
    except BackupUnusable as error:
        notes.attention.append(error.message)
