"""The monthly look, on real files: one backup is read again at each scheduled sweep."""

import io
import os
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfmx_backupd import log
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import AttentionNeeded, Cancelled
from selfmx_backupd.jobs.run import run_job
from selfmx_backupd.jobs.sweep import Swept, sweep
from selfmx_backupd.model import Backup, Check, Damaged, Progress, Verified
from selfmx_backupd.outcomes import Job
from tests.build import TINY, mounted
from tests.directory import Directory


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def run(directory: Directory, *, guard: str | None = None, cancel: Cancel | None = None) -> Swept:
    world = directory.world()
    return run_job(
        world,
        Job.SWEEP,
        "scheduled sweep",
        lambda run: sweep(world, run, guard),
        cancel=cancel or Cancel(),
        progress=lambda _: None,
    )


def proven(directory: Directory, days_old: int, days_ago: int, content: bytes = b"pages") -> Backup:
    at = directory.at - timedelta(days=days_ago)
    by = (Check.CHECKSUM, Check.HEADER, Check.VERIFYONLY, Check.SHA256)
    return directory.add(days_old, content=content, verified=Verified(at=at, by=by))


def spoil(directory: Directory, backup: Backup) -> None:
    (directory.path / backup.file).write_bytes(b"X" * backup.size_bytes)


def test_the_same_bytes_move_the_date_of_one_proof_and_nothing_else(directory: Directory) -> None:
    young, old = proven(directory, 2, 2), proven(directory, 1, 9)
    run(directory)
    assert old.verified is not None
    assert directory.read(young.file) == young
    moved = replace(old, verified=Verified(at=directory.at, by=old.verified.by))
    assert directory.read(old.file) == moved


def test_how_far_it_is_is_told_and_never_more_than_all(directory: Directory) -> None:
    proven(directory, 1, 9, content=bytes(5 << 19))
    told: list[Progress] = []
    world = directory.world()
    run_job(
        world,
        Job.SWEEP,
        "scheduled sweep",
        lambda run: sweep(world, run),
        cancel=Cancel(),
        progress=told.append,
    )
    percents = [each.percent for each in told if each.step == "reading again"]
    assert percents == [None, 40, 80, 100]


def test_each_sweep_reads_another_one_until_all_have_been_read(directory: Directory) -> None:
    made = [proven(directory, n, n) for n in (1, 2, 3)]
    for _ in made:
        run(directory)
    seen = [directory.read(each.file).verified for each in made]
    assert [each.at if each else None for each in seen] == [directory.at] * 3


def test_other_bytes_are_damage_and_count_for_nothing_in_the_same_sweep(
    directory: Directory,
) -> None:
    stream = io.StringIO()
    log.set_up(stream)
    # Three newest stay. Without the damaged one the fourth is the third.
    newest = [proven(directory, n, 0) for n in (31, 32)]
    bad = proven(directory, 33, 40)
    fourth, fifth = proven(directory, 34, 0), proven(directory, 35, 0)
    spoil(directory, bad)
    assert run(directory).removed == (fifth.file,)
    marked = directory.read(bad.file)
    why = "its SHA-256 is not the one that was proven"
    assert marked.damaged == Damaged(at=directory.at, by="sha256", reason=why)
    assert marked.verified == bad.verified
    assert (directory.path / fourth.file).exists()
    assert (directory.path / bad.file).exists()
    assert all((directory.path / each.file).exists() for each in newest)
    assert f"error: {bad.file} is damaged: {why}" in stream.getvalue()


def test_a_guard_lets_the_look_happen_and_nothing_go(directory: Directory) -> None:
    stream = io.StringIO()
    log.set_up(stream)
    made = [proven(directory, 40 + n, n) for n in range(6)]
    assert run(directory, guard="the clock was set back").removed == ()
    assert len(directory.names()) == 2 * len(made)
    read = directory.read(made[-1].file).verified
    assert read is not None
    assert read.at == directory.at
    said = "3 backups may go but wait for the next sweep: the clock was set back"
    assert f"warning: {said}" in stream.getvalue()


def test_one_that_cannot_be_read_is_not_damage_but_no_strength_and_the_next_is_read(
    directory: Directory,
) -> None:
    newest = [proven(directory, n, 1) for n in (31, 32)]
    dead = directory.add(33, content=b"")
    dead = replace(dead, verified=Verified(at=directory.at - timedelta(days=50), by=()))
    directory.write(dead)
    fourth, fifth = proven(directory, 34, 40), proven(directory, 35, 0)
    # The memory of a process has no page at 0, so reading it fails with EIO.
    with mounted(directory.path / dead.file, "--bind", f"/proc/{os.getpid()}/mem"):
        with pytest.raises(AttentionNeeded, match="input/output error") as raised:
            run(directory)
        assert directory.read(dead.file) == dead
    assert dead.file in raised.value.message
    assert raised.value.__notes__ == [f"1 backup removed: {fifth.file}"]
    read = directory.read(fourth.file).verified
    assert read is not None
    assert read.at == directory.at
    assert not (directory.path / fifth.file).exists()
    assert all((directory.path / each.file).exists() for each in newest)


def test_what_a_person_must_look_at_is_remembered_and_not_tried_again_before_its_time(
    directory: Directory,
) -> None:
    dead = directory.add(33, content=b"")
    with (
        mounted(directory.path / dead.file, "--bind", f"/proc/{os.getpid()}/mem"),
        pytest.raises(AttentionNeeded),
    ):
        run(directory)
    outcome = directory.world().state.recall().of(Job.SWEEP)
    assert outcome.failures_in_a_row == 1
    assert outcome.last_success_at == directory.at
    assert outcome.last_error is not None
    assert dead.file in outcome.last_error.message
    run(directory)
    assert directory.world().state.recall().of(Job.SWEEP).failures_in_a_row == 0


def test_the_wish_to_stop_is_heard_while_a_backup_is_read(directory: Directory) -> None:
    old = proven(directory, 40, 40, content=b"x" * (3 << 20))
    world = directory.world()
    cancel = Cancel()

    def body_run(_: object) -> None:
        cancel.request(signal.SIGTERM)

    with pytest.raises(Cancelled):
        run_job(
            world,
            Job.SWEEP,
            "scheduled sweep",
            lambda run: sweep(world, run),
            cancel=cancel,
            progress=body_run,  # told of the step, right before the first byte is read
        )
    assert directory.read(old.file) == old
    assert world.state.recall().of(Job.SWEEP).failures_in_a_row == 0


def test_damage_that_a_full_disk_keeps_from_being_written_down_is_no_strength_either(
    directory: Directory,
) -> None:
    with mounted(directory.path, *(each.replace("64k", "256k") for each in TINY)):
        for days_old in (31, 32):
            proven(directory, days_old, 0)
        bad = proven(directory, 33, 40)
        fourth, fifth = proven(directory, 34, 0), proven(directory, 35, 0)
        spoil(directory, bad)
        (directory.path / "selfmx.lock").touch()
        with suppress(OSError):
            (directory.path / "ballast").write_bytes(b"x" * (1 << 20))
        assert directory.world().directory.space().free_bytes == 0
        assert run(directory).removed == (fifth.file,)
        assert directory.read(bad.file).damaged is None
        assert (directory.path / fourth.file).exists()
