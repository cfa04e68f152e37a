import pytest

from selfmx_backupd.policy.repair import Found, Repair, Serving
from selfmx_backupd.restoration import Kind, RestorePlan, Step
from tests.build import plan
from tests.unit.test_repair import LIVE, SAFETY, database, stranger, wanted


def in_place(step: Step, *, live_state: str = "ONLINE") -> RestorePlan:
    safety = SAFETY if live_state == "ONLINE" and step is not Step.SAVING else None
    return plan(Kind.IN_PLACE, step, live_state=live_state, safety=safety)


def live_one(state: str = "ONLINE", access: str = "MULTI_USER") -> Found:
    return database(LIVE, plan(Kind.IN_PLACE).live_files, state, access)


@pytest.mark.parametrize("step", [Step.COPYING, Step.STOPPING, Step.SAVING])
@pytest.mark.parametrize("access", ["MULTI_USER", "SINGLE_USER"])
def test_before_it_is_overwritten_a_database_is_as_it_was(step: Step, access: str) -> None:
    assert wanted(in_place(step), live_one(access=access)) == Repair(
        Serving.OLD, "SelfMX is as it was before"
    )


def test_a_database_that_is_still_single_user_was_not_overwritten_yet() -> None:
    assert wanted(in_place(Step.OVERWRITING), live_one(access="SINGLE_USER")) == Repair(
        Serving.OLD, "SelfMX had not been overwritten yet"
    )


def test_a_database_that_is_online_for_everybody_was_overwritten_already() -> None:
    assert wanted(in_place(Step.OVERWRITING), live_one()) == Repair(
        Serving.NEW, "SelfMX had been overwritten already"
    )


@pytest.mark.parametrize("found", [[live_one("RESTORING")], [live_one("SUSPECT")], []])
def test_what_was_being_overwritten_comes_back_from_the_safety_backup(found: list[Found]) -> None:
    assert wanted(in_place(Step.OVERWRITING), *found) == Repair(
        Serving.OLD,
        f"SelfMX was half overwritten, and came back from {SAFETY}",
        restores_safety=True,
    )


def test_a_safety_backup_that_was_being_restored_is_restored_again() -> None:
    assert wanted(in_place(Step.RETURNING), live_one("RESTORING")).restores_safety


@pytest.mark.parametrize("access", ["MULTI_USER", "SINGLE_USER"])
def test_what_has_come_back_from_the_safety_backup_is_the_old_one(access: str) -> None:
    assert wanted(in_place(Step.RETURNING), live_one(access=access)) == Repair(
        Serving.OLD, f"SelfMX came back from {SAFETY}"
    )


def test_what_was_nothing_before_cannot_come_back() -> None:
    of = in_place(Step.OVERWRITING, live_state="RESTORING")
    assert wanted(of, live_one("RESTORING")) == Repair(Serving.NONE, "SelfMX is half overwritten")


def test_what_has_been_overwritten_and_is_being_looked_at_stays() -> None:
    for found in (live_one(), live_one(access="SINGLE_USER")):
        repair_ = wanted(in_place(Step.STARTING), found)
        assert (repair_.serving, repair_.restores_safety) == (Serving.NEW, False)


@pytest.mark.parametrize("step", [Step.SAVING, Step.OVERWRITING, Step.RETURNING, Step.STARTING])
def test_a_database_made_anew_is_not_said_to_be_the_old_or_the_restored_one(step: Step) -> None:
    repair_ = wanted(in_place(step), stranger())
    assert (repair_.serving, repair_.restores_safety) == (Serving.OTHER, False)


@pytest.mark.parametrize("step", [Step.OVERWRITING, Step.RETURNING])
def test_a_safety_backup_is_restored_over_no_stranger(step: Step) -> None:
    repair_ = wanted(in_place(step), stranger(state="RECOVERY_PENDING"))
    assert (repair_.serving, repair_.restores_safety) == (Serving.OTHER, False)
