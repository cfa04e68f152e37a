"""Over the live database, for disks that cannot hold both: a safety backup comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.errors import BackupUnusable, Cancelled, Stalled
from selfmx_backupd.events import RESTORE_DONE
from selfmx_backupd.jobs.backup import back_up_before_restore
from selfmx_backupd.jobs.restore import copying, steps, swap
from selfmx_backupd.jobs.restore.adapt import adapt
from selfmx_backupd.jobs.restore.heal import putting_right
from selfmx_backupd.jobs.restore.report import Notes, Report
from selfmx_backupd.jobs.restore.survey import Survey
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.restoration import Step

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


def restore_in_place(
    world: World, run: Run, session: Session, survey: Survey, notes: Notes
) -> Report:
    """Overwrite the live database; where that fails, the safety backup comes back.

    The application is stopped before the safety backup, so that this holds everything.

    Raises:
        BackupdError: The notes on it say what is in service.
    """
    steps.begin(world, run, session, survey, notes)
    with putting_right(world, run, session):
        steps.stop_application(world, run)
        with notes.timing("safety backup"):
            _save(world, run, survey)
        with notes.timing("restore"):
            _overwrite(world, run, session, survey)
        _look_at_it(world, run, session, survey, notes)
        became = steps.start_application(world, run, notes)
    plan = steps.close(world, run)
    kept = f"in {plan.safety}" if plan.safety else "gone"
    log.emit(RESTORE_DONE, database=survey.database, file=survey.source.file, kept=kept)
    return steps.report_of(survey, plan, notes, became)


def _save(world: World, run: Run, survey: Survey) -> None:
    """Back up what is there; a database that is RESTORING holds nothing that could be."""
    plan = replace(steps.open_plan(run), step=Step.SAVING)
    run.record(plan)
    if survey.live is not None and survey.live.is_online:
        safety = back_up_before_restore(world, run)
        run.record(replace(plan, safety=safety.file))


def _overwrite(world: World, run: Run, session: Session, survey: Survey) -> None:
    """RESTORE … REPLACE, in the session that holds the only place.

    Written down between the two: a database that is single-user then has not been
    overwritten yet.
    """
    live = survey.live
    if live is not None and live.is_online:
        swap.make_single_user(session, live.name)
    run.record(replace(steps.open_plan(run), step=Step.OVERWRITING))
    copying.restore(
        world.for_restoring(),
        run,
        session,
        survey.source,
        survey.database,
        survey.placements,
        replace=True,
    )
    with run.cancel.shielded():
        plan = steps.open_plan(run)
        # What earlier restores kept is older than what the safety backup holds: no way back.
        kept = tuple(replace(each, is_way_back=False) for each in plan.kept)
        run.record(replace(plan, step=Step.STARTING, kept=kept))
        swap.make_multi_user(session, survey.database)


def _look_at_it(world: World, run: Run, session: Session, survey: Survey, notes: Notes) -> None:
    """It is in service already: what is found now is told, and a person decides."""
    restoring, name = world.for_restoring(), survey.database
    with notes.timing("check"):
        try:
            copying.check(restoring, run, session, name, survey.source.file)
        except BackupUnusable as error:
            notes.attention.append(error.message)
        except (Cancelled, Stalled) as error:
            notes.attention.append(f"{name} was not checked to the end: {error.message}")
    with run.cancel.shielded():
        adapt(world, run, session, survey.live, steps.restored(session, name), notes)
