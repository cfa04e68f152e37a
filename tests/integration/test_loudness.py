"""How loud a failed run is: an error only where a person must act."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selfmx_backupd import log
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import Settings
from selfmx_backupd.errors import Cancelled, LoginRefused, ServerNotReached
from selfmx_backupd.jobs.run import Run, run_job, settle_the_dead
from selfmx_backupd.jobs.world import World
from selfmx_backupd.outcomes import Job, Outcome, Outcomes, RunMark
from selfmx_backupd.wiring import world_of
from tests.build import utc

NOW = utc("2026-11-24 12:00")
DOWN = ServerNotReached("SQL Server is not reached", hint="Start it.")
# The default has four pauses between retries.
PAUSES = 4


@pytest.fixture
def logged() -> io.StringIO:
    stream = io.StringIO()
    log.set_up(stream)
    return stream


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO) -> World:
    assert not logged.getvalue()
    (tmp_path / "backups").mkdir()
    monkeypatch.setenv("SELFMX_BACKUPD_BACKUP__DIRECTORY", str(tmp_path / "backups"))
    monkeypatch.setenv("SELFMX_BACKUPD_STATE__DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("SELFMX_BACKUPD_SCHEDULE__TIMEZONE", "UTC")
    return replace(world_of(Settings()), now=lambda: NOW)


def fail(world: World, error: Exception, job: Job = Job.BACKUP, *, is_retried: bool = True) -> None:
    with pytest.raises(type(error)):
        run_job(
            world,
            job,
            f"scheduled {job}",
            raising(error),
            cancel=Cancel(),
            progress=lambda _: None,
            is_retried=is_retried,
        )


def raising(error: Exception) -> Callable[[Run], None]:
    def body(_run: Run) -> None:
        raise error

    return body


def levels(logged: io.StringIO) -> list[str]:
    return [line.partition(":")[0] for line in logged.getvalue().splitlines()]


def test_a_failure_that_time_may_mend_is_a_warning_that_tells_what_follows(
    world: World, logged: io.StringIO
) -> None:
    fail(world, DOWN)
    assert logged.getvalue() == (
        "warning: the scheduled backup failed and will be tried again: "
        "SQL Server is not reached - Start it.\n"
    )


@pytest.mark.parametrize("job", [Job.BACKUP, Job.SWEEP, Job.VERIFY])
def test_it_is_an_error_once_every_pause_was_waited_for(
    world: World, logged: io.StringIO, job: Job
) -> None:
    for _ in range(PAUSES + 2):
        fail(world, DOWN, job)
    assert levels(logged) == ["warning"] * PAUSES + ["error"] * 2


def test_a_success_in_between_starts_the_count_anew(world: World, logged: io.StringIO) -> None:
    for _ in range(PAUSES):
        fail(world, DOWN)
    run_job(world, Job.BACKUP, "x", lambda _: None, cancel=Cancel(), progress=lambda _: None)
    fail(world, DOWN)
    assert set(levels(logged)) == {"warning"}


def test_a_failure_that_time_cannot_mend_is_an_error_at_once(
    world: World, logged: io.StringIO
) -> None:
    fail(world, LoginRefused("SQL Server refused the login", hint="Compare."))
    assert logged.getvalue() == (
        "error: the backup failed: SQL Server refused the login - Compare.\n"
    )


@pytest.mark.parametrize("job", [Job.BACKUP, Job.RESTORE])
def test_a_failure_that_nobody_tries_again_is_an_error(
    world: World, logged: io.StringIO, job: Job
) -> None:
    fail(world, DOWN, job, is_retried=False)
    assert levels(logged) == ["error"]


def test_a_fault_of_ours_is_an_error_and_a_wish_to_stop_a_warning(
    world: World, logged: io.StringIO
) -> None:
    fail(world, Cancelled("stopped by SIGTERM", signal_number=15))
    fail(world, KeyError("x"))
    assert levels(logged) == ["warning", "error"]


def died(world: World, job: Job, failures: int) -> None:
    """A run's process has died, after so many failures in a row."""
    mark = RunMark(
        job=job, run_id="1", started_at=NOW, pid=1, step="working", detail=f"the last {job}"
    )
    before = Outcome(last_attempt_at=NOW, failures_in_a_row=failures)
    world.state.write(Outcomes(running=mark, jobs={job: before}))
    settle_the_dead(world)


@pytest.mark.parametrize(
    ("job", "failures", "expected"),
    [
        (Job.BACKUP, 0, ["warning"]),
        (Job.BACKUP, PAUSES - 1, ["warning"]),
        (Job.BACKUP, PAUSES, ["warning", "error"]),
        (Job.RESTORE, 0, ["warning", "error"]),
    ],
)
def test_a_run_that_died_needs_a_person_where_it_is_not_mended_by_the_next(
    world: World, logged: io.StringIO, job: Job, failures: int, expected: list[str]
) -> None:
    died(world, job, failures)
    assert levels(logged) == expected
