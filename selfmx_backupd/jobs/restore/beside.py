"""The usual restore: a copy beside the live database, checked, and then the two swapped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.events import RESTORE_DONE
from selfmx_backupd.jobs.restore import copying, steps, swap
from selfmx_backupd.jobs.restore.adapt import adapt
from selfmx_backupd.jobs.restore.heal import putting_right
from selfmx_backupd.jobs.restore.report import Notes, Report
from selfmx_backupd.jobs.restore.survey import Survey
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.restoration import Kept, Step

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


def restore_beside(
    world: World, run: Run, session: Session, survey: Survey, notes: Notes
) -> Report:
    """Restore beside, check, swap; the old database stays, whole.

    Args:
        world: What it works with; its sessions are of the login that backs up.
        run: Whom to tell, and where the plan is written.
        session: Of the login that restores.
        survey: Made under the lock.
        notes: What is collected on the way.

    Raises:
        BackupdError: Nothing in service has changed, or the notes on it say what has.
    """
    steps.begin(world, run, session, survey, notes)
    with putting_right(world, run, session):
        _make_copy(world, run, session, survey, notes)
        steps.stop_application(world, run)
        with run.cancel.shielded(), notes.timing("swap"):
            _put_in_service(world, run, session, survey)
        became = steps.start_application(world, run, notes)
    plan = steps.close(world, run)
    old = plan.kept[-1].name if survey.live and survey.live.is_online else "gone"
    log.emit(RESTORE_DONE, database=survey.database, file=survey.source.file, kept=old)
    return steps.report_of(survey, plan, notes, became)


def _make_copy(world: World, run: Run, session: Session, survey: Survey, notes: Notes) -> None:
    """The copy is there, sound, and has what the live database has."""
    restoring = world.for_restoring()
    file, name = survey.source.file, survey.incoming
    with notes.timing("restore"):
        copying.restore(restoring, run, session, survey.source, name, survey.placements)
    with notes.timing("check"):
        copying.check(restoring, run, session, name, file)
    adapt(world, run, session, survey.live, steps.restored(session, name), notes)


def _put_in_service(world: World, run: Run, session: Session, survey: Survey) -> None:
    """From here on there is no going back half way."""
    run.step("swapping")
    plan = replace(steps.open_plan(run), step=Step.SWAPPING)
    run.record(plan)
    live = survey.live
    kept = plan.kept
    if live is not None and live.is_online:
        swap.swap(session, live.name, survey.aside, survey.incoming)
        gone = Kept(
            name=survey.aside, since=world.now(), because=survey.source.file, is_way_back=True
        )
        kept = (*kept, gone)
    else:
        if live is not None:
            swap.put_away(session, live.name, live.state)
        swap.rename(session, survey.incoming, survey.database)
    steps.ensure_in_service(session, plan)
    run.record(replace(plan, step=Step.STARTING, kept=kept))
