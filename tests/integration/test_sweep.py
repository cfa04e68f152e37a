"""The sweep on real files."""

import hashlib
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfmx_backupd.adapters import manifest
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import Settings
from selfmx_backupd.errors import AttentionNeeded
from selfmx_backupd.jobs.run import run_job
from selfmx_backupd.jobs.sweep import Swept, sweep
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Progress, State, Tier
from selfmx_backupd.outcomes import Job
from selfmx_backupd.wiring import world_of
from tests.build import TINY, backup, mounted, utc

NOW = utc("2026-11-24 12:00")
COUNT = 12


def world_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for key, value in {
        "BACKUP__DIRECTORY": root / "backups",
        "STATE__DIRECTORY": root / "state",
        "SCHEDULE__TIMEZONE": "UTC",
    }.items():
        monkeypatch.setenv(f"SELFMX_BACKUPD_{key}", str(value))
    return replace(world_of(Settings()), now=lambda: NOW)


def fill(directory: Path, size: int) -> list[str]:
    """Manual backups, one a day, the oldest 49 days old; returns their names, oldest first."""
    names = []
    for day in range(COUNT):
        made = backup(NOW - timedelta(days=49 - day), (Tier.MANUAL,))
        content = b"x" * size
        sha256 = hashlib.sha256(content).hexdigest()
        made = replace(made, size_bytes=size, sha256=sha256)
        (directory / made.file).write_bytes(content)
        (directory / made.file).with_suffix(".json").write_bytes(manifest.encode(made))
        names.append(made.file)
    return names


def swept(world: World, guard: str | None = None) -> Swept:
    return run_job(
        world,
        Job.SWEEP,
        "sweep",
        lambda run: sweep(world, run, guard),
        cancel=Cancel(),
        progress=lambda _: None,
    )


def left(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.suffix != ".lock"}


def test_a_sweep_removes_a_quarter_oldest_first_and_leaves_no_manifest_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_in(tmp_path, monkeypatch)
    world.directory.path.mkdir()
    names = fill(world.directory.path, 10)
    done = swept(world)
    assert done.removed == tuple(names[: COUNT // 4])
    assert len(done.plan.waits) == COUNT - COUNT // 4 - 3
    stems = {name.removesuffix(".bak") for name in names[COUNT // 4 :]}
    assert left(world.directory.path) == {stem + end for stem in stems for end in (".bak", ".json")}


def test_a_sweep_makes_room_on_a_disk_that_is_full_to_the_last_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_in(tmp_path, monkeypatch)
    world.directory.path.mkdir()
    with mounted(world.directory.path, *(each.replace("64k", "256k") for each in TINY)):
        names = fill(world.directory.path, 4096)
        (world.directory.path / "selfmx.lock").touch()
        with suppress(OSError):
            (world.directory.path / "ballast").write_bytes(b"x" * (1 << 20))
        assert world.directory.space().free_bytes == 0
        assert swept(world).removed == tuple(names[: COUNT // 4])
        assert world.directory.space().free_bytes > 0


def test_a_backup_whose_size_has_changed_is_no_strength_for_another_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_in(tmp_path, monkeypatch)
    world.directory.path.mkdir()
    names = fill(world.directory.path, 10)
    for name in names[1:4]:
        (world.directory.path / name).write_bytes(b"short")
    for name in names[4:]:
        (world.directory.path / name).unlink()
    # Of twelve only the oldest is still good, so it is the newest that counts.
    assert swept(world).removed == ()
    assert (world.directory.path / names[0]).exists()


def test_a_backup_that_changes_while_the_sweep_runs_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_in(tmp_path, monkeypatch)
    world.directory.path.mkdir()
    names = fill(world.directory.path, 10)
    newest = world.directory.path / names[-1]

    def spoil(_: Progress) -> None:
        """The steps are: reading again, and one for each deletion."""
        if not (world.directory.path / names[0]).exists():
            newest.write_bytes(b"cut")

    with pytest.raises(AttentionNeeded, match="3 bytes long and was 10 bytes") as raised:
        run_job(
            world,
            Job.SWEEP,
            "sweep",
            lambda run: sweep(world, run),
            cancel=Cancel(),
            progress=spoil,
        )
    assert raised.value.__notes__ == [f"1 backup removed: {names[0]}"]
    assert names[-1] in raised.value.message
    assert (world.directory.path / names[1]).exists()
    again = swept(world)
    assert names[-1] not in again.removed
    assert newest.exists()


def test_one_that_cannot_be_removed_keeps_no_other_and_counts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_in(tmp_path, monkeypatch)
    world.directory.path.mkdir()
    names = fill(world.directory.path, 10)
    twin = tmp_path / "twin"
    twin.write_bytes(b"x" * 10)
    with mounted(world.directory.path / names[0], "--bind", str(twin)):  # EBUSY
        with pytest.raises(AttentionNeeded, match="cannot remove from") as raised:
            swept(world)
        assert raised.value.exit_code == 10
        assert raised.value.__notes__ == [f"2 backups removed: {names[1]}, {names[2]}"]
        entry = world.inventory().entries[-1]
        assert (entry.file, entry.state) == (names[0], State.VERIFIED)
        outcome = world.state.recall().of(Job.SWEEP)
        # Tried again at once, the daemon would take another quarter.
        assert outcome.last_success_at == NOW


def test_a_guard_keeps_everything_and_the_next_sweep_goes_on_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_in(tmp_path, monkeypatch)
    world.directory.path.mkdir()
    names = fill(world.directory.path, 10)
    before = left(world.directory.path)
    assert swept(world, "the clock was set").removed == ()
    assert left(world.directory.path) == before
    assert swept(world).removed == tuple(names[: COUNT // 4])
