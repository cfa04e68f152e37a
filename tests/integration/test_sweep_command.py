"""`sweep` and `list` as they are typed, on real files; and their JSON against its schemas."""

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from selfmx_backupd.model import Backup, Damaged, Going, Pin, State
from tests.build import mounted
from tests.directory import Directory

Captured = pytest.CaptureFixture[str]
SCHEMAS = Path(__file__).parents[2] / "packaging" / "json-schemas"


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def old(directory: Directory, count: int = 8) -> list[Backup]:
    """Manual backups that only the brake, or being the newest, keeps; oldest first."""
    return [directory.add(40 + n) for n in reversed(range(count))]


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    return loaded


def ensure_valid(document: dict[str, Any], name: str) -> None:
    """By the schema, which also knows every key that there is."""
    resources = [(each["$id"], Resource.from_contents(each)) for each in map(schema, KINDS)]
    registry: Registry[Any] = Registry().with_resources(resources)
    validator = Draft202012Validator(schema(name), registry=registry)
    assert [error.message for error in validator.iter_errors(document)] == []
    assert set(document) == set(schema(name)["properties"])
    described = set(schema("list")["$defs"]["backup"]["properties"])
    for backup in backups_in(document):
        assert set(backup) <= described


KINDS = ("list", "sweep")


def backups_in(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("backups", "goes", "held_back"):
        yield from document.get(key, [])


def test_a_dry_run_says_what_would_go_and_changes_nothing_under_somebodys_lock(
    directory: Directory, capsys: Captured
) -> None:
    made = old(directory)
    directory.add(90, going=Going(at=directory.at, reason="left manual"))
    before = directory.names()
    with (directory.path / "selfmx.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert directory.type("sweep", "--dry-run") == 0
        assert directory.type("sweep") == 7
    assert directory.names() == before
    assert {each.name for each in directory.state.iterdir()} == {"tick.json"}
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" (")[0] for line in lines[:5]] == [
        *(f"would remove {each.file}" for each in made[:2]),
        *(f"held back {each.file}" for each in made[2:5]),
    ]
    assert all(": left manual on " in line for line in lines[:5])
    assert lines[5] == "2 backups would be removed (20 B), 6 backups kept"
    assert lines[6].startswith("3 held back, because one sweep removes at most a quarter: ")
    assert lines[6].endswith(f"All at once: selfmx-backup {directory.option} sweep --force")


def test_a_sweep_removes_what_the_dry_run_named(directory: Directory, capsys: Captured) -> None:
    made = old(directory)
    assert directory.type("sweep") == 0
    assert {each.file for each in made[2:]} == {
        name for name in directory.names() if name.endswith(".bak")
    }
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"removed {made[0].file} (10 B): left manual on ")
    assert lines[5] == "2 backups removed (20 B), 6 backups kept"


def test_force_takes_what_the_brake_holds_back_and_no_more(
    directory: Directory, capsys: Captured
) -> None:
    made = old(directory)
    held = directory.add(99, pin=Pin(until=None, reason=""))
    assert directory.type("sweep", "--force") == 0
    kept = {name for name in directory.names() if name.endswith(".bak")}
    assert kept == {held.file, *(each.file for each in made[5:])}
    assert "held back" not in capsys.readouterr().out


def test_a_manual_sweep_reads_no_backup_again(directory: Directory) -> None:
    made = directory.add(1)
    (directory.path / made.file).write_bytes(b"other page")
    assert directory.type("sweep") == 0
    assert directory.read(made.file) == made


def test_a_guard_refuses_unless_somebody_says_that_it_goes_all_the_same(
    directory: Directory, capsys: Captured
) -> None:
    made = old(directory)
    before = directory.names()
    directory.watch_clock(timedelta(hours=23))
    assert directory.type("sweep", "--dry-run") == 0
    said = capsys.readouterr().out
    assert said.count("held back selfmx_") == 5
    assert "nothing is swept now: the clock has been steady only since" in said
    assert directory.type("sweep") == 11
    said = capsys.readouterr().err
    assert "error: nothing is swept now: the clock has been steady only since" in said
    assert f"selfmx-backup {directory.option} sweep --force" in said
    assert directory.names() == before
    assert directory.type("sweep", "--force") == 0
    assert len(directory.names()) == 2 * (len(made) - 5)


def test_a_guard_that_keeps_nothing_is_not_spoken_of(
    directory: Directory, capsys: Captured
) -> None:
    directory.add(1)
    directory.watch_clock(timedelta(hours=23))
    assert directory.type("sweep") == 0
    assert capsys.readouterr().out == "0 backups removed (0 B), 1 backup kept\n"


def test_one_that_cannot_be_removed_is_exit_code_10_and_says_what_went(
    directory: Directory, tmp_path: Path, capsys: Captured
) -> None:
    made = old(directory)
    twin = tmp_path / "twin"
    twin.write_bytes((directory.path / made[0].file).read_bytes())
    with mounted(directory.path / made[0].file, "--bind", str(twin)):
        assert directory.type("sweep") == 10
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if line.startswith("error: cannot remove from")]
    assert f"note: 1 backup removed: {made[1].file}" in said


@pytest.mark.parametrize("words", [("--dry-run",), (), ("--force",)])
def test_the_json_of_a_sweep_keeps_its_schema(
    directory: Directory, capsys: Captured, words: tuple[str, ...]
) -> None:
    made = old(directory)
    assert directory.type("sweep", "--json", *words) == 0
    document = json.loads(capsys.readouterr().out)
    ensure_valid(document, "sweep")
    count = 5 if "--force" in words else 2
    assert [each["file"] for each in document["goes"]] == [each.file for each in made[:count]]
    assert len(document["held_back"]) == 5 - count
    assert document["kept"] == 8 - count
    assert document["dry_run"] is bool("--dry-run" in words)


def test_the_json_of_the_list_keeps_its_schema_whatever_the_directory_holds(
    directory: Directory, capsys: Captured
) -> None:
    old(directory, 5)
    directory.add(1, pin=Pin(until=None, reason="evidence"))
    directory.add(2, damaged=Damaged(at=directory.at, by="proof", reason="a bad page"))
    directory.add(3, going=Going(at=directory.at, reason="left manual"))
    directory.add(4, verified=None, sha256=None)
    (directory.path / directory.add(5).file).unlink()
    (directory.path / directory.add(6).file).with_suffix(".json").write_text("{")
    (directory.path / "selfmx_20200101_030000.bak.part").touch()
    (directory.path / "notes.txt").touch()
    assert directory.type("list", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    ensure_valid(document, "list")
    assert {each["state"] for each in document["backups"]} == set(State)
    assert len(document["going"]) == len(document["unfinished"]) == 1
    assert document["strangers"] == ["notes.txt"]


def test_a_document_that_lacks_a_key_would_be_noticed(
    directory: Directory, capsys: Captured
) -> None:
    directory.add(1)
    assert directory.type("list", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    del document["backups"][0]["sha256"]
    with pytest.raises(AssertionError, match="sha256"):
        ensure_valid(document, "list")


def test_the_list_says_when_each_one_may_go_and_what_holds_it(
    directory: Directory, capsys: Captured
) -> None:
    made = old(directory)
    damaged = directory.add(1, pin=Pin(until=None, reason="Mary"))
    os.truncate(directory.path / damaged.file, 3)
    going = directory.add(2, going=Going(at=directory.at, reason="left manual"))
    young = directory.add(3)
    assert directory.type("list") == 0
    header, *rows, last = capsys.readouterr().out.splitlines()
    assert header.split("  ")[-1] == "STAYS"
    assert "MAY GO" in header
    by_name = {row.split()[0]: row for row in rows}
    assert "-  " in by_name[damaged.file]
    size = "its size is 3 bytes, 10 were written; pinned for ever (Mary)"
    assert by_name[damaged.file].endswith(f"  -           {size}")
    assert "  -           manual until " in by_name[young.file]
    assert " d  now         may go: left manual on " in by_name[made[0].file]
    assert by_name[made[4].file].endswith("next sweep  held back by the brake")
    assert last == f"being deleted, for the next run to end: {going.file}"
