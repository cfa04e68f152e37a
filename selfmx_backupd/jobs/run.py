"""The frame round every job: lock, mark, body, outcome, event. Recipes never lock."""

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

import structlog

from selfmx_backupd import events, log
from selfmx_backupd.adapters import lock
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import BackupdError, Cancelled
from selfmx_backupd.events import Event
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Progress
from selfmx_backupd.outcomes import Failure, Job, Outcome, Outcomes, RunMark

_Result = TypeVar("_Result")

_FAILED = {
    Job.BACKUP: events.BACKUP_FAILED,
    Job.SWEEP: events.SWEEP_FAILED,
    Job.VERIFY: events.VERIFY_FAILED,
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

    def step(self, step: str, detail: str = "") -> None:
        """Begin a step: a place where a signal is heard, and a crash is remembered."""
        self.cancel.check()
        mark = self._outcomes.running
        if mark is not None:
            self._outcomes = replace(
                self._outcomes, running=replace(mark, step=step, detail=detail)
            )
            self._world.state.write(self._outcomes)
        self.progress(Progress(step))


def run_job(
    world: World,
    job: Job,
    what: str,
    body: Callable[[Run], _Result],
    *,
    cancel: Cancel,
    progress: Callable[[Progress], None],
) -> _Result:
    """Run a recipe in its frame.

    Args:
        world: What it works with.
        job: Under which name its outcome is remembered.
        what: What it is, for whoever finds the lock taken: "manual backup".
        body: The recipe.
        cancel: Ends it early.
        progress: Told how far it is.

    Raises:
        Busy: Another job holds the lock; nothing has been done or remembered.
        BackupdError: What the recipe raised, after it has been remembered and reported.
    """
    with lock.hold(world.directory.lock_path, what, world.now()):
        outcomes = _bury_the_dead(world.state.read())
        mark = RunMark(
            job=job,
            run_id=secrets.token_hex(4),
            started_at=world.now(),
            pid=os.getpid(),
            step="beginning",
            detail=what,
        )
        world.state.write(replace(outcomes, running=mark))
        run = Run(world, replace(outcomes, running=mark), cancel, progress)
        with structlog.contextvars.bound_contextvars(run_id=mark.run_id):
            try:
                result = body(run)
            except Cancelled as error:
                # A wish is not a failure: what was due stays due, and is not paced.
                world.state.write(outcomes)
                log.emit(events.BACKUP_CANCELLED, error=error.message)
                raise
            except BackupdError as error:
                _remember_failure(world, outcomes, mark, error)
                _report(_FAILED[job], error)
                raise
            except Exception as error:
                fault = BackupdError(f"{type(error).__name__}: {error}")
                _remember_failure(world, outcomes, mark, fault)
                log.emit(events.DAEMON_FAULT, error=fault.message)
                raise
        world.state.write(_with(outcomes, job, _succeeded(mark, world.now())))
        return result


def _bury_the_dead(outcomes: Outcomes) -> Outcomes:
    """Count a run whose mark is still there although we hold its lock: it died.

    Without this a crash loop would look like silence.
    """
    mark = outcomes.running
    if mark is None:
        return outcomes
    log.emit(
        events.BACKUP_INTERRUPTED,
        job=mark.job,
        started_at=mark.started_at.isoformat(timespec="seconds"),
        step=mark.step,
    )
    error = BackupdError(f"the {mark.detail} died with its process while {mark.step}")
    failed = _failed(outcomes.of(mark.job), mark.started_at, mark.started_at, error)
    return replace(_with(outcomes, mark.job, failed), running=None)


def _remember_failure(world: World, outcomes: Outcomes, mark: RunMark, error: BackupdError) -> None:
    failed = _failed(outcomes.of(mark.job), mark.started_at, world.now(), error)
    world.state.write(_with(outcomes, mark.job, failed))


def _failed(outcome: Outcome, started_at: datetime, at: datetime, error: BackupdError) -> Outcome:
    return replace(
        outcome,
        last_attempt_at=started_at,
        failures_in_a_row=outcome.failures_in_a_row + 1,
        last_error=Failure(
            at=at, exit_code=error.exit_code, message=error.message, hint=error.hint
        ),
    )


def _succeeded(mark: RunMark, at: datetime) -> Outcome:
    return Outcome(last_attempt_at=mark.started_at, last_success_at=at)


def _with(outcomes: Outcomes, job: Job, outcome: Outcome) -> Outcomes:
    return replace(outcomes, jobs=MappingProxyType({**outcomes.jobs, job: outcome}))


def _report(event: Event, error: BackupdError) -> None:
    log.emit(
        event,
        error=error.in_one_line,
        exit_code=error.exit_code,
        **({"sql_error": error.number} if error.number else {}),
    )
