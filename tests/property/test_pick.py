"""What one sweep takes, over directories that hypothesis makes up."""

from hypothesis import given, settings

from selfmx_backupd.model import Decision, Entry
from selfmx_backupd.policy.retention import Retention, decide, pick
from tests.build import VIENNA
from tests.property.directories import NOW, entries, retentions

laws = settings(max_examples=40, deadline=None)


def ask(directory: list[Entry], retention: Retention) -> tuple[Decision, ...]:
    return decide(directory, retention, VIENNA, NOW)


@laws
@given(entries(), retentions)
def test_a_sweep_takes_what_need_not_stay_and_the_brake_keeps_the_rest(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = ask(directory, retention)
    goes, waits = pick(decisions)
    assert list(goes) == [each for each in reversed(decisions) if not each.keep]
    assert list(waits) == [each for each in reversed(decisions) if each.held_back]


@laws
@given(entries(), retentions)
def test_a_guard_lets_nothing_go_and_says_all_that_waits(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = ask(directory, retention)
    goes, waits = pick(decisions, guarded=True)
    assert goes == ()
    assert {each.file for each in waits} == {each.file for each in decisions if each.goes}


@laws
@given(entries(), retentions)
def test_force_passes_guard_and_brake_and_no_reason_to_stay(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = ask(directory, retention)
    taken, waiting = pick(decisions)
    goes, waits = pick(decisions, guarded=True, force=True)
    assert waits == ()
    assert {each.file for each in goes} == {each.file for each in (*taken, *waiting)}
    assert all(each.held_back or not each.keep for each in goes)
