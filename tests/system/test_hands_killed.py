"""`forget` and `pin` die before each of their acts on a file: what is true is said."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selfmx_backupd.model import Backup, Pin, State
from tests.directory import Directory
from tests.installation import BIN, environment

pytestmark = pytest.mark.faults

KILL = Path(__file__).resolve().parents[1] / "kill"
FOR_EVER = Pin(until=None, reason="")

Prepare = Callable[[Directory], Backup]


def sound(directory: Directory) -> Backup:
    return directory.add(90)


def damaged(directory: Directory) -> Backup:
    made = directory.add(90)
    os.truncate(directory.path / made.file, 3)
    return made


def kill_at_each_act(
    root: Path, prepare: Prepare, command: str
) -> Iterator[tuple[Directory, Backup]]:
    """A directory in which the command was killed before its n-th act, for each n."""
    kill_at = 1
    while True:
        shutil.rmtree(root / "site", ignore_errors=True)
        directory = Directory(root / "site")
        made = prepare(directory)
        code = run(directory, (command, made.file), kill_at, root / f"acts-{kill_at}")
        if code == 0:
            assert kill_at > 5, "the hook is blind"
            return
        assert code == -signal.SIGKILL
        yield directory, made
        kill_at += 1


def run(directory: Directory, words: tuple[str, ...], kill_at: int, acts: Path) -> int:
    env = {
        "PYTHONPATH": str(KILL),
        "SELFMX_TEST_ROOT": str(directory.path),
        "SELFMX_TEST_ACTS": str(acts),
        "SELFMX_TEST_KILL_AT": str(kill_at),
    }
    line = [str(BIN / "selfmx-backup"), *words, "--config", str(directory.config)]
    done = subprocess.run(line, env=environment(env), capture_output=True, check=False)
    return done.returncode


def state_of(directory: Directory) -> State | None:
    entries = directory.world().inventory().entries
    return entries[0].state if entries else None


def test_a_forget_that_is_killed_leaves_every_byte_and_no_good_backup(tmp_path: Path) -> None:
    seen = set()
    for directory, made in kill_at_each_act(tmp_path, damaged, "forget"):
        state = state_of(directory)
        seen.add(state)
        if state is not None:
            assert directory.type("forget", made.file) == 0
        manifest = made.file.replace(".bak", ".json")
        assert directory.names() == {f"{made.file}.damaged", f"{manifest}.damaged"}
        assert (directory.path / f"{made.file}.damaged").read_bytes() == b"som"
    assert seen == {State.DAMAGED, State.MISSING, None}


def test_a_pin_that_is_killed_is_there_or_not_and_the_backup_is_whole(tmp_path: Path) -> None:
    seen = set()
    for directory, made in kill_at_each_act(tmp_path, sound, "pin"):
        assert state_of(directory) is State.VERIFIED
        seen.add(directory.read(made.file).pin)
        assert directory.type("pin", made.file) == 0
        assert directory.read(made.file).pin == FOR_EVER
        assert directory.names() == {made.file, made.file.replace(".bak", ".json")}
    assert seen == {None, FOR_EVER}
