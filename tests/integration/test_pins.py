"""`pin` and `unpin` as they are typed, on real files."""

import fcntl
from datetime import timedelta
from pathlib import Path

import pytest

from selfmx_backupd.model import Going, Pin, State, Tier
from tests.build import utc
from tests.directory import Directory

Captured = pytest.CaptureFixture[str]
FOR_EVER = Pin(until=None, reason="")


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path, zone="Europe/Vienna")


def state_of(directory: Directory, file: str) -> State:
    return next(each.state for each in directory.world().inventory().entries if each.file == file)


def test_a_pin_without_an_end_holds_for_ever_and_says_what_keeps_the_backup(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(1)
    assert directory.type("pin", made.file) == 0
    assert directory.read(made.file).pin == FOR_EVER
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{made.file}: pinned for ever"
    assert second.startswith("it is verified and stays: manual until ")
    assert second.endswith("; one of the 3 newest; pinned for ever; no date on which it may go")


def test_a_date_is_outlasted_by_its_local_day(directory: Directory, capsys: Captured) -> None:
    made = directory.add(1)
    words = ("--until", "2099-07-01", "--reason", "before the upgrade")
    assert directory.type("pin", made.file, *words) == 0
    wanted = Pin(until=utc("2099-07-01 21:59:59"), reason="before the upgrade")
    assert directory.read(made.file).pin == wanted
    said = capsys.readouterr().out
    assert f"{made.file}: pinned until 2099-07-01 23:59 CEST (before the upgrade)\n" in said
    assert "pinned until 2099-07-01 (before the upgrade)" in said


def test_it_says_when_the_backup_may_go_afterwards(directory: Directory, capsys: Captured) -> None:
    for days_old in (1, 2, 3):
        directory.add(days_old)
    made = directory.add(4)
    assert directory.type("pin", made.file, "--until", "2099-07-01") == 0
    assert capsys.readouterr().out.endswith("; it may go on 2099-07-01\n")


def test_a_pin_replaces_the_one_before(directory: Directory, capsys: Captured) -> None:
    made = directory.add(1, pin=Pin(until=utc("2098-01-01 11:00"), reason="Mary"))
    assert directory.type("pin", made.file) == 0
    assert directory.read(made.file).pin == FOR_EVER
    said = "pinned for ever; before it was pinned until 2098-01-01 12:00 CET (Mary)"
    assert said in capsys.readouterr().out


def test_unpin_says_what_it_lets_go_and_what_comes_of_it(
    directory: Directory, capsys: Captured
) -> None:
    for days_old in (1, 2, 3):
        directory.add(days_old)
    made = directory.add(90, pin=Pin(until=None, reason="evidence"))
    assert directory.type("unpin", made.file) == 0
    assert directory.read(made.file).pin is None
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{made.file}: it is no longer pinned for ever (evidence)"
    assert second.startswith("it may go now: left manual on ")


def test_unpin_of_one_that_nobody_holds_says_so_and_is_no_error(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(1)
    before = (directory.path / made.file).with_suffix(".json").stat().st_ino
    assert directory.type("unpin", made.file) == 0
    assert f"{made.file}: it was not pinned\n" in capsys.readouterr().out
    assert (directory.path / made.file).with_suffix(".json").stat().st_ino == before


def test_a_deletion_that_has_not_taken_the_file_is_called_off(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(90, going=Going(at=directory.at, reason="left manual"))
    assert directory.type("pin", made.file) == 0
    assert directory.read(made.file).going is None
    assert state_of(directory, made.file) is State.VERIFIED
    assert directory.type("sweep") == 0
    assert (directory.path / made.file).exists()
    assert "it is verified and stays: " in capsys.readouterr().out


def test_a_deletion_that_has_taken_the_file_leaves_nothing_to_hold(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(90, going=Going(at=directory.at, reason="left manual"))
    (directory.path / made.file).unlink()
    assert directory.type("pin", made.file) == 6
    said = capsys.readouterr().err
    assert f"error: the deletion of {made.file} has begun (left manual)" in said
    keep = f"selfmx-backup {directory.option} pin {made.file}"
    assert f"hint: To keep it, while its file is there: {keep}" in said


def test_a_damaged_one_may_be_held_and_is_called_damaged(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(1)
    (directory.path / made.file).write_bytes(b"cut")
    assert directory.type("pin", made.file) == 0
    said = capsys.readouterr().out
    assert "it is damaged and stays: its size is 3 bytes, 10 were written; pinned for ever" in said


def test_nothing_is_held_where_nothing_is_there(directory: Directory, capsys: Captured) -> None:
    gone = directory.add(1, (Tier.DAILY,))
    (directory.path / gone.file).unlink()
    alone = directory.add(2)
    (directory.path / alone.file).with_suffix(".json").unlink()
    assert [directory.type("pin", each.file) for each in (gone, alone)] == [6, 6]
    assert directory.type("pin", "selfmx_20200101_030000.bak") == 6
    said = capsys.readouterr().err
    assert f"error: {gone.file} is missing: its manifest is here, the file is gone" in said
    assert f"selfmx-backup {directory.option} forget {gone.file}" in said
    assert f"error: {alone.file} is unknown: it has no manifest" in said
    assert f"selfmx-restore {directory.option} --as SelfMX_look {alone.file}" in said
    assert "error: there is no backup selfmx_20200101_030000.bak in" in said
    assert f"hint: The list: selfmx-backup {directory.option} list" in said


def test_what_makes_no_sense_is_refused_before_anything_is_written(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(1)
    yesterday = f"{directory.at - timedelta(days=2):%Y-%m-%d}"
    assert directory.type("pin", made.file, "--until", yesterday) == 2
    assert directory.type("pin", made.file, "--until", "next year") == 2
    assert directory.type("pin", made.file, "--reason", "two\nlines") == 2
    assert directory.type("pin", f"{made.file}.part") == 2
    assert directory.type("pin", f"/elsewhere/{made.file}") == 2
    said = capsys.readouterr().err
    assert f"error: --until {yesterday} has passed, and a pin holds into the future" in said
    assert "error: --until next year is no date; write for example 2027-03-01" in said
    assert "error: --reason wants one line of text" in said
    assert f"error: {made.file}.part is not finished" in said
    pin = f"selfmx-backup {directory.option} pin {made.file}"
    assert f"hint: Move it there, then type: {pin}" in said
    assert directory.read(made.file) == made


def test_a_path_in_the_directory_is_as_good_as_a_name(directory: Directory) -> None:
    made = directory.add(1)
    assert directory.type("pin", str(directory.path / ".." / "backups" / made.file)) == 0
    assert directory.read(made.file).pin == FOR_EVER


@pytest.mark.parametrize("command", ["pin", "unpin", "forget"])
def test_while_a_job_holds_the_lock_nothing_is_written(
    directory: Directory, capsys: Captured, command: str
) -> None:
    made = directory.add(1)
    with (directory.path / "selfmx.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert directory.type(command, made.file) == 7
    assert "error: another job is running: " in capsys.readouterr().err
    assert directory.read(made.file) == made
