"""The frame round every job and the plan of a restore, with a real lock and real files."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selfmx_backupd import log
from selfmx_backupd.adapters.state import StateFile
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import Settings
from selfmx_backupd.errors import BackupUnusable, Cancelled, DirectoryUnusable
from selfmx_backupd.jobs.run import Run, run_job, settle_the_dead
from selfmx_backupd.jobs.world import World
from selfmx_backupd.outcomes import Job, Outcomes, RunMark
from selfmx_backupd.restoration import RestorePlan, Step
from selfmx_backupd.wiring import world_of
from tests.build import plan, utc

NOW = utc("2026-11-24 12:00")
PLAN = plan(step=Step.SWAPPING)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    log.set_up(quiet=True)
    (tmp_path / "backups").mkdir()
    monkeypatch.setenv("SELFMX_BACKUPD_BACKUP__DIRECTORY", str(tmp_path / "backups"))
    monkeypatch.setenv("SELFMX_BACKUPD_STATE__DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("SELFMX_BACKUPD_SCHEDULE__TIMEZONE", "UTC")
    return world_now()


def world_now() -> World:
    """As a process that has just been started sees it."""
    return replace(world_of(Settings()), now=lambda: NOW)


def job(world: World, body: Callable[[Run], object], kind: Job = Job.RESTORE) -> object:
    return run_job(world, kind, str(kind), body, cancel=Cancel(), progress=lambda _: None)


def remembered(world: World) -> Outcomes:
    """What another process reads."""
    state = world.settings.state.directory
    owner = json.loads((state / "state.json").read_text())["owner"]
    return StateFile(state, owner).read()


def forbid_writing(world: World) -> Path:
    """Something stands where new content is written first; what was written can be read."""
    in_the_way = world.settings.state.directory / "state.json.tmp"
    in_the_way.mkdir(parents=True)
    return in_the_way


def recording(plan: RestorePlan, *, then: Exception | None = None) -> Callable[[Run], None]:
    def body(run: Run) -> None:
        run.record(plan)
        if then is not None:
            raise then

    return body


def test_a_plan_is_on_the_disk_before_anything_that_follows_it(world: World) -> None:
    def body(run: Run) -> None:
        run.record(PLAN)
        assert run.plan == PLAN
        seen = remembered(world)
        assert seen.restore == PLAN
        assert seen.running is not None
        assert (seen.running.job, seen.running.step) == (Job.RESTORE, "beginning")

    job(world, body)


def test_a_step_that_follows_keeps_the_plan(world: World) -> None:
    def body(run: Run) -> None:
        run.record(PLAN)
        run.step("swapping", "SelfMX")
        seen = remembered(world)
        assert seen.restore == PLAN
        assert seen.running is not None
        assert seen.running.step == "swapping SelfMX"

    job(world, body)


def test_the_last_plan_that_was_recorded_is_the_one(world: World) -> None:
    done = replace(PLAN, step=Step.DONE, ended_at=NOW)

    def body(run: Run) -> None:
        run.record(PLAN)
        run.record(done)

    job(world, body)
    assert remembered(world).restore == done


def test_a_plan_outlives_the_success_of_its_run(world: World) -> None:
    job(world, recording(PLAN))
    seen = remembered(world)
    assert seen.restore == PLAN
    assert seen.running is None
    assert seen.of(Job.RESTORE).last_success_at == NOW


@pytest.mark.parametrize(
    ("error", "failures"),
    [
        (BackupUnusable("it is broken"), 1),
        (Cancelled("stopped by SIGINT", signal_number=2), 0),
        (KeyError("a fault of ours"), 1),
    ],
)
def test_a_plan_outlives_the_failure_of_its_run(
    world: World, error: Exception, failures: int
) -> None:
    with pytest.raises(type(error)):
        job(world, recording(PLAN, then=error))
    seen = remembered(world)
    assert seen.restore == PLAN
    assert seen.running is None
    assert seen.of(Job.RESTORE).failures_in_a_row == failures


@pytest.mark.parametrize("kind", [Job.BACKUP, Job.SWEEP])
@pytest.mark.parametrize("then", [None, BackupUnusable("it is broken")])
def test_the_runs_of_other_jobs_keep_the_plan(
    world: World, kind: Job, then: Exception | None
) -> None:
    job(world, recording(PLAN))

    def body(run: Run) -> None:
        assert run.plan == PLAN
        run.step("backing up")
        if then is not None:
            raise then

    if then is None:
        job(world_now(), body, kind)
    else:
        with pytest.raises(BackupUnusable):
            job(world_now(), body, kind)
    seen = remembered(world)
    assert seen.restore == PLAN
    assert seen.of(kind).last_attempt_at == NOW


def test_a_run_that_died_is_counted_and_its_plan_stays(world: World) -> None:
    mark = RunMark(
        job=Job.RESTORE, run_id="1", started_at=NOW, pid=1, step="swapping", detail="restore of x"
    )
    world.state.write(Outcomes(running=mark, restore=PLAN))
    settle_the_dead(world)
    seen = remembered(world)
    assert seen.restore == PLAN
    assert seen.running is None
    assert seen.of(Job.RESTORE).failures_in_a_row == 1


def test_what_cannot_be_written_down_must_not_be_done(world: World) -> None:
    acted: list[str] = []

    def body(run: Run) -> None:
        run.record(PLAN)
        acted.append("renamed it")

    forbid_writing(world)
    with pytest.raises(DirectoryUnusable, match=r"cannot write .*state\.json: is a directory"):
        job(world, body)
    assert not acted


def test_a_plan_that_could_not_be_written_is_not_the_plan(world: World) -> None:
    def body(run: Run) -> None:
        run.record(PLAN)
        forbid_writing(world)
        with pytest.raises(DirectoryUnusable):
            run.record(replace(PLAN, step=Step.STARTING))
        assert run.plan == PLAN

    job(world, body)


def test_a_plan_is_remembered_where_the_disk_fails_after_it(world: World) -> None:
    """A run of the same process, which does not trust the file, heals what it says."""

    def body(run: Run) -> None:
        run.record(PLAN)
        forbid_writing(world)

    def next_body(run: Run) -> None:
        assert run.plan == PLAN

    job(world, body)
    assert world.state.trouble
    job(world, next_body)
    (world.settings.state.directory / "state.json.tmp").rmdir()
    job(world, next_body)
    assert remembered(world).restore == PLAN
    assert not world.state.trouble


def test_a_plan_that_another_process_recorded_outlives_a_memory_that_could_not_be_written(
    world: World,
) -> None:
    """A full disk at night, space made in the morning, and then a restore."""
    in_the_way = forbid_writing(world)
    job(world, lambda _: None, Job.BACKUP)
    assert world.state.trouble
    in_the_way.rmdir()
    job(world_now(), recording(PLAN))

    def body(run: Run) -> None:
        assert run.plan == PLAN

    job(world, body, Job.BACKUP)
    assert remembered(world).restore == PLAN
