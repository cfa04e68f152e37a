"""What an assessment rests on, read from real files and locks."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfmx_backupd.adapters import lock, manifest
from selfmx_backupd.assessment import Cause, Situation
from selfmx_backupd.config import Settings
from selfmx_backupd.jobs import assess
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import SCHEDULED_TIERS, Tier
from selfmx_backupd.outcomes import Job, Outcomes, RunMark
from selfmx_backupd.policy import health
from selfmx_backupd.wiring import world_of
from tests.build import backup, utc
from tests.situations import LIMITS

NOW = utc("2026-11-24 12:00")
DEAD = 2**22 + 1  # beyond the largest process number of Linux


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "backups").mkdir()
    monkeypatch.setenv("SELFMX_BACKUPD_BACKUP__DIRECTORY", str(tmp_path / "backups"))
    monkeypatch.setenv("SELFMX_BACKUPD_STATE__DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("SELFMX_BACKUPD_SCHEDULE__TIMEZONE", "UTC")
    return replace(world_of(Settings()), now=lambda: NOW)


def mark(job: Job, pid: int) -> RunMark:
    return RunMark(job=job, run_id="1", started_at=NOW, pid=pid, step="working", detail="some work")


def causes(seen: Situation) -> list[Cause]:
    return [each.cause for each in health.assess(seen, LIMITS).findings]


def put(world: World, age: timedelta) -> None:
    made = backup(NOW - age, SCHEDULED_TIERS)
    (world.directory.path / made.file).write_bytes(bytes(made.size_bytes))
    name = made.file.replace(".bak", ".json")
    (world.directory.path / name).write_bytes(manifest.encode(made))


def test_it_sees_what_is_there_what_is_due_and_what_comes_next(world: World) -> None:
    put(world, timedelta(hours=10))
    seen = assess.look(world, world.inventory())
    assert seen.newest is not None
    assert [each.tier for each in seen.due] == [Tier.DAILY]
    assert [each.tier for each in seen.next_runs] == list(SCHEDULED_TIERS)
    assert seen.next_runs[0].at == utc("2026-11-25 03:00")
    assert seen.expected_since == utc("2026-11-23 03:00")
    assert seen.disk is not None
    assert seen.disk.outlook is not None
    assert seen.disk.outlook.next_bytes == 8192 * 12 // 10


def test_a_run_is_under_way_while_its_lock_is_held_by_a_process_that_lives(world: World) -> None:
    put(world, timedelta(hours=1))
    world.state.write(Outcomes(running=mark(Job.RESTORE, os.getpid())))
    with lock.hold(world.directory.lock_path, "restore", NOW):
        seen = assess.look(world, world.inventory())
    assert seen.running is not None
    assert (seen.busy, causes(seen)) == (Job.RESTORE, [])


@pytest.mark.parametrize(("lives", "is_held"), [(False, True), (False, False), (True, False)])
def test_a_mark_without_its_process_or_its_lock_is_a_dead_runs(
    world: World, *, lives: bool, is_held: bool
) -> None:
    """A number that was given to another process, or a lock that another run has taken."""
    put(world, timedelta(hours=1))
    world.state.write(Outcomes(running=mark(Job.RESTORE, os.getpid() if lives else DEAD)))
    if is_held:
        with lock.hold(world.directory.lock_path, "sweep", NOW):
            seen = assess.look(world, world.inventory())
    else:
        seen = assess.look(world, world.inventory())
    assert (seen.busy, seen.running, causes(seen)) == (None, None, [Cause.FAILED])
    assert seen.met[0].sentence.startswith("the some work that began 2026-11-24T12:00:00+00:00")


def test_a_backup_that_a_person_takes_excuses_no_late_one(world: World) -> None:
    put(world, timedelta(hours=30))
    world.state.write(Outcomes(running=mark(Job.BACKUP, os.getpid())))
    world.state.make_directory()
    with lock.hold(world.directory.lock_path, "manual backup", NOW):
        assert causes(assess.look_from_outside(world)) == [Cause.LATE, Cause.DAEMON_DOWN]
        with lock.hold(world.state.daemon_lock_path, "daemon", NOW):
            # Now it is the daemon's own.
            assert causes(assess.look_from_outside(world)) == []


def test_what_state_json_cannot_tell_is_not_seen(world: World) -> None:
    put(world, timedelta(hours=1))
    world.state.make_directory()
    (world.state.daemon_lock_path.parent / "state.json").write_text("{")
    seen = assess.look(world, world.inventory())
    assert causes(seen) == [Cause.UNSEEN]
    assert "state.json makes no sense to this version" in seen.met[0].sentence
