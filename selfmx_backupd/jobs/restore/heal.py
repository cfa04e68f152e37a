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
from selfmx_backupd.adapters.mssql import catalog
from selfmx_backupd.adapters.mssql import restore_statements as statements
from selfmx_backupd.adapters.mssql.catalog import Database
from selfmx_backupd.errors import (
    ApplicationFailed,
    BackupdError,
    GuardRefused,
    ServerNotReached,
)
from selfmx_backupd.events import RESTORE_HEALED
from selfmx_backupd.jobs.restore import application, copying, swap
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
# From here on something in service may have been touched.
_HARMED = frozenset({Step.SWAPPING, Step.OVERWRITING, Step.RETURNING, Step.STARTING})


def heal_what_is_open(world: World, run: Run) -> tuple[str, ...]:
    """Put an interrupted restore right before anything else; return what was done, in words.

    Raises:
        BackupdError: It could not be put right; the plan stays open.
    """
    if run.outcomes.has_unreadable_plan:
        raise GuardRefused(
            "state.json holds a restore that this version cannot read",
            hint="A newer version wrote it: upgrade selfmx-backupd, then type the command again.",
        )
    if run.plan is None or not run.plan.is_open:
        return ()
    with run.cancel.shielded():
        done = _heal(world, run, run.plan, session=None)
    log.emit(RESTORE_HEALED, reason="; ".join(done))
    return done


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
            return _heal(world, run, plan, session)
        except BackupdError as trouble:
            return (
                *_what_stands(world, plan),
                f"it could not be put right: {trouble.message}",
                *getattr(trouble, "__notes__", ()),
            )


def _heal(world: World, run: Run, plan: RestorePlan, session: Session | None) -> tuple[str, ...]:
    with _answering(world, plan, session) as server:
        found = _settled(server, plan)
        stray = restore.derived_name(
            plan.database, "stray", free_stamp(world, found, plan.database, "stray")
        )
        wanted = repair.repair(plan, [_as_found(each) for each in found], stray)
        _apply(world, run, server, plan, wanted)
        there = _open_again(server, plan)
    lines = [wanted.reason]
    if wanted.drop is not None:
        lines.append(f"the copy {wanted.drop} has been dropped again")
    if wanted.restores_safety:
        lines.append("a RESTORE switches TRUSTWORTHY and Service Broker off: switch on what was on")
    if plan.kind is Kind.IN_PLACE and wanted.serving is Serving.NEW:
        ours = world.settings.sqlserver.user
        lines.append(f"its users are the backup's: see by selfmx-backup that {ours} is among them")
    lines += _restart_application(world, plan, wanted)
    closed = _closed(world, plan, wanted, there)
    run.record(closed)
    return (*lines, *_kept_lines(closed))


def _apply(world: World, run: Run, session: Session, plan: RestorePlan, wanted: Repair) -> None:
    if wanted.stray is not None and len(wanted.renames) > 1:
        # In one statement: whatever made the stray would make another one in between.
        (live, stray), (back, _) = wanted.renames
        swap.swap(session, live, stray, back)
    else:
        for name, other in wanted.renames:
            swap.rename(session, name, other)
    if wanted.restores_safety:
        _restore_safety(world, run, session, plan)
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
    patience_s = _BACK_WITHIN_S if plan.step in _HARMED else 0.0
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


def _restart_application(world: World, plan: RestorePlan, wanted: Repair) -> list[str]:
    """Start what we stopped; but not where it would find no database, and make an empty one."""
    if plan.app_stopped and wanted.serving is Serving.NONE:
        return [f"the application stays stopped, because there is no {plan.database} for it"]
    return _start_again(world, plan)


def _start_again(world: World, plan: RestorePlan) -> list[str]:
    if not plan.app_stopped:
        return ["the application was not touched"]
    try:
        application.start(world.settings.application)
    except ApplicationFailed as error:
        return [f"the application does not start: {error.message}"]
    return ["the application has been started again"]


def _closed(
    world: World, plan: RestorePlan, wanted: Repair, there: tuple[Database, ...]
) -> RestorePlan:
    """The plan's end: done where the new database is in service, otherwise given up."""
    now = world.now()
    kept = repair.kept_after(plan, wanted, [each.name for each in there], now)
    step = Step.DONE if wanted.serving is Serving.NEW else Step.GIVEN_UP
    return replace(plan, step=step, ended_at=now, app_stopped=False, kept=kept)


def _names_of(plan: RestorePlan) -> set[str]:
    """What the databases of a plan may be called, in lower case."""
    return {plan.database.casefold(), plan.aside.casefold(), plan.incoming.casefold()}


def _as_found(database: Database) -> Found:
    return Found(
        database.name, database.state, database.user_access, frozenset(database.physical_names)
    )


def _what_stands(world: World, plan: RestorePlan) -> list[str]:
    """Where everything is, as far as the plan tells, while the server does not answer."""
    again = "once SQL Server answers, put it right with: selfmx-restore --undo"
    if plan.step not in _HARMED:
        lines = [f"{plan.database} has not been touched", *_start_again(world, plan)]
        if plan.kind in (Kind.BESIDE, Kind.COPY):
            lines.append(f"the unfinished copy {plan.incoming} may be left")
        return [*lines, again]
    lines = [f"{plan.database} may be called {plan.aside} now"]
    if plan.kind is Kind.IN_PLACE:
        lines = [f"what {plan.database} held before is in {plan.safety or 'no backup'}"]
    if plan.app_stopped:
        # Without its database it would make an empty one.
        lines.append("the application stays stopped")
    return [*lines, again]


def _kept_lines(plan: RestorePlan) -> tuple[str, ...]:
    if plan.safety is not None:
        return (f"the safety backup {plan.safety} holds what was there before",)
    return tuple(f"{each.name} is kept" for each in plan.kept)
