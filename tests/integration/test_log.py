"""Logging in a process of its own, whose standard error is a real file or socket."""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from selfmx_backupd import events
from selfmx_backupd.adapters.journal import send
from selfmx_backupd.event import Event
from tests.journald import Journald, stream_of

SAY = """
import logging, sys
from selfmx_backupd import events, log
from selfmx_backupd.adapters import journal
journal.SOCKET = sys.argv[1]
log.set_up(quiet="quiet" in sys.argv)
log.emit(events.DAEMON_STOPPING, signal="SIGTERM")
log.emit(events.CONFIG_NEEDS_RESTART, keys=("a.b", "c.d"))
log.emit(events.CONFIG_REJECTED, error="config.toml: one\\nconfig.toml: grö{ß}e", more=1)
log.emit(events.BACKUP_FAILED, error="the disk is full")
logging.getLogger("apscheduler").warning("late")
logging.getLogger("apscheduler").info("added")
"""
STOPPING = "stopping on SIGTERM"
RESTART = "changed, but taken up only by a restart: a.b, c.d"
OLD_STAYS = "the new configuration is wrong and the old one stays in force: "
REJECTED = f"{OLD_STAYS}config.toml: one; config.toml: grö{{ß}}e"
FAILED = "the backup failed: the disk is full"
PLAIN = [
    f"info: {STOPPING}",
    f"warning: {RESTART}",
    f"error: {REJECTED}",
    f"error: {FAILED}",
    "apscheduler: late",
]
WITH_PRIORITIES = [
    f"<6>{STOPPING}",
    f"<4>{RESTART}",
    f"<3>{REJECTED}",
    f"<3>{FAILED}",
    "<4>apscheduler: late",
]
NOWHERE = Path("/nowhere/socket")


def say(stderr: int, journal: str | None, socket_path: Path, *words: str) -> None:
    """Log to a descriptor while JOURNAL_STREAM names that or another."""
    environment = {name: each for name, each in os.environ.items() if name != "JOURNAL_STREAM"}
    if journal is not None:
        environment["JOURNAL_STREAM"] = journal
    command = (sys.executable, "-X", "utf8", "-c", SAY, str(socket_path), *words)
    subprocess.run(command, env=environment, stderr=stderr, timeout=20, check=True)


def lines(path: Path, journal: str | None, *words: str) -> list[str]:
    """What is logged to a file, where no journal listens."""
    with path.open("wb") as file:
        say(file.fileno(), journal, NOWHERE, *words)
    return path.read_text(encoding="utf-8").splitlines()


def entry(event: Event, message: str, priority: int, **fields: object) -> dict[str, object]:
    """What the journal holds of one of our events."""
    ours = {"EVENT": event.name, "MESSAGE_ID": event.message_id, "MESSAGE": message}
    known = {**ours, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": "selfmx-backupd"}
    told = {name: each if isinstance(each, list) else [each] for name, each in fields.items()}
    return {**{name: [each] for name, each in known.items()}, **told}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "err").touch()
    return tmp_path / "err"


def stream(path: Path) -> str:
    status = path.stat()
    return f"{status.st_dev}:{status.st_ino}"


@pytest.mark.parametrize("journal", [None, "", "1:1", "nonsense"])
def test_a_person_reads_plain_lines_with_the_level(path: Path, journal: str | None) -> None:
    assert lines(path, journal) == PLAIN


def test_a_person_reads_them_also_beside_a_journal(path: Path, tmp_path: Path) -> None:
    with Journald(tmp_path / "socket") as journald:
        with path.open("wb") as file:
            say(file.fileno(), "1:1", journald.path)
        assert path.read_text(encoding="utf-8").splitlines() == PLAIN
        assert journald.read() == []


def test_the_journal_gets_an_entry_with_fields_and_no_line(path: Path, tmp_path: Path) -> None:
    with Journald(tmp_path / "socket") as journald:
        with path.open("wb") as file:
            say(file.fileno(), stream(path), journald.path)
        assert path.read_text() == ""
        errors = "config.toml: one\nconfig.toml: grö{ß}e"
        library = {"MESSAGE": ["apscheduler: late"], "PRIORITY": ["4"]}
        assert journald.read() == [
            entry(events.DAEMON_STOPPING, STOPPING, 6, SIGNAL="SIGTERM"),
            entry(events.CONFIG_NEEDS_RESTART, RESTART, 4, KEYS=["a.b", "c.d"]),
            entry(events.CONFIG_REJECTED, OLD_STAYS + errors, 3, ERROR=errors, MORE="1"),
            entry(events.BACKUP_FAILED, FAILED, 3, ERROR="the disk is full"),
            {**library, "SYSLOG_IDENTIFIER": ["selfmx-backupd"]},
        ]


def test_where_no_journal_listens_lines_carry_the_priority(path: Path) -> None:
    assert lines(path, stream(path)) == WITH_PRIORITIES


def fill(journald: Journald) -> None:
    """Send what it does not read, until nothing more fits."""
    while send({"MESSAGE": "x"}, str(journald.path)):
        pass


def test_where_the_journal_is_full_lines_carry_the_priority(path: Path, tmp_path: Path) -> None:
    with Journald(tmp_path / "socket") as journald:
        fill(journald)
        with path.open("wb") as file:
            say(file.fileno(), stream(path), journald.path)
    assert path.read_text(encoding="utf-8").splitlines() == WITH_PRIORITIES


def test_a_journal_that_hangs_altogether_is_not_waited_for(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Journald(tmp_path / "socket") as journald:
        fill(journald)
        theirs.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                theirs.send(b"x" * 100)
        theirs.settimeout(None)
        say(theirs.fileno(), stream_of(theirs.fileno()), journald.path)


def test_a_command_shows_what_is_wrong_and_leaves_its_end_to_its_last_words(path: Path) -> None:
    assert lines(path, None, "quiet") == [*PLAIN[1:3], PLAIN[4]]
