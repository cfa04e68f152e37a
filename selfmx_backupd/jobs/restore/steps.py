"""The steps that every way of restoring takes: each writes the plan before it acts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.adapters.mssql import catalog
from selfmx_backupd.adapters.mssql.catalog import Database
from selfmx_backupd.errors import ServerRefused
from selfmx_backupd.events import RESTORE_STARTED
from selfmx_backupd.jobs.restore import application
from selfmx_backupd.jobs.restore.report import Notes, Report
from selfmx_backupd.jobs.restore.source import prove_source
from selfmx_backupd.jobs.restore.survey import Survey
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.restoration import Kind, RestorePlan, Step

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


def begin(world: World, run: Run, session: Session, survey: Survey, notes: Notes) -> None:
    """Prove the backup, and write down what is intended."""
    file = survey.source.file
    with notes.timing("proof"):
        run.step("proving", file)
        prove_source(world.for_restoring(), run, session, survey.source)
    run.record(_plan_of(world, run, survey))
    log.emit(RESTORE_STARTED, file=file, database=survey.database, kind=survey.kind)


def _plan_of(world: World, run: Run, survey: Survey) -> RestorePlan:
    """What is intended, before anything is done."""
    live = survey.live
    return RestorePlan(
        kind=survey.kind,
        file=survey.source.file,
        database=survey.service_name,
        incoming=survey.incoming,
        aside=survey.aside,
        step=Step.COPYING,
        started_at=world.now(),
        live_state=live.state if live else None,
        live_files=live.physical_names if live else (),
        incoming_files=tuple(each.physical_name for each in survey.placements),
        kept=run.plan.kept if run.plan else (),
    )


def open_plan(run: Run) -> RestorePlan:
    """The plan that is being carried out."""
    plan = run.plan
    assert plan is not None  # noqa: S101  # it was recorded first of all
    return plan


def restored(session: Session, name: str) -> Database:
    """The database that a RESTORE has made.

    Raises:
        ServerRefused: There is none.
    """
    found = catalog.find(catalog.databases(session), name)
    if found is None:
        raise ServerRefused(f"{name} was restored, and SQL Server does not list it")
    return found


def stop_application(world: World, run: Run) -> None:
    """Stop it; written down before, so that whoever ends this knows to start it again."""
    run.step("stopping the application")
    plan = open_plan(run)
    run.record(replace(plan, step=Step.STOPPING, app_stopped=True))
    if not application.stop(world.settings.application):
        run.record(replace(plan, step=Step.STOPPING, app_stopped=False))
    run.cancel.check()


def ensure_in_service(session: Session, plan: RestorePlan) -> None:
    """Read back what is true.

    Raises:
        ServerRefused: Another database than the intended one has the name.
    """
    serving = catalog.find(catalog.databases(session), plan.database)
    if serving is None or not set(serving.physical_names) & set(plan.incoming_files):
        raise ServerRefused(f"{plan.database} is not the database that it should be after the swap")


def start_application(world: World, run: Run, notes: Notes) -> str:
    """Start what was stopped and wait for its health; say what became of it."""
    plan = open_plan(run)
    if not plan.app_stopped:
        return "there is none on this host, or none that we may stop"
    with run.cancel.shielded():
        run.step("starting the application")
    with notes.timing("application"):
        became, trouble = application.bring_back(
            world.settings.application, run.cancel, plan.database
        )
    notes.attention += trouble
    return became


def close(world: World, run: Run) -> RestorePlan:
    """The plan has been carried out; it stays, because it knows what was kept."""
    plan = replace(open_plan(run), step=Step.DONE, ended_at=world.now(), app_stopped=False)
    run.record(plan)
    return plan


def report_of(survey: Survey, plan: RestorePlan, notes: Notes, became: str) -> Report:
    """What came of it."""
    live = survey.live
    is_left = live is not None and not live.is_online and plan.kind is Kind.BESIDE
    return Report(
        kind=plan.kind,
        file=survey.source.file,
        taken_at=survey.source.taken_at,
        database=survey.database,
        healed=notes.healed,
        steps=notes.steps,
        kept=plan.kept,
        files_left=live.physical_names if live and is_left else (),
        safety=plan.safety,
        application=became,
        attention=(*survey.remarks, *notes.attention),
    )
