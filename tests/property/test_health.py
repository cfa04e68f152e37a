"""Whatever else is wrong: one fault more never makes the verdict better."""

from hypothesis import given
from hypothesis import strategies as st

from selfmx_backupd.assessment import Assessment, Cause, Severity, Situation
from selfmx_backupd.policy.health import assess
from tests.situations import FAULTS, LIMITS, well

# One of these replaces the plan, or the disk, or the backups that another one needs.
RIVALS = (
    {Cause.INTERRUPTED_RESTORE, Cause.UNREADABLE_PLAN, Cause.LEFT_OVER},
    {Cause.NO_SPACE, Cause.LOW_SPACE, Cause.FILLING},
    {Cause.NO_BACKUP, Cause.FAMILIES, Cause.UNPROVEN, Cause.STALE},
    {Cause.NO_BACKUP, Cause.MISSING},
    {Cause.NO_BACKUP, Cause.DAMAGED},
    {Cause.NO_BACKUP, Cause.UNKNOWN},
    {Cause.LATE, Cause.STALE},
)
faults = st.lists(st.sampled_from(Cause), unique=True).filter(
    lambda chosen: not any(len(rivals & set(chosen)) > 1 for rivals in RIVALS)
)


def with_faults(chosen: list[Cause]) -> Situation:
    seen = well()
    for cause in chosen:
        seen = FAULTS[cause](seen)
    return seen


def assessed(chosen: list[Cause]) -> Assessment:
    return assess(with_faults(chosen), LIMITS)


@given(faults)
def test_every_fault_is_found_and_nothing_else(chosen: list[Cause]) -> None:
    assert {each.cause for each in assessed(chosen).findings} == set(chosen)


@given(faults.filter(bool))
def test_a_fault_more_never_makes_the_verdict_better(chosen: list[Cause]) -> None:
    assert assessed(chosen).verdict.rank >= assessed(chosen[:-1]).verdict.rank
    assert assessed(chosen).verdict is not Severity.OK


@given(faults)
def test_the_order_in_which_things_go_wrong_says_nothing(chosen: list[Cause]) -> None:
    assert assessed(chosen).verdict is assessed(chosen[::-1]).verdict
