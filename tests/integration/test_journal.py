"""The journal's native protocol over a real socket, read as journald reads it."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfmx_backupd.adapters import journal
from selfmx_backupd.adapters.journal import send
from tests.journald import Journald


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    with Journald(tmp_path / "socket") as journald:
        yield journald


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("one", ["one"]),
        ("", [""]),
        ("a=b=c", ["a=b=c"]),
        ("two\nlines", ["two\nlines"]),
        ("\n", ["\n"]),
        ("PRIORITY=0\nPRIORITY=0\n", ["PRIORITY=0\nPRIORITY=0\n"]),
        ("größe 数据 🙂\tx", ["größe 数据 🙂\tx"]),
        ("no UTF-8: \udcff", ["no UTF-8: \\udcff"]),
        ("\ud800\n", ["\\ud800\n"]),
        ("red \x1b[31m, null \0, \r\x7f\x85", ["red ?[31m, null ?, ???"]),
        (3, ["3"]),
        (0.5, ["0.5"]),
        (Path("/data/x"), ["/data/x"]),
        (("daily", "weekly"), ["daily", "weekly"]),
        (["a\nb", 2], ["a\nb", "2"]),
        ((), []),
        (None, []),
    ],
)
def test_a_value_arrives_as_text(journald: Journald, value: object, arrives: list[str]) -> None:
    assert send({"BEFORE": 1, "FIELD": value, "AFTER": 2}, str(journald.path))
    (entry,) = journald.read()
    assert entry.pop("FIELD", []) == arrives
    assert entry == {"BEFORE": ["1"], "AFTER": ["2"]}


@pytest.mark.parametrize("size", [10_000, 200_000, 5_000_000])
@pytest.mark.parametrize("end", ["", "\n"])
def test_an_entry_may_be_of_any_size(journald: Journald, size: int, end: str) -> None:
    value = "ä" * (size // 2) + end
    assert send({"MESSAGE": "large", "FIELD": value}, str(journald.path))
    assert journald.read() == [{"MESSAGE": ["large"], "FIELD": [value]}]


def test_no_file_stays_open_behind_an_entry(journald: Journald) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for size in (1, 5_000_000):
        assert send({"FIELD": "x" * size}, str(journald.path))
    assert not send({"FIELD": "x"}, "/nowhere/socket")
    assert count() == before


def test_a_journal_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    assert not send({"MESSAGE": "x"}, str(path))
    path.touch()
    assert not send({"MESSAGE": "x"}, str(path))
    Journald(tmp_path / "left").socket.close()
    assert not send({"MESSAGE": "x"}, str(tmp_path / "left"))
    assert not send({"MESSAGE": "x"}, "/" + "x" * 200)


@pytest.mark.parametrize("size", [1, 300_000])
def test_a_journal_that_does_not_read_is_not_waited_for(journald: Journald, size: int) -> None:
    sent = 0
    while send({"MESSAGE": "x" * (size if sent else 1)}, str(journald.path)):
        sent += 1
        assert sent < 100_000
    assert len(journald.read()) == sent
    assert send({"MESSAGE": "it reads again"}, str(journald.path))


def test_a_journal_that_was_started_anew_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    for _ in range(2):
        with Journald(path) as journald:
            assert send({"MESSAGE": "x"}, str(path))
            assert len(journald.read()) == 1
        assert not send({"MESSAGE": "x"}, str(path))
        path.unlink()


def test_a_forked_process_sends_as_well(journald: Journald) -> None:
    assert send({"MESSAGE": "parent"}, str(journald.path))
    child = os.fork()
    if child == 0:
        os._exit(0 if send({"MESSAGE": "child"}, str(journald.path)) else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert send({"MESSAGE": "parent again"}, str(journald.path))
    said = [entry["MESSAGE"] for entry in journald.read()]
    assert said == [["parent"], ["child"], ["parent again"]]


def test_a_stream_is_the_journals_where_the_variable_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _theirs = socket.socketpair()
    with ours, _theirs, ours.makefile("w") as stream, (tmp_path / "file").open("w") as file:
        status = os.fstat(ours.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert journal.is_behind(stream)
        assert not journal.is_behind(file)
        monkeypatch.delenv("JOURNAL_STREAM")
        assert not journal.is_behind(stream)
