"""The repair of restores that died, on a small server that hypothesis makes up."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from selfmx_backupd.policy.repair import Repair, Serving, is_settled, kept_after, repair, with_stray
from selfmx_backupd.restoration import Kind, Step
from tests.build import utc
from tests.property.restores import STRAY, Refused, Site, Who, acts, apply, crashed, site

AT = utc("2026-11-24 13:00")
laws = settings(max_examples=400, deadline=None)
RENAMING = (Kind.BESIDE, Kind.UNDO)
SWAPPED = (Step.SWAPPING, Step.STARTING)
OVERWRITTEN = (Step.OVERWRITING, Step.RETURNING)
# Of databases in these states nothing is kept.
GONE = (None, "SUSPECT", "OFFLINE", "RESTORING")


def wanted(here: Site, stray: str = STRAY) -> Repair:
    return repair(here.plan, here.found, stray)


def repaired(here: Site) -> Site:
    """The server afterwards; a repair that the server refuses is another law's matter."""
    after = deepcopy(here)
    try:
        apply(after, wanted(here))
    except Refused:
        reject()
    return after


@settings(max_examples=1500, deadline=None)
@given(crashed([Kind.BESIDE, Kind.COPY, Kind.UNDO]))
def test_nothing_is_dropped_but_the_copy_under_the_name_that_this_restore_gave_it(
    here: Site,
) -> None:
    name = wanted(here).drop
    if name is not None:
        dropped = here.named(name)
        assert dropped is not None
        assert dropped.who is Who.NEW
        assert (dropped.name, here.plan.kind) in {
            (here.plan.incoming, Kind.BESIDE),
            (here.plan.incoming, Kind.COPY),
        }
        assert dropped.name != here.plan.database


@laws
@given(crashed(RENAMING, GONE, SWAPPED))
def test_a_copy_that_has_nothing_to_go_back_to_does_not_go(here: Site) -> None:
    """Whatever its state is: it was checked, and what it was to replace is gone."""
    if here.of(Who.OLD) is None:
        assert wanted(here).drop is None


@laws
@given(crashed(RENAMING, steps=[Step.STARTING]))
def test_a_copy_that_has_been_in_service_does_not_go(here: Site) -> None:
    """Whatever it is called by now: the application may have written to it."""
    assert wanted(here).drop is None


@laws
@given(crashed(RENAMING))
def test_what_was_in_service_is_in_service_again_unless_the_swap_was_complete(
    here: Site,
) -> None:
    old, live = here.of(Who.OLD), here.named(here.plan.database)
    assume(old is not None and old.name in (here.plan.database, here.plan.aside))
    assert old is not None
    # What is not ONLINE cannot be renamed, neither the old one nor a stranger in its place.
    assume(old is live or old.state == "ONLINE")
    assume(live is None or live.who is not Who.OTHER or live.state == "ONLINE")
    after = repaired(here).named(here.plan.database)
    assert after is not None
    was_complete = live is not None and live.who is Who.NEW
    assert after.who is (Who.NEW if was_complete else Who.OLD)


@laws
@given(crashed(RENAMING, GONE, [Step.SWAPPING]))
def test_where_that_is_gone_the_checked_copy_is_in_service(here: Site) -> None:
    new, live = here.of(Who.NEW), here.named(here.plan.database)
    assume(live is None or live.who is not Who.OTHER or live.state == "ONLINE")
    if here.of(Who.OLD) is None and new is not None and new.state == "ONLINE":
        after = repaired(here).named(here.plan.database)
        assert after is not None
        assert after.who is Who.NEW


@laws
@given(crashed(RENAMING, steps=[Step.COPYING, Step.STOPPING]))
def test_what_was_not_yet_to_be_swapped_does_not_get_the_name_in_service(here: Site) -> None:
    """A copy may not have been checked by then."""
    new = here.of(Who.NEW)
    assert new is None or new.name not in [name for name, _ in wanted(here).renames]


@laws
@given(crashed(most_deeds=0))
def test_what_a_crash_alone_leaves_can_always_be_put_right(here: Site) -> None:
    after = deepcopy(here)
    apply(after, wanted(here))
    if here.plan.live_state is not None:
        assert after.named(here.plan.database) is not None
    if here.plan.live_state == "ONLINE" and here.plan.kind is not Kind.IN_PLACE:
        assert after.of(Who.OLD) is not None


@laws
@pytest.mark.parametrize(
    ("kinds", "steps"), [(tuple(Kind), tuple(Step)), ([Kind.IN_PLACE], OVERWRITTEN)]
)
@given(st.data())
def test_a_stranger_stays_whole_and_only_gives_way_under_the_name_in_service(
    kinds: Sequence[Kind], steps: Sequence[Step], data: st.DataObject
) -> None:
    here = data.draw(crashed(kinds, steps=steps))
    after = repaired(here)
    moved = [each for each in here.strangers if each not in after.strangers]
    assert len(after.strangers) == len(here.strangers)
    assert [each.name for each in moved] in ([], [here.plan.database])
    stray = after.named(STRAY)
    assert (stray is not None) == bool(moved) == (wanted(here).stray is not None)
    for each in moved:
        each.name = STRAY
        assert each == stray


@laws
@given(crashed())
def test_no_rename_is_wanted_that_the_server_refuses(here: Site) -> None:
    """A repair that fails would fail for the next command too, and the one after that."""
    after, want = deepcopy(here), wanted(here)
    for name, other in want.renames:
        after.rename(name, other)


@laws
@given(crashed())
def test_a_plan_is_closed_only_where_what_is_in_service_is_known_or_there_was_nothing(
    here: Site,
) -> None:
    want = wanted(here)
    assume(here.plan.kind is not Kind.COPY and is_settled(here.plan, want))
    live = repaired(here).named(here.plan.database)
    was_there = here.plan.live_state is not None
    assert not was_there or (live is not None and live.who in (Who.OLD, Who.NEW))


@laws
@given(crashed(RENAMING))
def test_every_database_of_a_plan_that_is_out_of_service_is_kept_in_mind(here: Site) -> None:
    """What nobody remembers, nobody finds at three in the morning."""
    want, after = wanted(here), repaired(here)
    minded = with_stray(here.plan, want, AT)
    kept = {each.name for each in kept_after(minded, after.found, AT)}
    ours = {(Who.OLD, here.plan.aside)}
    if here.plan.kind is Kind.BESIDE:
        ours.add((Who.NEW, here.plan.incoming))
    assert kept - {want.stray} == {e.name for e in after.databases if (e.who, e.name) in ours}


@laws
@given(crashed())
def test_a_repair_that_the_server_refuses_has_dropped_nothing(here: Site) -> None:
    after = deepcopy(here)
    try:
        apply(after, wanted(here))
    except Refused:
        assert len(after.databases) == len(here.databases)


@laws
@given(crashed())
def test_a_repair_leaves_nothing_to_be_repaired(here: Site) -> None:
    again = wanted(repaired(here), "SelfMX_stray_20261124_130001")
    assert (again.renames, again.drop, again.stray) == ((), None, None)


@laws
@given(crashed(RENAMING, steps=[Step.SWAPPING]), st.integers(0, 2))
def test_a_repair_that_dies_half_way_is_finished_by_the_next(here: Site, done: int) -> None:
    whole, half = repaired(here), deepcopy(here)
    for name, other in wanted(here).renames[:done]:
        half.rename(name, other)
    after = repaired(half)
    live, expected = after.named(here.plan.database), whole.named(here.plan.database)
    assert (live and live.who) == (expected and expected.who)
    assert len(after.databases) == len(whole.databases)


@laws
@pytest.mark.parametrize("kind", Kind)
@given(st.data())
def test_what_is_said_to_be_in_service_is(kind: Kind, data: st.DataObject) -> None:
    here = data.draw(crashed([kind]))
    assert wanted(here).serving in repaired(here).truths()
    assert wanted(here).reason


@laws
@given(crashed([Kind.COPY]))
def test_the_end_of_a_copy_touches_nothing_else(here: Site) -> None:
    after, want = repaired(here), wanted(here)
    rest = [each for each in here.databases if each.name != want.drop]
    assert after.databases == rest


@laws
@given(crashed([Kind.IN_PLACE], steps=OVERWRITTEN))
def test_what_was_being_overwritten_comes_back_from_the_safety_backup(here: Site) -> None:
    live = here.named(here.plan.database)
    if live is not None and live.who is Who.HALF:
        assert wanted(here).restores_safety == (here.plan.safety is not None)
    elif live is not None and live.who is not Who.OTHER and live.state == "ONLINE":
        assert not wanted(here).restores_safety


def test_the_servers_above_reach_every_kind_of_repair() -> None:
    """Laws about drops and renames would hold for servers that want none."""
    seen: Counter[str] = Counter()

    @settings(max_examples=500, deadline=None, derandomize=True)
    @given(st.data())
    def look(kind: Kind, data: st.DataObject) -> None:
        here = data.draw(crashed([kind]))
        want = wanted(here)
        seen.update([f"{kind} {here.plan.step}", f"{kind} {want.serving.name}"])
        seen[f"{len(want.renames)} renames of {kind}"] += 1
        seen["drop"] += want.drop is not None
        seen["safety"] += want.restores_safety
        seen["stray"] += want.stray is not None

    for kind in Kind:
        look(kind)
    every = {
        *(f"beside {each}" for each in ("copying", "stopping", "swapping", "starting")),
        *(f"undo {each}" for each in ("copying", "stopping", "swapping", "starting")),
        *(f"in_place {each}" for each in ("saving", "overwriting", "returning", "starting")),
        *(f"{kind} {each.name}" for kind in ("beside", "undo") for each in Serving),
        *("1 renames of beside", "2 renames of beside", "1 renames of undo", "2 renames of undo"),
        *("drop", "safety", "stray", "copy copying"),
    }
    assert {kind for kind in every if seen[kind] < 3} == set()


@pytest.mark.parametrize("kind", RENAMING)
@pytest.mark.parametrize("state", ["ONLINE", None])
def test_a_restore_that_nobody_disturbs_puts_the_new_database_in_service(
    kind: Kind, state: str | None
) -> None:
    """What the laws above say of crashes, they say of these scripts."""
    here = site(kind, state)
    assert len(list(acts(here))) > 5
    live = here.named(here.plan.database)
    assert live is not None
    assert (live.who, live.access) == (Who.NEW, "MULTI_USER")
    kept = here.of(Who.OLD)
    assert (kept and kept.name) == (here.plan.aside if state else None)
    assert here.plan.step is Step.STARTING
