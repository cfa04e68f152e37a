"""What the daemon would do at a moment, asked without a thread, a signal or systemd."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from selfmx_backupd.adapters import manifest
from selfmx_backupd.errors import DirectoryUnusable
from selfmx_backupd.jobs.wake_up import Next, Task, next_task
from selfmx_backupd.model import Tier
from tests.build import backup, utc
from tests.life import Life, life_in

NOW = utc("2026-11-24 12:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return life_in(tmp_path, "UTC", NOW, retention={"minimum": 1})


def asked(life: Life, *, is_reconciled: bool = True, rest_s: float = 0) -> Next:
    look = replace(life.look(), is_reconciled=is_reconciled)
    return next_task(look, lambda _: rest_s)


def fail(life: Life, task: Task) -> None:
    """A run that fails now."""
    with pytest.raises(DirectoryUnusable):
        life.run(task, broken)


def broken(_world: object, _run: object) -> None:
    raise DirectoryUnusable("it is broken")


def told(life: Life) -> list[str]:
    return [each.sentence for each in life.look().assessed.findings]


def add(life: Life, age: timedelta) -> str:
    content = b"some pages"
    made = backup(life.clock.now - age, (Tier.MANUAL,))
    sha256 = hashlib.sha256(content).hexdigest()
    made = replace(made, size_bytes=len(content), sha256=sha256)
    (life.world.directory.path / made.file).write_bytes(content)
    life.world.directory.write_manifest(made)
    return made.file


def test_the_first_wake_up_reconciles_backs_up_and_sweeps(life: Life) -> None:
    assert asked(life, is_reconciled=False) == Next(Task.RECONCILE, 0)
    assert life.wake_up() == [Task.RECONCILE, Task.BACK_UP, Task.SWEEP]
    assert asked(life) == Next(None, inf)


def test_a_job_that_failed_waits_and_the_next_one_does_not(life: Life) -> None:
    fail(life, Task.BACK_UP)
    assert asked(life) == Next(Task.SWEEP, 0)
    fail(life, Task.SWEEP)
    life.clock.pass_by(timedelta(seconds=20))
    assert asked(life) == Next(None, 40)
    life.clock.pass_by(timedelta(seconds=40))
    assert asked(life) == Next(Task.BACK_UP, 0)


def test_a_rest_that_stands_in_no_file_is_kept_too(life: Life) -> None:
    assert asked(life, rest_s=7) == Next(None, 7)


def test_a_sweep_that_is_dated_ahead_of_the_clock_says_nothing(life: Life) -> None:
    life.wake_up()
    life.clock.set_by(-HOUR)
    assert asked(life).task is Task.BACK_UP
    life.wake_up()
    assert [task for _, task in life.done][-2:] == [Task.BACK_UP, Task.SWEEP]


def test_what_only_the_guard_keeps_is_said_and_is_swept_when_the_guard_ends(life: Life) -> None:
    life.wake_up()
    assert told(life) == []
    old = add(life, 31 * DAY)
    (sentence,) = told(life)
    assert sentence == (
        "1 backup that may go is kept: the clock has been steady only since "
        "2026-11-24 12:00 UTC, trusted from 2026-11-25 12:00 UTC on"
    )
    for _ in life.go_on_until(NOW + DAY):
        assert (life.world.directory.path / old).exists()
    for _ in life.go_on_until(NOW + 2 * DAY):
        pass
    assert not (life.world.directory.path / old).exists()


def test_a_clock_that_is_set_forward_lets_no_backup_go(life: Life) -> None:
    for _ in life.go_on_until(NOW + 40 * DAY):
        pass
    before = files(life)
    life.clock.set_by(3650 * DAY)
    life.wake_up()
    assert len(files(life) - before) == 1
    life.clock.set_by(-3650 * DAY)
    life.wake_up()
    assert before <= files(life)


def files(life: Life) -> set[str]:
    found = life.world.directory.path.glob("*.json")
    return {manifest.decode(path.read_bytes()).file for path in found}


def test_without_a_directory_it_cannot_look(life: Life) -> None:
    life.world.directory.path.rmdir()
    with pytest.raises(DirectoryUnusable):
        life.look()
