"""A restore's plan in `state.json`, and what becomes of one that cannot be read."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from selfmx_backupd.adapters.state import StateFile
from selfmx_backupd.outcomes import Job, Outcome, Outcomes, RunMark
from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step
from tests.build import plan, utc

OWNER = "/data/selfmx/backups/selfmx"
AT = utc("2026-11-24 03:00")
FULL = Outcomes(
    running=RunMark(
        job=Job.BACKUP, run_id="ab12", started_at=AT, pid=7, step="verifying", detail="x.bak"
    ),
    jobs={Job.BACKUP: Outcome(last_attempt_at=AT, failures_in_a_row=3)},
)
KEPT = (
    Kept(name="SelfMX_before_1", since=AT, because="selfmx_20261101_030000.bak", is_way_back=True),
    Kept(name="SelfMX_stray_2", since=AT, because=None, is_way_back=False),
)
BESIDE = plan(Kind.BESIDE, Step.SWAPPING, app_stopped=True, kept=KEPT)
IN_PLACE = plan(Kind.IN_PLACE, Step.DONE, safety="selfmx_20261124_120003.bak", ended_at=AT)
PLANS = {
    "an open one": plan(),
    "one with what was kept": BESIDE,
    "one in place": IN_PLACE,
    "an undo": plan(Kind.UNDO, Step.GIVEN_UP, ended_at=AT, kept=KEPT),
    "a copy": plan(Kind.COPY),
    "a new server's": plan(live_state=None),
    "one of odd names": replace(
        plan(),
        database="a\"b\\c'] Größe 🙂",
        incoming="\udce4 no character\n",
        live_files=("/d/ü.mdf", "C:\\d\\x.ldf"),
    ),
}


@pytest.fixture
def state(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path, OWNER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def written(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.mark.parametrize("restore", PLANS.values(), ids=PLANS)
def test_the_plan_of_a_restore_is_read_as_it_was_written(
    state: StateFile, restore: RestorePlan
) -> None:
    state.write(replace(FULL, restore=restore))
    assert state.read() == replace(FULL, restore=restore)
    assert state.read().restore == restore


def test_every_plan_of_every_step_is_known_again(state: StateFile) -> None:
    for kind in Kind:
        for step in Step:
            state.write(Outcomes(restore=plan(kind, step)))
            assert state.read().restore == plan(kind, step)


def test_the_document_of_a_plan_has_these_names(state: StateFile, path: Path) -> None:
    state.write(Outcomes(restore=BESIDE))
    document = written(path)["restore"]
    assert set(document) == {each.name for each in fields(RestorePlan)}
    assert (document["kind"], document["step"]) == ("beside", "swapping")
    assert document["started_at"] == "2026-11-24T12:00:00+00:00"
    assert (document["ended_at"], document["app_stopped"]) == (None, True)
    assert document["live_files"] == list(BESIDE.live_files)
    assert document["kept"][0] == {
        "name": "SelfMX_before_1",
        "since": "2026-11-24T03:00:00+00:00",
        "because": "selfmx_20261101_030000.bak",
        "is_way_back": True,
    }


def test_a_memory_of_a_version_that_could_not_restore_has_no_plan(
    state: StateFile, path: Path
) -> None:
    state.write(FULL)
    document = written(path)
    del document["restore"]
    path.write_text(json.dumps(document))
    assert state.read() == FULL


def broken_plan(key: str, value: object) -> dict[str, Any]:
    """As another version may have written it, or a person."""
    document = {each.name: getattr(BESIDE, each.name) for each in fields(BESIDE)}
    document |= {"started_at": AT.isoformat(), "kept": []}
    if value is None:
        del document[key]
    else:
        document[key] = value
    told: dict[str, Any] = json.loads(json.dumps(document))
    return told


BROKEN = pytest.mark.parametrize(
    "restore",
    [
        broken_plan("kept", None),
        broken_plan("incoming_files", None),
        broken_plan("kind", "sideways"),
        broken_plan("step", "dancing"),
        broken_plan("kept", [{"name": "x"}]),
        {},
        5,
    ],
)


@BROKEN
def test_a_plan_that_cannot_be_read_costs_the_memory_of_no_job(
    state: StateFile, path: Path, restore: object
) -> None:
    state.write(FULL)
    path.write_text(json.dumps(written(path) | {"restore": restore}))
    assert state.read().jobs == FULL.jobs
    assert state.read().running == FULL.running


@BROKEN
def test_a_plan_that_cannot_be_read_is_not_written_over(
    state: StateFile, path: Path, restore: object
) -> None:
    """It may be all that tells which database is which, and a newer version reads it."""
    state.write(FULL)
    path.write_text(json.dumps(written(path) | {"restore": restore}))
    state.write(state.read())
    assert written(path)["restore"] == restore


def test_a_plan_of_another_process_is_known_where_our_own_memory_was_not_written(
    tmp_path: Path,
) -> None:
    """The daemon's disk was full; then somebody made room and restored."""
    daemon, command = StateFile(tmp_path, OWNER), StateFile(tmp_path, OWNER)
    in_the_way = tmp_path / "state.json.tmp"
    in_the_way.mkdir()
    assert daemon.remember(FULL) is not None
    in_the_way.rmdir()
    command.write(Outcomes(restore=BESIDE))
    assert daemon.recall() == daemon.read() == replace(FULL, restore=BESIDE)
    assert daemon.remember(daemon.recall()) is None
    assert command.read() == replace(FULL, restore=BESIDE)


def test_the_way_back_is_the_newest_that_a_restore_kept() -> None:
    assert BESIDE.way_back == KEPT[0]
    assert plan().way_back is None
    newer = replace(KEPT[0], name="SelfMX_before_y")
    assert replace(BESIDE, kept=(*KEPT, newer)).way_back == newer


def test_a_plan_is_open_until_it_is_done_or_given_up() -> None:
    assert {step for step in Step if not plan(step=step).is_open} == {Step.DONE, Step.GIVEN_UP}
