"""A restore's plan in `state.json`: it is what a crash is healed from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfmx_backupd.adapters.state import StateFile
from selfmx_backupd.errors import DirectoryUnusable
from selfmx_backupd.outcomes import Job, Outcome, Outcomes
from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step
from tests.build import plan, utc

AT = utc("2026-11-24 12:05")
KEPT = Kept(
    name="SelfMX_before_x", since=AT, because="selfmx_20261124_030000.bak", is_way_back=True
)
FULL = plan(
    Kind.IN_PLACE,
    Step.OVERWRITING,
    safety="selfmx_20261124_120003.bak",
    app_stopped=True,
    ended_at=AT,
    kept=(KEPT, replace(KEPT, name="SelfMX_undone_x", because=None, is_way_back=False)),
)


@pytest.fixture
def state(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path, "selfmx")


@pytest.mark.parametrize(
    "each", [FULL, plan(), plan(Kind.UNDO, Step.SWAPPING), plan(live_state=None)]
)
def test_a_plan_is_read_as_it_was_written(state: StateFile, each: RestorePlan) -> None:
    outcomes = replace(Outcomes(), restore=each)
    state.write(outcomes)
    assert state.read() == outcomes


def test_the_plan_has_these_names(state: StateFile, tmp_path: Path) -> None:
    state.write(Outcomes(restore=FULL))
    document = json.loads((tmp_path / "state.json").read_text())["restore"]
    assert set(document) == {
        *("kind", "file", "database", "incoming", "aside", "step", "started_at", "ended_at"),
        *("live_state", "live_files", "incoming_files", "app_stopped", "safety", "kept"),
    }
    assert (document["kind"], document["step"]) == ("in_place", "overwriting")
    assert document["kept"][0] == {
        "name": "SelfMX_before_x",
        "since": "2026-11-24T12:05:00+00:00",
        "because": "selfmx_20261124_030000.bak",
        "is_way_back": True,
    }


def test_what_could_not_be_written_does_not_hide_a_plan_of_another_process(
    state: StateFile, tmp_path: Path
) -> None:
    (tmp_path / "state.json.tmp").mkdir()
    failed = Outcomes(jobs={Job.BACKUP: Outcome(failures_in_a_row=2)})
    assert isinstance(state.remember(failed), DirectoryUnusable)
    (tmp_path / "state.json.tmp").rmdir()
    StateFile(tmp_path, "selfmx").write(Outcomes(restore=FULL))
    assert state.read() == replace(failed, restore=FULL)


def test_the_way_back_is_the_newest_that_a_restore_kept() -> None:
    assert FULL.way_back == KEPT
    assert plan().way_back is None
    newer = replace(KEPT, name="SelfMX_before_y")
    assert replace(FULL, kept=(*FULL.kept, newer)).way_back == newer


def test_a_plan_is_open_until_it_is_done_or_given_up() -> None:
    assert {step for step in Step if not plan(step=step).is_open} == {Step.DONE, Step.GIVEN_UP}
