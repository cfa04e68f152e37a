"""What an interrupted or failed restore wants, so that a database is in service again.

The plan says what was intended, the server what there is; `policy/repair.py` decides.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.adapters.mssql import catalog, numbers
from selfmx_backupd.adapters.mssql import restore_statements as statements
from selfmx_backupd.adapters.mssql.catalog import Database
from selfmx_backupd.errors import BackupdError, GuardRefused, ServerNotReached, ServerRefused
from selfmx_backupd.events import RESTORE_HEALED
from selfmx_backupd.jobs.restore import aftermath, copying, swap
from selfmx_backupd.jobs.restore.adapt import let_in
from selfmx_backupd.jobs.restore.aftermath import HARMED, Healed
from selfmx_backupd.jobs.restore.report import Notes
from selfmx_backupd.jobs.restore.source import read_source
from selfmx_backupd.jobs.restore.survey import free_stamp
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import repair, restore
from selfmx_backupd.policy.repair import Found, Repair, Serving
from selfmx_backupd.restoration import Kind, RestorePlan, Step

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

# A container that is restarted, and databases that recover, are there again within this.
_BACK_WITHIN_S = 30.0
_LOOK_EVERY_S = 1.0


def heal_what_is_open(world: World, run: Run) -> Healed | None:
    """Put an interrupted restore right before anything else; None where none is open.

    A plan whose database is still not in service afterwards stays open.

    Raises:
        BackupdError: It could not be put right; the plan stays open.
    """
    if run.outcomes.has_unreadable_plan:
        raise GuardRefused(
            "state.json holds a restore that this version cannot read",
            hint="A newer version wrote it: upgrade selfmx-backupd, then type the command again.",
        )
    if run.plan is None or not run.plan.is_open:
        return None
    with run.cancel.shielded():
        healed = _heal(world, run, run.plan, session=None)
    if healed.is_settled:
        log.emit(RESTORE_HEALED, reason="; ".join(healed.told))
    return healed


@contextmanager
def putting_right(world: World, run: Run, session: Session) -> Iterator[None]:
    """Put right what a failure in here leaves, and note on it what is true now.

    The failure stays what it is; its exit code and hint are the first cause's.
    """
    try:
        yield
    except Exception as error:
        for note in _after_failure(world, run, session):
            error.add_note(note)
        raise


def _after_failure(world: World, run: Run, session: Session) -> Sequence[str]:
    plan = run.plan
    if plan is None or not plan.is_open:
        return ()
    with run.cancel.shielded():
        try:
            return _heal(world, run, plan, session).told
        except BackupdError as trouble:
            return (
                *aftermath.what_stands(world, plan),
                f"it could not be put right: {trouble.message}",
                *getattr(trouble, "__notes__", ()),
            )


def _heal(world: World, run: Run, plan: RestorePlan, session: Session | None) -> Healed:
    with _answering(world.for_restoring(), plan, session) as server:
        wanted, plan = _decide_and_act(world, run, server, plan)
        there = _open_again(server, plan)
        notes = Notes()
        if plan.kind is Kind.IN_PLACE and wanted.serving is Serving.NEW:
            # Its users are the backup's, and perhaps had not been mapped yet.
            let_in(world, server, plan.database, notes)
    lines = [wanted.reason]
    if wanted.drop is not None:
        lines.append(f"the copy {wanted.drop} has been dropped again")
    if wanted.restores_safety:
        lines.append("a RESTORE switches TRUSTWORTHY and Service Broker off: switch on what was on")
    became = aftermath.restart_application(world, plan, wanted.serving)
    ended = _ended(world, plan, wanted, there, app_stopped=became.startswith("stays"))
    run.record(ended)
    lines += aftermath.kept_lines(ended)
    return Healed(
        tuple(lines),
        wanted.serving,
        became,
        is_settled=not ended.is_open,
        attention=tuple(notes.attention),
    )


def _decide_and_act(
    world: World, run: Run, session: Session, plan: RestorePlan
) -> tuple[Repair, RestorePlan]:
    """Look and act; and look again where a name was taken in between.

    Returns:
        What was done, and the plan with what was moved aside.
    """
    wanted, plan = _decide(world, run, session, plan)
    try:
        _apply(world, run, session, plan, wanted)
    except ServerRefused as error:
        # A THROW says only the last of several errors again, and that is 5069.
        if error.number not in (numbers.NAME_TAKEN, numbers.ALTER_FAILED):
            raise
        wanted, plan = _decide(world, run, session, plan)
        _apply(world, run, session, plan, wanted)
    return wanted, plan


def _decide(
    world: World, run: Run, session: Session, plan: RestorePlan
) -> tuple[Repair, RestorePlan]:
    found = _settled(session, plan)
    stamp = free_stamp(world, found, plan.database, "stray")
    stray = restore.derived_name(plan.database, "stray", stamp)
    wanted = repair.repair(plan, [_as_found(each) for each in found], stray)
    minded = repair.with_stray(plan, wanted, world.now())
    if minded != plan:
        run.record(minded)
    return wanted, minded


def _apply(world: World, run: Run, session: Session, plan: RestorePlan, wanted: Repair) -> None:
    if wanted.stray is not None and len(wanted.renames) > 1:
        # In one statement: whatever made the stray would make another one in between.
        (live, stray), (back, _) = wanted.renames
        swap.swap(session, live, stray, back)
    else:
        for name, other in wanted.renames:
            swap.rename(session, name, other)
    if wanted.restores_safety:
        _restore_safety(world.for_restoring(), run, session, plan)
    if wanted.drop is not None:
        swap.drop(session, wanted.drop)


def _restore_safety(world: World, run: Run, session: Session, plan: RestorePlan) -> None:
    """Bring back what a restore in place was overwriting, from the backup taken just before.

    Raises:
        BackupdError: It failed too; the note has the statement to type.
    """
    file = str(plan.safety)
    source = read_source(world, session, file)
    home = restore.place_back(source.files)

    def act() -> None:
        copying.restore(world, run, session, source, plan.database, home, replace=True)

    run.record(replace(plan, step=Step.RETURNING))
    try:
        # What a killed process left running may still hold the database.
        swap.insist(session, (plan.database,), act)
    except BackupdError as error:
        path = world.directory.server_path_of(file)
        sql = statements.restore_database(plan.database, path, home, replace=True)
        error.add_note(f"{plan.database} is not usable; type in SQL Server: {sql}")
        raise


@contextmanager
def _answering(world: World, plan: RestorePlan, session: Session | None) -> Iterator[Session]:
    """The session at hand where it still answers; otherwise a new one."""
    if session is not None and _answers(session):
        yield session
        return
    # Where something in service may have been touched, a restarting server is waited for.
    patience_s = _BACK_WITHIN_S if plan.step in HARMED else 0.0
    with _connected(world, time.monotonic() + patience_s) as fresh:
        yield fresh


def _answers(session: Session) -> bool:
    try:
        catalog.databases(session)
    except BackupdError:
        return False
    return True


def _connected(world: World, deadline: float) -> Session:
    while True:
        try:
            return world.connect()
        except ServerNotReached:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_EVERY_S)


def _settled(session: Session, plan: RestorePlan) -> tuple[Database, ...]:
    """The databases, once none of those that matter is still coming up."""
    deadline = time.monotonic() + _BACK_WITHIN_S
    ours = _names_of(plan)
    while True:
        found = catalog.databases(session)
        rising = [it for it in found if it.state == "RECOVERING" and it.name.casefold() in ours]
        if not rising or time.monotonic() > deadline:
            return found
        time.sleep(_LOOK_EVERY_S)


def _open_again(session: Session, plan: RestorePlan) -> tuple[Database, ...]:
    """A database that an interrupted swap left single-user lets everybody in again.

    Returns:
        Every database of the server.
    """
    names = _names_of(plan)
    found = catalog.databases(session)
    for each in found:
        closed = each.is_online and each.user_access == "SINGLE_USER"
        if closed and plan.kind is not Kind.COPY and each.name.casefold() in names:
            swap.make_multi_user(session, each.name)
    return found


def _ended(
    world: World,
    plan: RestorePlan,
    wanted: Repair,
    there: tuple[Database, ...],
    *,
    app_stopped: bool,
) -> RestorePlan:
    """The plan's end: done where the new database is in service, otherwise given up.

    While what is in service is neither, it has no end: STATUS goes on saying so.
    """
    now = world.now()
    kept = repair.kept_after(plan, [_as_found(each) for each in there], now)
    if not repair.is_settled(plan, wanted):
        return replace(plan, app_stopped=app_stopped, kept=kept)
    step = Step.DONE if wanted.serving is Serving.NEW else Step.GIVEN_UP
    return replace(plan, step=step, ended_at=now, app_stopped=False, kept=kept)


def _names_of(plan: RestorePlan) -> set[str]:
    """What the databases of a plan may be called, in lower case."""
    return {plan.database.casefold(), plan.aside.casefold(), plan.incoming.casefold()}


def _as_found(database: Database) -> Found:
    return Found(
        database.name, database.state, database.user_access, frozenset(database.physical_names)
    )
