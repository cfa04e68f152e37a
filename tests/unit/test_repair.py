from dataclasses import replace

import pytest

from selfmx_backupd.policy.repair import Found, Repair, Serving, is_settled, repair
from selfmx_backupd.restoration import Kind, RestorePlan, Step
from tests.build import plan

STRAY = "SelfMX_stray_20261124_130000"
SAFETY = "selfmx_20261124_120003.bak"
LIVE = "SelfMX"
BESIDE, UNDO = plan(Kind.BESIDE), plan(Kind.UNDO)


def database(
    name: str, files: tuple[str, ...], state: str = "ONLINE", access: str = "MULTI_USER"
) -> Found:
    return Found(name, state, access, frozenset(files))


def old(of: RestorePlan, name: str = LIVE, state: str = "ONLINE") -> Found:
    """What was in service before."""
    return database(name, of.live_files, state)


def new(of: RestorePlan, name: str | None = None, state: str = "ONLINE") -> Found:
    """What was restored, or comes back."""
    return database(name or of.incoming, of.incoming_files, state)


def stranger(name: str = LIVE, state: str = "ONLINE") -> Found:
    return database(name, ("/var/opt/mssql/data/other.mdf",), state)


def wanted(of: RestorePlan, *found: Found) -> Repair:
    return repair(of, found, STRAY)


def at(of: RestorePlan, step: Step, live_state: str | None = "ONLINE") -> RestorePlan:
    """The same plan in another step; without a database in service it knows no files of it."""
    files = of.live_files if live_state else ()
    return replace(of, step=step, live_state=live_state, live_files=files)


@pytest.mark.parametrize("step", [Step.COPYING, Step.STOPPING, Step.SWAPPING])
def test_before_the_swap_the_old_one_is_in_service_and_the_copy_goes(step: Step) -> None:
    of = at(BESIDE, step)
    assert wanted(of, old(of), new(of)) == Repair(
        Serving.OLD, "SelfMX is the database that it was before", drop=of.incoming
    )


def test_a_copy_that_was_only_begun_goes_too() -> None:
    assert wanted(BESIDE, old(BESIDE), new(BESIDE, state="RESTORING")).drop == BESIDE.incoming


def test_a_copy_that_was_never_made_is_not_dropped() -> None:
    assert wanted(BESIDE, old(BESIDE)).drop is None


@pytest.mark.parametrize("of", [BESIDE, UNDO], ids=["beside", "undo"])
def test_half_way_through_the_swap_the_old_one_gets_its_name_back(of: RestorePlan) -> None:
    of = at(of, Step.SWAPPING)
    repair_ = wanted(of, new(of), old(of, of.aside))
    assert repair_.renames == ((of.aside, LIVE),)
    assert repair_.serving is Serving.OLD
    assert repair_.drop == (of.incoming if of.kind is Kind.BESIDE else None)
    assert repair_.reason == f"SelfMX had been renamed to {of.aside} and gets its name back"


@pytest.mark.parametrize("step", [Step.SWAPPING, Step.STARTING])
@pytest.mark.parametrize("of", [BESIDE, UNDO], ids=["beside", "undo"])
def test_after_the_swap_the_new_one_stays_in_service(of: RestorePlan, step: Step) -> None:
    of = at(of, step)
    assert wanted(of, old(of, of.aside), new(of, LIVE)) == Repair(
        Serving.NEW, "SelfMX is the restored database already"
    )


@pytest.mark.parametrize("live_state", [None, "SUSPECT", "OFFLINE", "RESTORING"])
def test_where_the_old_one_was_dropped_the_checked_copy_goes_into_service(
    live_state: str | None,
) -> None:
    of = at(BESIDE, Step.SWAPPING, live_state)
    repair_ = wanted(of, new(of))
    assert (repair_.serving, repair_.renames) == (Serving.NEW, ((of.incoming, LIVE),))
    assert repair_.drop is None
    assert repair_.reason == f"{of.incoming} was restored and checked, and gets the name SelfMX"


@pytest.mark.parametrize("state", ["SUSPECT", "OFFLINE", "RECOVERY_PENDING"])
def test_where_the_old_one_cannot_get_its_name_back_the_checked_copy_goes_into_service(
    state: str,
) -> None:
    """SQL Server renames only what is ONLINE; the old one stays, whole."""
    of = at(BESIDE, Step.SWAPPING)
    repair_ = wanted(of, old(of, of.aside, state), new(of))
    assert (repair_.serving, repair_.renames) == (Serving.NEW, ((of.incoming, LIVE),))
    assert repair_.drop is None


def test_where_neither_can_be_used_both_stay_and_nothing_is_in_service() -> None:
    of = at(BESIDE, Step.SWAPPING)
    repair_ = wanted(of, old(of, of.aside, "SUSPECT"), new(of, state="SUSPECT"))
    assert (repair_.serving, repair_.renames, repair_.drop) == (Serving.NONE, (), None)
    assert not is_settled(of, repair_)


def test_a_stranger_that_cannot_be_renamed_is_neither_dropped_nor_moved() -> None:
    of = at(BESIDE, Step.SWAPPING)
    repair_ = wanted(of, stranger(state="SUSPECT"), old(of, of.aside), new(of))
    assert (repair_.renames, repair_.drop) == ((), None)
    assert "nobody knows has the name SelfMX, and is SUSPECT" in repair_.reason
    assert not is_settled(of, repair_)


def test_a_database_that_was_there_and_is_gone_is_not_said_to_have_never_been() -> None:
    of = at(BESIDE, Step.STOPPING)
    assert wanted(of).reason == "SelfMX is gone"
    assert not is_settled(of, wanted(of))


@pytest.mark.parametrize("state", ["SUSPECT", "OFFLINE"])
def test_where_the_old_one_was_not_yet_dropped_it_is_what_it_was(state: str) -> None:
    of = at(BESIDE, Step.SWAPPING, "SUSPECT")
    assert wanted(of, old(of, state=state), new(of)).serving is Serving.OLD


@pytest.mark.parametrize("step", [Step.COPYING, Step.STOPPING])
def test_a_copy_for_a_new_server_goes_where_it_was_not_yet_to_be_swapped(step: Step) -> None:
    of = at(BESIDE, step, None)
    assert wanted(of, new(of)) == Repair(
        Serving.NONE, "there was no SelfMX before either", drop=of.incoming
    )


def test_an_undo_without_a_database_in_service_is_finished() -> None:
    of = at(UNDO, Step.SWAPPING, None)
    assert wanted(of, new(of)).renames == ((of.incoming, LIVE),)


@pytest.mark.parametrize("step", [Step.COPYING, Step.STOPPING, Step.SWAPPING])
@pytest.mark.parametrize("live_state", [None, "ONLINE"])
def test_what_an_undo_brings_back_never_goes(step: Step, live_state: str | None) -> None:
    of = at(UNDO, step, live_state)
    there = [old(of)] if live_state else []
    assert wanted(of, new(of), *there).drop is None
    assert wanted(of, new(of, state="SUSPECT"), *there).drop is None


@pytest.mark.parametrize("of", [BESIDE, UNDO], ids=["beside", "undo"])
def test_an_empty_database_in_the_old_ones_place_is_moved_aside_whole(of: RestorePlan) -> None:
    of = at(of, Step.SWAPPING)
    repair_ = wanted(of, stranger(), old(of, of.aside), new(of))
    assert repair_.renames == ((LIVE, STRAY), (of.aside, LIVE))
    assert (repair_.serving, repair_.stray) == (Serving.OLD, STRAY)
    assert repair_.drop in (None, of.incoming)


def test_an_empty_database_in_a_dropped_ones_place_is_moved_aside_whole() -> None:
    of = at(BESIDE, Step.SWAPPING, "SUSPECT")
    repair_ = wanted(of, stranger(), new(of))
    assert repair_.renames == ((LIVE, STRAY), (of.incoming, LIVE))
    assert (repair_.serving, repair_.stray, repair_.drop) == (Serving.NEW, STRAY, None)


def test_a_database_that_nobody_knows_stays_in_service_where_nothing_was_to_be_swapped() -> None:
    of = at(BESIDE, Step.COPYING, None)
    assert wanted(of, stranger(), new(of)) == Repair(
        Serving.OTHER, "SelfMX was made anew meanwhile", drop=of.incoming
    )


def test_what_somebody_renamed_keeps_the_name_that_it_was_given() -> None:
    of = at(BESIDE, Step.SWAPPING)
    repair_ = wanted(of, old(of, "SelfMX_mine"), new(of))
    assert (repair_.renames, repair_.serving) == ((), Serving.NONE)
    assert repair_.reason == "somebody renamed SelfMX to SelfMX_mine"


@pytest.mark.parametrize("name", ["SelfMX_before_migration", "SelfMX_restore_20261124", "selfmx_"])
def test_databases_of_similar_names_are_nothing_to_it(name: str) -> None:
    of = at(BESIDE, Step.SWAPPING)
    alone = wanted(of, old(of, of.aside), new(of))
    assert wanted(of, stranger(name), old(of, of.aside), stranger("x"), new(of)) == alone


def test_a_stranger_under_the_copys_name_is_not_dropped() -> None:
    assert wanted(BESIDE, old(BESIDE), stranger(BESIDE.incoming)).drop is None


def test_a_copy_under_another_name_is_not_dropped() -> None:
    assert wanted(BESIDE, old(BESIDE), new(BESIDE, "SelfMX_look")).drop is None


def test_names_and_files_are_the_same_in_any_case() -> None:
    of = at(BESIDE, Step.SWAPPING)
    there = database(of.aside.upper(), tuple(each.upper() for each in of.live_files))
    assert wanted(of, there).renames == ((of.aside.upper(), LIVE),)
    assert wanted(of, old(of), new(of, of.incoming.lower())).drop == of.incoming.lower()


def test_a_copy_that_has_been_in_service_is_not_dropped() -> None:
    """Somebody swapped the names back by hand: the application may have written to it."""
    of = at(BESIDE, Step.STARTING)
    assert wanted(of, old(of), new(of)).drop is None
    assert wanted(of, old(of, of.aside), new(of)).drop is None


@pytest.mark.parametrize("state", ["RECOVERING", "RECOVERY_PENDING", "SUSPECT"])
def test_a_checked_copy_is_not_dropped_where_it_is_all_that_is_left(state: str) -> None:
    """Right after a server's start it may not be ONLINE yet."""
    of = at(BESIDE, Step.SWAPPING, "SUSPECT")
    repair_ = wanted(of, new(of, state=state))
    assert repair_.drop is None
    assert repair_.serving is Serving.NONE
    assert of.incoming in repair_.reason


def test_a_database_that_cannot_be_the_old_one_is_none_though_its_files_are_called_alike() -> None:
    """The old one was RESTORING, and its files went with it: a new one has the same names."""
    of = at(BESIDE, Step.SWAPPING, "RESTORING")
    repair_ = wanted(of, old(of, state="ONLINE"), new(of))
    assert repair_.renames == ((LIVE, STRAY), (of.incoming, LIVE))
    assert (repair_.serving, repair_.stray, repair_.drop) == (Serving.NEW, STRAY, None)


@pytest.mark.parametrize(("live", "serving"), [(True, Serving.OLD), (False, Serving.NONE)])
@pytest.mark.parametrize("state", ["RESTORING", "ONLINE"])
def test_a_copy_that_was_not_finished_goes(live: bool, serving: Serving, state: str) -> None:  # noqa: FBT001  # a parameter of the test
    of = plan(Kind.COPY)
    found = [old(of)] if live else []
    assert wanted(of, *found, new(of, state=state)) == Repair(
        serving, "the copy was not finished", drop="SelfMX_copy"
    )
