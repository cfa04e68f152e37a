"""The frame round every job: lock, mark, body, outcome, event. Recipes never lock."""

import os
import secrets
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

import structlog

from selfmx_backupd import events, log
from selfmx_backupd.adapters import lock
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import (
    AttentionNeeded,
    BackupdError,
    Busy,
    Cancelled,
    DirectoryUnusable,
    RunDied,
)
from selfmx_backupd.event import Event
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Progress
from selfmx_backupd.outcomes import Failure, Job, Outcome, Outcomes, RunMark
from selfmx_backupd.policy import urgency
from selfmx_backupd.restoration import RestorePlan

_Result = TypeVar("_Result")

_FAILED = {
    Job.BACKUP: events.BACKUP_FAILED,
    Job.SWEEP: events.SWEEP_FAILED,
    Job.VERIFY: events.VERIFY_FAILED,
    Job.RESTORE: events.RESTORE_FAILED,
}


class Run:
    """One execution of a recipe: how it is stopped, and whom it tells how far it is."""

    def __init__(
        self,
        world: World,
        outcomes: Outcomes,
        cancel: Cancel,
        progress: Callable[[Progress], None],
    ) -> None:
        self._world = world
        self._outcomes = outcomes
        self.cancel = cancel
        self.progress = progress

    def step(self, step: str, file: str = "") -> None:
        """Begin a step: a place where a signal is heard, and a crash is remembered."""
        self.cancel.check()
        mark = self._outcomes.running
        if mark is not None:
            now_doing = replace(mark, step=f"{step} {file}".rstrip())
            self._outcomes = replace(self._outcomes, running=now_doing)
            _remember(self._world, self._outcomes)
        self.progress(Progress(step))

    @property
    def plan(self) -> RestorePlan | None:
        """The plan of the last restore, which may have been interrupted."""
        return self._outcomes.restore

    def record(self, plan: RestorePlan) -> None:
        """Write a restore's plan down, before what it names is done.

        Raises:
            DirectoryUnusable: It cannot be written; then what it names must not be done.
        """
        outcomes = replace(self._outcomes, restore=plan)
        self._world.state.write(outcomes)
        self._outcomes = outcomes

    @property
    def outcomes(self) -> Outcomes:
        """What is to be remembered of everything but this run."""
        return replace(self._outcomes, running=None)


def run_job(
    world: World,
    job: Job,
    what: str,
    body: Callable[[Run], _Result],
    *,
    cancel: Cancel,
    progress: Callable[[Progress], None],
    is_retried: bool = False,
) -> _Result:
    """Run a recipe in its frame.

    A failure is reported before it is remembered, and memory is as good as can be: a state
    directory that cannot be written must stop neither a backup nor its report.

    Args:
        world: What it works with.
        job: Under which name its outcome is remembered.
        what: What it is, for whoever finds the lock taken: "manual backup".
        body: The recipe.
        cancel: Ends it early.
        progress: Told how far it is.
        is_retried: Whoever calls will try again by himself after a failure.

    Raises:
        Busy: Another job holds the lock; nothing has been done, reported or remembered.
        BackupdError: What the recipe raised, or the lock, after it has been reported.
    """
    with ExitStack() as held:
        try:
            held.enter_context(lock.hold(world.directory.lock_path, what, world.now()))
        except DirectoryUnusable as error:
            _report(_FAILED[job], error)
            raise
        pauses = len(world.settings.schedule.retry_after_s)
        outcomes = _bury_the_dead(world.state.recall(), world.now(), pauses)
        mark = RunMark(
            job=job,
            run_id=secrets.token_hex(4),
            started_at=world.now(),
            pid=os.getpid(),
            step="beginning",
            detail=what,
        )
        marked = replace(outcomes, running=mark)
        _remember(world, marked)
        with structlog.contextvars.bound_contextvars(run_id=mark.run_id, job=job):
            run = Run(world, marked, cancel, progress)
            try:
                result = body(run)
            except Exception as error:
                patience = pauses if is_retried else 0
                _remember(world, _after_failure(run.outcomes, mark, world.now(), error, patience))
                raise
        _remember(world, _after_success(run.outcomes, mark, world.now()))
        return result


def under_lock(world: World, what: str, body: Callable[[], _Result]) -> _Result:
    """Do something short under the lock, which is no job: nobody needs to remember how it ended.

    Args:
        world: What it works with.
        what: What it is, for whoever finds the lock taken: "pin".
        body: What it does.

    Raises:
        Busy: A job holds the lock; nothing has been done.
    """
    with lock.hold(world.directory.lock_path, what, world.now()):
        return body()


def settle_the_dead(world: World) -> None:
    """Count a run that died with its process, before anybody asks how retries are paced.

    Where another job holds the lock, the mark is its own, and it lives.
    """
    try:
        with lock.hold(world.directory.lock_path, "look at the last run", world.now()):
            outcomes = world.state.recall()
            if outcomes.running is not None:
                pauses = len(world.settings.schedule.retry_after_s)
                _remember(world, _bury_the_dead(outcomes, world.now(), pauses))
    except (Busy, DirectoryUnusable):
        # The next job meets the same, and reports it.
        return


def _bury_the_dead(outcomes: Outcomes, now: datetime, pauses: int) -> Outcomes:
    """Count a run whose mark is still there although we hold its lock: it died.

    Without this a crash loop would look like silence.
    """
    mark = outcomes.running
    if mark is None:
        return outcomes
    log.emit(
        events.RUN_INTERRUPTED,
        what=mark.detail,
        started_at=mark.started_at.isoformat(timespec="seconds"),
        step=mark.step,
    )
    error = RunDied(f"the {mark.detail} died with its process while {mark.step}")
    failed = _failed(outcomes.of(mark.job), mark.started_at, now, error)
    patience = 0 if mark.job is Job.RESTORE else pauses
    if _needs_a_person(error, failed, patience):
        _report(_FAILED[mark.job], error)
    return replace(_with(outcomes, mark.job, failed), running=None)


def _after_failure(
    outcomes: Outcomes, mark: RunMark, now: datetime, error: Exception, pauses: int
) -> Outcomes:
    """Report how a run ended, and say what is to be remembered of it."""
    if isinstance(error, Cancelled):
        # A wish is not a failure: what was due stays due, and is not paced.
        log.emit(events.RUN_CANCELLED, what=mark.detail, error=error.message)
        return outcomes
    known = error if isinstance(error, BackupdError) else _fault(error)
    failed = _failed(outcomes.of(mark.job), mark.started_at, now, known)
    if isinstance(error, AttentionNeeded):
        # Done, so not tried again before its time: a sweep would remove another quarter.
        log.emit(events.RUN_UNSETTLED, what=mark.detail, error=error.in_one_line)
        return _with(outcomes, mark.job, replace(failed, last_success_at=now))
    if known is not error:
        log.emit(events.DAEMON_FAULT, error=f"{known.message}\n{traceback.format_exc()}")
    elif _needs_a_person(known, failed, pauses):
        _report(_FAILED[mark.job], known)
    else:
        log.emit(events.RUN_WILL_RETRY, what=mark.detail, error=known.in_one_line, **_kind(known))
    return _with(outcomes, mark.job, failed)


def _after_success(outcomes: Outcomes, mark: RunMark, now: datetime) -> Outcomes:
    done = Outcome(last_attempt_at=mark.started_at, last_success_at=now)
    if mark.job is Job.BACKUP and outcomes.of(Job.VERIFY).failures_in_a_row:
        # A backup begins with what was left to be proven: that has succeeded too.
        outcomes = _with(outcomes, Job.VERIFY, done)
    return _with(outcomes, mark.job, done)


def _remember(world: World, outcomes: Outcomes) -> None:
    error = world.state.remember(outcomes)
    if error is not None:
        log.emit(events.STATE_UNWRITABLE, error=error.in_one_line)


def _failed(outcome: Outcome, started_at: datetime, at: datetime, error: BackupdError) -> Outcome:
    return replace(
        outcome,
        last_attempt_at=started_at,
        failures_in_a_row=outcome.failures_in_a_row + 1,
        last_error=Failure(
            at=at, exit_code=error.exit_code, message=error.message, hint=error.hint
        ),
    )


def _with(outcomes: Outcomes, job: Job, outcome: Outcome) -> Outcomes:
    return replace(outcomes, jobs=MappingProxyType({**outcomes.jobs, job: outcome}))


def _fault(error: Exception) -> BackupdError:
    return BackupdError(f"{type(error).__name__}: {error}")


def _needs_a_person(error: BackupdError, outcome: Outcome, pauses: int) -> bool:
    return urgency.needs_a_person(
        mends_itself=error.mends_itself,
        failures_in_a_row=outcome.failures_in_a_row,
        pauses=pauses,
    )


def _report(event: Event, error: BackupdError) -> None:
    log.emit(event, error=error.in_one_line, **_kind(error))


def _kind(error: BackupdError) -> dict[str, int]:
    """The numbers that tell an error's kind, for whoever filters the journal."""
    number = {"sql_error": error.number} if error.number else {}
    return {"exit_code": error.exit_code, **number}
