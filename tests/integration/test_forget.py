"""`forget` as it is typed, on real files: bytes are never deleted."""

from pathlib import Path

import pytest

from selfmx_backupd.model import Backup, Going, Pin
from tests.directory import Directory

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def manifest_of(backup: Backup) -> str:
    return backup.file.replace(".bak", ".json")


def damage(directory: Directory, pin: Pin | None = None) -> Backup:
    made = directory.add(1, pin=pin)
    (directory.path / made.file).write_bytes(b"cut")
    return made


def test_a_missing_one_is_named_with_all_that_is_known_and_its_manifest_goes(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(1)
    (directory.path / made.file).unlink()
    assert directory.type("forget", made.file) == 0
    assert directory.names() == set()
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"{made.file} is missing: its manifest is here, the file is gone"
    assert second.startswith("given up: a backup of SelfMX as manual, begun ")
    assert second.endswith(f"10 B, SHA-256 {made.sha256}")
    assert third == "its manifest is removed; nothing is left of it here"


def test_one_that_is_missing_with_a_manifest_that_nobody_can_read_is_forgotten_too(
    directory: Directory, capsys: Captured
) -> None:
    (directory.path / "selfmx_20260101_030000.json").write_text("{")
    assert directory.type("forget", "selfmx_20260101_030000.bak") == 0
    assert directory.names() == set()
    assert "a backup of which nothing more is known" in capsys.readouterr().out


def test_a_damaged_one_keeps_its_bytes_under_a_name_that_is_not_ours(
    directory: Directory, capsys: Captured
) -> None:
    made = damage(directory)
    assert directory.type("forget", made.file) == 0
    aside = [f"{made.file}.damaged", f"{manifest_of(made)}.damaged"]
    assert directory.names() == set(aside)
    assert (directory.path / aside[0]).read_bytes() == b"cut"
    said = capsys.readouterr().out
    assert f"to free its space: rm {' '.join(str(directory.path / each) for each in aside)}" in said
    inventory = directory.world().inventory()
    assert inventory.entries == ()
    assert set(inventory.strangers) == set(aside)


@pytest.mark.parametrize("ending", [".bak.damaged", ".json.damaged"])
def test_nothing_is_ever_put_over_another_file(
    directory: Directory, capsys: Captured, ending: str
) -> None:
    made = damage(directory)
    taken = directory.path / made.file.replace(".bak", ending)
    taken.write_bytes(b"what somebody kept")
    before = directory.names()
    assert directory.type("forget", made.file) == 1
    assert directory.names() == before
    assert taken.read_bytes() == b"what somebody kept"
    assert f"the name has been taken ({taken.name})" in capsys.readouterr().err


def test_killed_between_its_two_renames_it_is_missing_and_the_next_forget_ends_it(
    directory: Directory, capsys: Captured
) -> None:
    made = damage(directory)
    (directory.path / made.file).rename(directory.path / f"{made.file}.damaged")
    (entry,) = directory.world().inventory().entries
    assert entry.state == "missing"
    assert directory.type("forget", made.file) == 0
    assert directory.names() == {f"{made.file}.damaged", f"{manifest_of(made)}.damaged"}
    assert f"it is kept as {made.file}.damaged" in capsys.readouterr().out


def test_what_may_be_good_is_refused_with_the_command_that_tells(
    directory: Directory, capsys: Captured
) -> None:
    good, unproven, alone = directory.add(1), directory.add(2, verified=None), directory.add(3)
    (directory.path / manifest_of(alone)).unlink()
    before = directory.names()
    assert [directory.type("forget", each.file) for each in (good, unproven, alone)] == [11] * 3
    assert directory.names() == before
    said = capsys.readouterr().err
    backup, restore = f"selfmx-backup {directory.option}", f"selfmx-restore {directory.option}"
    assert f"error: {good.file} is verified, and goes when retention lets it go" in said
    assert f"hint: When that is: {backup} list" in said
    assert f"error: {unproven.file} may be good: it was never proven" in said
    assert f"hint: To prove it: {backup} verify {unproven.file}" in said
    assert f"error: {alone.file} may be good: it has no manifest" in said
    assert f"hint: To see what is in it: {restore} --as SelfMX_look {alone.file}" in said


def test_one_that_somebody_holds_is_refused_until_it_is_unpinned(
    directory: Directory, capsys: Captured
) -> None:
    made = damage(directory, pin=Pin(until=None, reason="evidence"))
    assert directory.type("forget", made.file) == 11
    said = capsys.readouterr().err
    assert f"error: {made.file} is pinned (evidence), and it is damaged: its size is" in said
    unpin = f"selfmx-backup {directory.option} unpin {made.file}"
    assert f"hint: If nobody needs it: {unpin}, then forget it." in said
    (directory.path / made.file).unlink()
    assert directory.type("forget", made.file) == 11
    assert directory.type("unpin", made.file) == 0
    assert directory.type("forget", made.file) == 0
    assert directory.names() == set()


def test_a_pin_that_has_ended_holds_nothing(directory: Directory) -> None:
    made = damage(directory, pin=Pin(until=directory.at, reason=""))
    assert directory.type("forget", made.file) == 0


def test_one_that_is_being_deleted_is_no_loss_to_accept(
    directory: Directory, capsys: Captured
) -> None:
    made = directory.add(1, going=Going(at=directory.at, reason="left manual"))
    assert directory.type("forget", made.file) == 6
    assert f"the deletion of {made.file} has begun" in capsys.readouterr().err
    assert made.file in directory.names()
