import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfmx_backupd.assessment import Cause, Daemon, Finding, Severity, Situation
from selfmx_backupd.model import Due, State, Tier
from selfmx_backupd.outcomes import Job
from selfmx_backupd.policy.health import alarms, assess
from selfmx_backupd.restoration import Kind, Step
from tests.build import OTHER_FAMILY, backup, plan
from tests.situations import (
    DAY,
    FAULTS,
    GIB,
    HOUR,
    LIMITS,
    NOW,
    SECOND,
    Fault,
    due,
    ended,
    failed,
    kept,
    met,
    more,
    on_disk,
    planned,
    proven_at,
    well,
    worth,
)

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| (critical|warning|unknown) \|", re.MULTILINE)


def found(seen: Situation) -> Sequence[Finding]:
    return assess(seen, LIMITS).findings


def causes(seen: Situation) -> list[Cause]:
    return [each.cause for each in found(seen)]


def test_nothing_is_wrong_where_all_is_well() -> None:
    assert assess(well(), LIMITS).findings == ()
    assert assess(well(), LIMITS).verdict is Severity.OK


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_is_found_alone_where_it_alone_is_wrong(cause: Cause) -> None:
    (finding,) = found(FAULTS[cause](well()))
    assert finding.cause is cause
    assert finding.sentence


def test_the_table_in_the_architecture_is_what_the_assessment_gives() -> None:
    told = dict(ROW.findall(ARCHITECTURE.read_text(encoding="utf-8")))
    given = {cause: assess(FAULTS[cause](well()), LIMITS).verdict for cause in Cause}
    assert told == {str(cause): verdict.name.lower() for cause, verdict in given.items()}


JUST_WELL: dict[Cause, Fault] = {
    Cause.LATE: lambda seen: due(NOW - 2 * HOUR, seen),
    Cause.NO_SPACE: lambda seen: on_disk(seen, 20 * GIB, next_bytes=20 * GIB),
    Cause.FAILED: lambda seen: ended(Job.SWEEP, failed(Job.SWEEP, 0), seen),
    Cause.FAMILIES: lambda seen: more([backup(NOW - 9 * DAY)], seen),
    Cause.STALE: lambda seen: replace(
        due(NOW - 9 * HOUR, seen), busy=Job.BACKUP, expected_since=NOW - 9 * HOUR
    ),
    Cause.UNPROVEN: lambda seen: more([proven_at(NOW - 60 * DAY)], seen),
    Cause.LOW_SPACE: lambda seen: on_disk(seen, 10 * GIB),
    Cause.FILLING: lambda seen: on_disk(seen, 50 * GIB, lasts_days=30, to_come_bytes=49 * GIB),
    Cause.LEFT_OVER: lambda seen: planned(kept(NOW - 7 * DAY), seen),
    Cause.INTERRUPTED_RESTORE: lambda seen: planned(plan(step=Step.GIVEN_UP, ended_at=NOW), seen),
    Cause.UNKNOWN: lambda seen: worth(State.VERIFIED, seen),
    Cause.DAEMON_DOWN: lambda seen: replace(seen, daemon=None),
}


@pytest.mark.parametrize("cause", JUST_WELL)
def test_at_its_edge_nothing_is_wrong(cause: Cause) -> None:
    assert found(JUST_WELL[cause](well())) == ()


def test_the_worst_comes_first_and_what_cannot_be_seen_before_a_warning() -> None:
    seen = well()
    for cause in (Cause.HELD_BACK, Cause.UNSEEN, Cause.MISSING, Cause.FAILED):
        seen = FAULTS[cause](seen)
    assert causes(seen) == [Cause.MISSING, Cause.UNSEEN, Cause.FAILED, Cause.HELD_BACK]
    assert assess(seen, LIMITS).verdict is Severity.CRITICAL


def test_what_cannot_be_seen_is_worse_than_a_warning() -> None:
    seen = met(Cause.UNSEEN, FAULTS[Cause.HELD_BACK](well()))
    assert assess(seen, LIMITS).verdict is Severity.UNKNOWN


def test_the_numbers_are_those_of_monitoring_plug_ins() -> None:
    assert {each.name: int(each) for each in Severity} == {
        "OK": 0,
        "WARNING": 1,
        "CRITICAL": 2,
        "UNKNOWN": 3,
    }


def test_tiers_that_are_late_are_one_finding_with_the_longest_wait() -> None:
    waits = ((Tier.DAILY, 9), (Tier.WEEKLY, 33), (Tier.MONTHLY, 1))
    late = replace(well(), due=tuple(Due(tier, NOW - hours * HOUR) for tier, hours in waits))
    assert found(late)[0].sentence == "daily, weekly backup overdue for 33 h"


def test_a_backup_that_is_under_way_is_not_late() -> None:
    assert found(replace(due(NOW - 3 * HOUR, well()), busy=Job.BACKUP)) == ()


@pytest.mark.parametrize("busy", [Job.RESTORE, Job.SWEEP, Job.VERIFY])
def test_nothing_else_excuses_a_late_backup(busy: Job) -> None:
    assert causes(replace(due(NOW - 3 * HOUR, well()), busy=busy)) == [Cause.LATE]


def test_where_backups_are_hidden_their_absence_says_nothing() -> None:
    hidden = replace(due(NOW - 9 * HOUR, well()), sees_all=False, verified=(), entries=())
    assert found(hidden) == ()


@pytest.mark.parametrize("state", [State.MISSING, State.DAMAGED, State.UNKNOWN])
def test_a_backup_that_is_worth_nothing_is_named_with_its_reason(state: State) -> None:
    (finding,) = found(worth(state, well()))
    assert finding.sentence == f"selfmx_20261120_080000.bak is {state}: found so"


@pytest.mark.parametrize("state", [State.MISSING, State.DAMAGED])
def test_the_way_to_accept_a_loss_is_named(state: State) -> None:
    (finding,) = found(worth(state, well()))
    assert finding.hint is not None
    assert "selfmx-backup forget selfmx_20261120_080000.bak" in finding.hint


def test_a_failure_is_told_with_its_number_its_error_and_its_hint() -> None:
    (finding,) = found(ended(Job.BACKUP, failed(Job.BACKUP, 3, "Type: true"), well()))
    assert finding.sentence == "3 failed backup runs in a row: the backup is broken"
    assert finding.hint == "Type: true"


def test_a_failure_that_was_met_and_remembered_is_told_once() -> None:
    seen = ended(Job.BACKUP, failed(Job.BACKUP, 1), well())
    seen = replace(seen, met=(Finding(Cause.FAILED, "the backup is broken"),))
    assert causes(seen) == [Cause.FAILED]


def test_a_failed_restore_that_has_left_nothing_open_is_nothing() -> None:
    """Whoever typed it has seen it; a warning would stay until some restore succeeds."""
    assert found(ended(Job.RESTORE, failed(Job.RESTORE, 1), well())) == ()


def test_both_families_are_named_with_their_newest_backup() -> None:
    old = [backup(NOW - days * DAY, family=OTHER_FAMILY) for days in (5, 9)]
    (finding,) = found(more(old, well()))
    assert finding.sentence.endswith(
        "of each selfmx_20261124_030000.bak (9 h old) and selfmx_20261119_120000.bak (5 d old)"
    )
    assert finding.hint is not None
    assert finding.hint.endswith("selfmx-restore selfmx_20261119_120000.bak")


OPEN = [step for step in Step if step not in (Step.DONE, Step.GIVEN_UP)]


@pytest.mark.parametrize("step", OPEN)
@pytest.mark.parametrize("busy", [None, Job.BACKUP, Job.SWEEP])
def test_a_restore_that_was_interrupted_is_critical_and_names_the_command(
    step: Step, busy: Job | None
) -> None:
    (finding,) = found(replace(planned(plan(step=step), well()), busy=busy))
    assert finding.severity is Severity.CRITICAL
    assert finding.sentence == (
        f"the restore of selfmx_20261124_030000.bak was interrupted ({step}), and SelfMX may be "
        "out of service; type: selfmx-restore --undo"
    )


def test_an_undo_that_was_interrupted_is_critical_too() -> None:
    (finding,) = found(planned(plan(Kind.UNDO, Step.SWAPPING), well()))
    assert finding.sentence.startswith("the undo of a restore was interrupted (swapping)")


def test_a_restore_that_is_under_way_is_not_interrupted() -> None:
    assert found(replace(planned(plan(), well()), busy=Job.RESTORE)) == ()


def test_databases_that_restores_have_kept_are_named_with_the_command() -> None:
    (finding,) = found(planned(kept(NOW - 12 * DAY), well()))
    assert finding.sentence == "kept by restores, for up to 12 d: SelfMX_before_1"
    assert finding.hint is not None
    assert finding.hint.endswith("selfmx-restore --drop-old")


def test_a_disk_that_cannot_hold_what_retention_keeps_is_told() -> None:
    (finding,) = found(on_disk(well(), 50 * GIB, to_come_bytes=49 * GIB + 1))
    assert finding.cause is Cause.FILLING
    assert finding.sentence.startswith("retention will keep up to 49.0 GiB more than now")


def test_a_daemon_that_cannot_be_seen_is_not_called_dead() -> None:
    assert found(replace(well(), daemon=None)) == ()
    assert causes(replace(well(), daemon=Daemon(lives=False))) == [Cause.DAEMON_DOWN]


def test_a_proof_is_counted_from_its_last_time() -> None:
    old = [proven_at(NOW - 61 * DAY), replace(proven_at(NOW - 70 * DAY), file="older.bak")]
    (finding,) = found(more([*old, proven_at(NOW - 59 * DAY + SECOND)], well()))
    assert finding.sentence.startswith(
        "2 backups not read again for too long, older.bak not for 70"
    )


def test_only_what_is_critical_is_an_alarm() -> None:
    seen = FAULTS[Cause.HELD_BACK](met(Cause.UNSEEN, worth(State.MISSING, well())))
    sentence = "selfmx_20261120_080000.bak is missing: found so"
    assert alarms(found(seen), LIMITS, timedelta(0)) == {sentence: sentence}


@pytest.mark.parametrize("cause", [Cause.LATE, Cause.NO_BACKUP])
@pytest.mark.parametrize(("watched_for", "is_alarm"), [(0, 0), (2, 0), (2.1, 1), (30, 1)])
def test_what_a_backup_mends_is_an_alarm_once_the_daemon_has_had_the_time_for_one(
    cause: Cause, watched_for: float, is_alarm: int
) -> None:
    assert len(alarms(found(FAULTS[cause](well())), LIMITS, watched_for * HOUR)) == is_alarm


def test_a_late_backup_is_the_same_alarm_for_as_long_as_it_lasts() -> None:
    each = [found(due(NOW - hours * HOUR, well())) for hours in (3, 9)]
    first, then = (alarms(findings, LIMITS, 9 * HOUR) for findings in each)
    assert first.keys() == then.keys()
    assert first != then
