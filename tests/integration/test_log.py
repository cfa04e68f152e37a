"""Logging in a process of its own, whose standard error is a real file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAY = """
import logging, sys
from selfmx_backupd import events, log
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
REJECTED = (
    "the new configuration is wrong and the old one stays in force: "
    "config.toml: one; config.toml: grö{ß}e"
)
FAILED = "the backup failed: the disk is full"
PLAIN = [
    f"info: {STOPPING}",
    f"warning: {RESTART}",
    f"error: {REJECTED}",
    f"error: {FAILED}",
    "apscheduler: late",
]


def lines(path: Path, journal: str | None, *words: str) -> list[str]:
    """What is logged to a file while JOURNAL_STREAM names that or another."""
    environment = {name: each for name, each in os.environ.items() if name != "JOURNAL_STREAM"}
    if journal is not None:
        environment["JOURNAL_STREAM"] = journal
    with path.open("w", encoding="utf-8") as stream:
        words = (sys.executable, "-X", "utf8", "-c", SAY, *words)
        subprocess.run(words, env=environment, stderr=stream, timeout=20, check=True)
    return path.read_text(encoding="utf-8").splitlines()


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


def test_the_journal_reads_a_priority_before_each_line(path: Path) -> None:
    assert lines(path, stream(path)) == [
        f"<6>{STOPPING}",
        f"<4>{RESTART}",
        f"<3>{REJECTED}",
        f"<3>{FAILED}",
        "<4>apscheduler: late",
    ]


def test_a_command_shows_what_is_wrong_and_leaves_its_end_to_its_last_words(path: Path) -> None:
    assert lines(path, None, "quiet") == [*PLAIN[1:3], PLAIN[4]]
