"""The daemon's worker with real threads, a real lock and real files."""

import fcntl
import io
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfmx_backupd import log, worker
from selfmx_backupd.config import Settings
from selfmx_backupd.errors import BackupUnusable
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Due, Progress, Tier
from selfmx_backupd.outcomes import Job
from selfmx_backupd.wiring import world_of
from selfmx_backupd.worker import Worker
from tests.build import backup, utc

NOW = utc("2026-11-24 12:00")


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


class Bench:
    """A worker, and what it rang and told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rang = threading.Event()
        self.told: list[str] = []
        self.worker = Worker(self.rang.set, self.told.append)

    def run(self, recipe: worker.Recipe, job: Job = Job.BACKUP) -> None:
        self.rang.clear()
        self.worker.start(self.world, job, "scheduled backup", recipe)
        assert self.rang.wait(10)

    def rest_s(self) -> float:
        return self.worker.rest_s(Job.BACKUP, (), NOW, 3600)

    def problems(self) -> list[str]:
        return [each.sentence for each in self.worker.findings(self.world)]


@pytest.fixture
def bench(world: World) -> Bench:
    return Bench(world)


def nothing(_world: World, _run: Run) -> None:
    return


def test_it_is_free_by_the_time_that_the_bell_rings(bench: Bench) -> None:
    seen: list[tuple[bool, Job | None]] = []
    bench.run(lambda _world, _run: seen.append((bench.worker.is_busy, bench.worker.job)))
    assert seen == [(True, Job.BACKUP)]
    assert (bench.worker.is_busy, bench.worker.job, bench.worker.progress) == (False, None, None)
    assert bench.rest_s() == 0


def test_it_tells_each_step_and_no_more_than_a_line_a_second(bench: Bench) -> None:
    def recipe(_world: World, run: Run) -> None:
        for percent in range(100):
            run.progress(Progress("backing up", percent))
        run.progress(Progress("verifying", 1))

    bench.run(recipe)
    assert bench.told == ["backing up 0 %", "verifying 1 %"]


def test_it_says_how_far_it_is_and_how_long_it_may_take(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def recipe(_world: World, run: Run) -> None:
        run.progress(Progress("backing up", 10))
        run.progress(Progress("backing up", 20))
        began = time.monotonic()
        monkeypatch.setattr("selfmx_backupd.worker.time.monotonic", lambda: began + 60)
        said.append(bench.worker.doing)
        run.progress(Progress("verifying", 50))
        said.append(bench.worker.doing)

    bench.run(recipe)
    assert said == ["backing up 20 %, about 4 min left", "verifying 50 %"]
    assert bench.worker.doing == ""


def test_a_failure_is_a_problem_until_a_run_succeeds(bench: Bench) -> None:
    def fail(_world: World, _run: Run) -> None:
        raise BackupUnusable("it is broken")

    bench.run(fail)
    assert bench.problems() == ["it is broken"]
    assert 0 < bench.rest_s() <= 60
    bench.run(nothing)
    assert bench.problems() == []


def test_a_fault_of_ours_does_not_end_it_and_is_reported_with_its_traceback(
    bench: Bench, logged: io.StringIO
) -> None:
    empty: dict[str, str] = {}
    bench.run(lambda _world, _run: empty["nowhere"])
    errors = logged.getvalue()
    assert "a fault of this program, please report it: KeyError: 'nowhere'" in errors
    assert "Traceback" in errors
    bench.run(nothing)


def test_a_lock_that_is_held_for_too_long_is_one_event_and_a_lasting_problem(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    with bench.world.directory.lock_path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        bench.run(nothing)
        assert bench.problems() == []
        assert 9 < bench.rest_s() <= 10
        monkeypatch.setattr(worker, "_LOCK_COMPLAINT_S", 0.0)
        for _ in range(2):
            bench.run(nothing)
            (problem,) = bench.problems()
            assert problem.startswith("the scheduled backup has waited 0.")
            assert problem.endswith("another job is running: it began this moment")
    assert logged.getvalue().count("has waited") == 1
    bench.run(nothing)
    assert bench.problems() == []


def test_a_backup_that_settled_its_tiers_is_not_repeated_at_once(bench: Bench) -> None:
    made = backup(NOW, (Tier.DAILY,))
    bench.run(lambda _world, _run: made)
    earlier = (Due(Tier.DAILY, made.started_at - timedelta(hours=1)),)
    later = (Due(Tier.DAILY, made.started_at + timedelta(hours=1)),)
    assert 3500 < bench.worker.rest_s(Job.BACKUP, earlier, NOW, 3600) <= 3600
    assert bench.worker.rest_s(Job.BACKUP, later, NOW, 3600) == 0
    assert bench.worker.rest_s(Job.SWEEP, earlier, NOW, 3600) == 0


def test_a_backup_from_before_the_clock_was_set_back_is_no_reason_to_wait(bench: Bench) -> None:
    made = backup(NOW, (Tier.DAILY,))
    bench.run(lambda _world, _run: made)
    yesterday = NOW - timedelta(days=1)
    due = (Due(Tier.DAILY, yesterday - timedelta(hours=1)),)
    assert bench.worker.rest_s(Job.BACKUP, due, NOW, 3600) > 0
    assert bench.worker.rest_s(Job.BACKUP, due, yesterday, 3600) == 0


def test_a_stop_reaches_the_job_and_is_no_failure(bench: Bench) -> None:
    begun = threading.Event()

    def wait(_world: World, run: Run) -> None:
        begun.set()
        assert run.cancel.wait(10)
        run.cancel.check()

    bench.worker.start(bench.world, Job.BACKUP, "scheduled backup", wait)
    assert begun.wait(10)
    assert bench.worker.stop(15, 10)
    assert bench.problems() == []
    assert bench.world.state.read().of(Job.BACKUP).failures_in_a_row == 0


def test_a_job_that_cannot_be_stopped_in_time_is_said_to_be_so(bench: Bench) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def stuck(_world: World, _run: Run) -> None:
        begun.set()
        go_on.wait(10)

    bench.worker.start(bench.world, Job.BACKUP, "scheduled backup", stuck)
    assert begun.wait(10)
    assert not bench.worker.stop(15, 0.1)
    go_on.set()
    assert bench.rang.wait(10)
