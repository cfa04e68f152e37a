"""What `selfmx-restore` does under the lock: heal first, look again, then act."""

from __future__ import annotations

from selfmx_backupd.errors import DatabaseUnavailable, GuardRefused
from selfmx_backupd.jobs.restore.aftermath import Healed, is_well
from selfmx_backupd.jobs.restore.beside import restore_beside
from selfmx_backupd.jobs.restore.copy_only import restore_copy
from selfmx_backupd.jobs.restore.heal import heal_what_is_open
from selfmx_backupd.jobs.restore.in_place import restore_in_place
from selfmx_backupd.jobs.restore.report import Notes, Report
from selfmx_backupd.jobs.restore.survey import Survey, Wanted, look
from selfmx_backupd.jobs.restore.undo import drop_kept, look_back, undo
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy.repair import Serving
from selfmx_backupd.restoration import Kind, RestorePlan, Step


def restore(world: World, run: Run, wanted: Wanted, agreed_state: str | None) -> Report:
    """Restore a backup.

    Args:
        world: What it works with.
        run: Whom to tell.
        wanted: What was asked for.
        agreed_state: The state of the live database that the person knew who consented.
    """
    run.step("connecting")
    healed = heal_what_is_open(world, run)
    notes = Notes(healed=list(healed.told) if healed else [])
    with world.for_restoring().session() as session:
        survey = look(world, session, wanted)
        _ensure_as_agreed(survey, agreed_state)
        if survey.kind is Kind.COPY:
            return restore_copy(world, run, session, survey, notes)
        if survey.kind is Kind.IN_PLACE:
            return restore_in_place(world, run, session, survey, notes)
        return restore_beside(world, run, session, survey, notes)


def go_back(world: World, run: Run) -> Report:
    """Have the database that was in service before the last restore, finished or not.

    Raises:
        DatabaseUnavailable: It cannot be had, and the notes say what there is.
    """
    run.step("connecting")
    healed = heal_what_is_open(world, run)
    if healed is not None and run.plan is not None:
        _ensure_known(healed, run.plan)
        if _is_back(run.plan):
            return _report_of(healed, run.plan)
    notes = Notes(healed=list(healed.told) if healed else [])
    with world.for_restoring().session() as session:
        back = look_back(world, session, run.plan)
        return undo(world, run, session, back, notes)


def _ensure_known(healed: Healed, plan: RestorePlan) -> None:
    """What is in service is a database that we know, or there never was one."""
    if healed.is_settled:
        return
    reason, *more = healed.told
    error = DatabaseUnavailable(
        f"{plan.database} could not be brought back: {reason}",
        hint="Restore a backup in its place. The list: selfmx-restore",
    )
    for line in more:
        error.add_note(line)
    raise error


def _is_back(plan: RestorePlan) -> bool:
    """Whether healing has done all that an undo wants: it goes back one restore, not two."""
    return plan.step is (Step.DONE if plan.kind is Kind.UNDO else Step.GIVEN_UP)


def _report_of(healed: Healed, plan: RestorePlan) -> Report:
    # The end of a copy is no way back: nothing in service had been touched.
    is_back = plan.kind is not Kind.COPY and healed.serving in (Serving.OLD, Serving.NEW)
    troubles = [] if is_well(healed.application) else [f"the application {healed.application}"]
    return Report(
        kind=Kind.UNDO if is_back else Kind.COPY,
        database=plan.database,
        kept=plan.kept,
        healed=healed.lines,
        application=f"it {healed.application}",
        attention=(*troubles, *healed.attention),
    )


def clean_up(world: World, run: Run) -> tuple[str, ...]:
    """Drop what restores have kept; return what was done, in words.

    Raises:
        DatabaseUnavailable: What is in service is not ours: what is kept may be all there is.
    """
    run.step("connecting")
    healed = heal_what_is_open(world, run)
    if healed is not None and run.plan is not None:
        _ensure_known(healed, run.plan)
    with world.for_restoring().session() as session:
        gone = drop_kept(world, run, session)
    told = healed.told if healed else ()
    return (*(f"put right: {line}" for line in told), *(f"dropped {name}" for name in gone))


def _ensure_as_agreed(survey: Survey, agreed_state: str | None) -> None:
    """A database that has to be dropped was known to be in its state by whoever consented."""
    live = survey.live
    if survey.kind is Kind.COPY or live is None or live.is_online:
        return
    if live.state != agreed_state:
        raise GuardRefused(
            f"{live.name} is {live.state}, and was not when you were asked",
            hint="Type the command again, and read what becomes of it.",
        )
