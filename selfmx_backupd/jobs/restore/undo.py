"""The way back: the swap of the last restore, the other way; and the end of what was kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.adapters.mssql import catalog
from selfmx_backupd.adapters.mssql.catalog import Database
from selfmx_backupd.errors import DatabaseUnavailable, UsageError
from selfmx_backupd.events import OLD_DROPPED, RESTORE_UNDONE
from selfmx_backupd.jobs.restore import application, steps, swap
from selfmx_backupd.jobs.restore.heal import putting_right
from selfmx_backupd.jobs.restore.report import Notes, Report
from selfmx_backupd.jobs.restore.survey import ensure_rights, free_stamp
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import restore
from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


@dataclass(frozen=True, slots=True)
class WayBack:
    """What an undo would do: `old` comes back, and what is in service is called `aside`."""

    kept: Kept
    old: Database
    live: Database | None
    aside: str


def look_back(world: World, session: Session, plan: RestorePlan | None) -> WayBack:
    """Find the database that was in service before the last restore.

    Raises:
        UsageError: There is nothing to undo.
        DatabaseUnavailable: What should come back is not there, or not ONLINE.
    """
    if plan is not None and plan.kind is Kind.IN_PLACE and plan.step is Step.DONE and plan.safety:
        raise UsageError(
            f"the last restore was in place, and {plan.safety} holds what was there before",
            hint=f"Type: selfmx-restore --in-place {plan.safety}",
        )
    if plan is None or plan.way_back is None:
        raise UsageError("there is no restore to undo", hint="The list: selfmx-restore")
    found = catalog.databases(session)
    live, old = catalog.find(found, world.database), catalog.find(found, plan.way_back.name)
    if old is None or not old.is_online:
        state = "is not there any more" if old is None else f"is {old.state}"
        raise DatabaseUnavailable(
            f"{plan.way_back.name}, which the last restore kept, {state}",
            hint="Restore a backup instead. The list: selfmx-restore",
        )
    if live is not None and (live.bound_by or not live.is_online):
        raise DatabaseUnavailable(
            f"{live.name} cannot be renamed: {live.bound_by or f'it is {live.state}'}",
            hint="SQL Server's log tells why: docker logs --tail 50 selfmx-sqlserver",
        )
    ensure_rights(catalog.rights(session, world.database), Kind.UNDO, live)
    application.ensure_commands(world.settings.application)
    stamp = free_stamp(world, found, world.database, "undone")
    aside = restore.derived_name(world.database, "undone", stamp)
    return WayBack(plan.way_back, old, live, aside)


def undo(world: World, run: Run, session: Session, back: WayBack, notes: Notes) -> Report:
    """Swap back; what was restored stays too, under a name of its own.

    Raises:
        BackupdError: The notes on it say what is in service.
    """
    run.record(_plan(world, run, back))
    with putting_right(world, run, session):
        steps.stop_application(world, run)
        with run.cancel.shielded(), notes.timing("swap"):
            _put_back(world, run, session, back)
        became = steps.start_application(world, run, notes)
    plan = steps.close(world, run)
    log.emit(RESTORE_UNDONE, database=plan.database, kept=plan.kept[-1].name)
    return Report(
        kind=Kind.UNDO,
        database=plan.database,
        healed=notes.healed,
        steps=notes.steps,
        kept=plan.kept,
        application=became,
        attention=notes.attention,
    )


def _plan(world: World, run: Run, back: WayBack) -> RestorePlan:
    live = back.live
    return RestorePlan(
        kind=Kind.UNDO,
        file=None,
        database=live.name if live else world.database,
        incoming=back.old.name,
        aside=back.aside,
        step=Step.COPYING,
        started_at=world.now(),
        live_state=live.state if live else None,
        live_files=live.physical_names if live else (),
        incoming_files=back.old.physical_names,
        kept=run.plan.kept if run.plan else (),
    )


def _put_back(world: World, run: Run, session: Session, back: WayBack) -> None:
    run.step("swapping")
    plan = replace(steps.open_plan(run), step=Step.SWAPPING)
    run.record(plan)
    kept = [each for each in plan.kept if each.name != back.old.name]
    if back.live is not None:
        swap.swap(session, back.live.name, back.aside, back.old.name)
        kept.append(Kept(name=back.aside, since=world.now(), because=None, is_way_back=False))
    else:
        swap.rename(session, back.old.name, plan.database)
    steps.ensure_in_service(session, plan)
    run.record(replace(plan, step=Step.STARTING, kept=tuple(kept)))


def drop_kept(world: World, run: Run, session: Session) -> tuple[str, ...]:
    """Drop every database that restores have left behind; return their names.

    Only those that the plan names: a database that somebody else called alike is theirs.
    """
    plan = run.plan
    gone = []
    while plan is not None and plan.kept:
        each = plan.kept[0]
        run.step("dropping", each.name)
        there = catalog.find(catalog.databases(session), each.name)
        if there is not None and each.name.casefold() != world.database.casefold():
            swap.drop(session, each.name)
            log.emit(OLD_DROPPED, name=each.name)
            gone.append(each.name)
        plan = replace(plan, kept=plan.kept[1:])
        run.record(plan)
    return tuple(gone)
