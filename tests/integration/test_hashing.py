"""SHA-256 beside SQL Server's own reading, on real files."""

import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import Cancelled, DirectoryUnusable
from selfmx_backupd.jobs.hashing import Hashing
from selfmx_backupd.model import Progress
from tests.directory import Directory

FILE = "selfmx_20261126_030000.bak"
# Without blocks on the disk; no machine computes its sum within a second.
LARGE_BYTES = 8 << 30


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def hashing(directory: Directory, size_bytes: int, cancel: Cancel) -> Hashing:
    return Hashing(directory.world().directory, FILE, size_bytes, cancel)


def test_the_sum_of_a_small_file_is_there_without_a_word(directory: Directory) -> None:
    (directory.path / FILE).write_bytes(b"some pages")
    told: list[Progress] = []
    with hashing(directory, 10, Cancel()) as running:
        assert running.result(told.append) == hashlib.sha256(b"some pages").hexdigest()
    assert told == []


def test_whoever_waits_for_a_large_one_is_told_how_far_it_is_and_can_stop_it(
    directory: Directory,
) -> None:
    with (directory.path / FILE).open("wb") as large:
        os.truncate(large.fileno(), LARGE_BYTES)
    cancel = Cancel()
    told: list[Progress] = []

    def note(progress: Progress) -> None:
        told.append(progress)
        if len(told) > 1:
            cancel.request(signal.SIGTERM)

    with hashing(directory, LARGE_BYTES, cancel) as running, pytest.raises(Cancelled):
        running.result(note)
    assert {each.step for each in told} == {"computing SHA-256"}
    first, second = (each.percent or 0 for each in told[:2])
    assert 0 <= first <= second < 100


def test_who_does_not_wait_for_it_ends_it(directory: Directory) -> None:
    with (directory.path / FILE).open("wb") as large:
        os.truncate(large.fileno(), LARGE_BYTES)
    began = time.monotonic()
    with hashing(directory, LARGE_BYTES, Cancel()):
        pass
    assert time.monotonic() - began < 1


def test_what_cannot_be_read_is_raised_to_whoever_waits(directory: Directory) -> None:
    with (
        hashing(directory, 1, Cancel()) as running,
        pytest.raises(DirectoryUnusable, match="cannot read a file in"),
    ):
        running.result(lambda _: None)
