import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from selfmx_backupd.adapters.state import StateFile
from selfmx_backupd.errors import ConfigError, DirectoryUnusable
from selfmx_backupd.outcomes import Failure, Job, Outcome, Outcomes, RunMark
from tests.build import utc

AT = utc("2026-11-24 03:00")
ERROR = Failure(at=AT, exit_code=8, message="kein Platz in /größe", hint="Type: df -h")
FULL = Outcomes(
    running=RunMark(
        job=Job.BACKUP, run_id="ab12", started_at=AT, pid=7, step="verifying", detail="x.bak"
    ),
    jobs=MappingProxyType(
        {
            Job.BACKUP: Outcome(last_attempt_at=AT, failures_in_a_row=3, last_error=ERROR),
            Job.SWEEP: Outcome(last_attempt_at=AT, last_success_at=AT + timedelta(seconds=5)),
        }
    ),
)


@pytest.fixture
def state(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "var" / "lib", OWNER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "var" / "lib" / "state.json"
    path.parent.mkdir(parents=True)
    return path


OWNER = "/data/selfmx/backups/selfmx"


def written(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_what_is_written_is_read(state: StateFile) -> None:
    state.write(FULL)
    assert state.read() == FULL


def test_nothing_is_remembered_where_there_is_no_file(state: StateFile) -> None:
    assert state.read() == Outcomes()
    assert state.read().of(Job.BACKUP) == Outcome()


def test_the_document_has_these_names(state: StateFile, path: Path) -> None:
    state.write(FULL)
    assert written(path) == {
        "schema": 1,
        "owner": OWNER,
        "running": {
            "job": "backup",
            "run_id": "ab12",
            "started_at": "2026-11-24T03:00:00+00:00",
            "pid": 7,
            "step": "verifying",
            "detail": "x.bak",
        },
        "jobs": {
            "backup": {
                "last_attempt_at": "2026-11-24T03:00:00+00:00",
                "last_success_at": None,
                "failures_in_a_row": 3,
                "last_error": {
                    "at": "2026-11-24T03:00:00+00:00",
                    "exit_code": 8,
                    "message": "kein Platz in /größe",
                    "hint": "Type: df -h",
                },
            },
            "sweep": {
                "last_attempt_at": "2026-11-24T03:00:00+00:00",
                "last_success_at": "2026-11-24T03:00:05+00:00",
                "failures_in_a_row": 0,
                "last_error": None,
            },
        },
        "restore": None,
    }


def test_the_file_is_whole_and_others_may_not_read_it(state: StateFile, path: Path) -> None:
    state.write(FULL)
    assert [each.name for each in path.parent.iterdir()] == ["state.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_directory_is_made_where_it_is_missing(state: StateFile, tmp_path: Path) -> None:
    state.make_directory()
    state.make_directory()
    assert stat.S_IMODE((tmp_path / "var" / "lib").stat().st_mode) == 0o750
    assert state.daemon_lock_path == tmp_path / "var" / "lib" / "daemon.lock"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x00" * 100,
        b"\xff\xfe",
        b"[]",
        b"null",
        b"5",
        b"{}",
        b'{"jobs": []}',
        b'{"jobs": {"backup": {}}}',
        b'{"jobs": {"backup": {"last_error": 5}}}',
        b'{"jobs": {}, "running": {"job": "backup"}}',
        b'{"jobs": {}, "running": {"job": "x", "run_id": "", "started_at": ""}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_forgotten_and_replaced(
    state: StateFile, path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    assert state.read() == Outcomes(doubt=f"{path} makes no sense to this version")
    state.write(FULL)
    assert state.read() == FULL


def test_a_newer_schema_is_read_as_well_as_can_be_and_doubted(state: StateFile, path: Path) -> None:
    state.write(FULL)
    path.write_text(json.dumps({**written(path), "schema": 2}))
    doubt = f"{path} has schema 2, this version knows 1"
    assert state.read() == replace(FULL, doubt=doubt)
    state.write(state.read())
    assert state.read() == FULL


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "yesterday", 5])
def test_a_time_that_makes_no_sense_is_damage(state: StateFile, path: Path, at: object) -> None:
    state.write(FULL)
    document = written(path)
    document["running"]["started_at"] = at
    path.write_text(json.dumps(document))
    assert state.read() == Outcomes(doubt=f"{path} makes no sense to this version")


def test_unknown_keys_are_kept(state: StateFile, path: Path) -> None:
    state.write(FULL)
    more = {"tick_at": "2026-11-24T03:00:00+00:00", "later": {"step": "swap"}, "none": None}
    path.write_text(json.dumps(written(path) | more))
    outcomes = state.read()
    assert outcomes.running == FULL.running
    state.write(outcomes)
    assert {key: written(path)[key] for key in more} == more


def test_a_file_that_cannot_be_read_is_no_fresh_start(state: StateFile, path: Path) -> None:
    path.mkdir()
    with pytest.raises(DirectoryUnusable) as caught:
        state.read()
    assert caught.value.message == f"cannot read {path}: is a directory"
    assert caught.value.hint is not None
    assert str(path.parent) in caught.value.hint


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    state = StateFile(tmp_path / "file" / "lib", OWNER)
    for doing in (state.read, state.make_directory, lambda: state.write(FULL)):
        with pytest.raises(DirectoryUnusable, match=r"file/lib/state\.json: not a directory"):
            doing()


def test_what_cannot_be_written_is_remembered_by_the_process_and_reported_once(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "lib"
    directory.write_text("a file in its place")
    state = StateFile(directory, OWNER)
    first = state.remember(FULL)
    assert first is not None
    assert str(state.trouble) == first.message
    assert state.remember(FULL) is None
    assert state.recall() == FULL
    directory.unlink()
    assert state.remember(Outcomes()) is None
    assert StateFile(directory, OWNER).read() == Outcomes()
    assert not state.trouble


def test_the_memory_of_another_configuration_is_refused(tmp_path: Path) -> None:
    StateFile(tmp_path, OWNER).write(FULL)
    other = StateFile(tmp_path, "/data/selfmx/backups/other")
    for look in (other.read, other.recall):
        with pytest.raises(ConfigError, match=f"state.directory: .* is the memory of {OWNER}"):
            look()


def test_a_memory_that_names_no_owner_is_taken_over(tmp_path: Path) -> None:
    """As an earlier version wrote it."""
    StateFile(tmp_path, OWNER).write(FULL)
    path = tmp_path / "state.json"
    document = json.loads(path.read_text())
    del document["owner"]
    path.write_text(json.dumps(document))
    assert StateFile(tmp_path, "/somebody/else").read() == FULL
