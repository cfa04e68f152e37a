from datetime import timedelta

import pytest

from selfmx_backupd.model import Due, Entry, State, Tier
from selfmx_backupd.outcomes import Failure, Job, Outcome, Outcomes, RunMark
from selfmx_backupd.policy.health import Finding, Limits, Severity, alarms, assess
from selfmx_backupd.restoration import Kind, Step
from tests.build import backup, entry, plan, utc

NOW = utc("2026-11-24 12:00")
LIMITS = Limits(timedelta(hours=2), 10)
HOUR = timedelta(hours=1)


def findings(
    *,
    entries: tuple[Entry, ...] = (),
    due: tuple[Due, ...] = (),
    busy: Job | None = None,
    outcomes: Outcomes | None = None,
    free_percent: float = 50,
) -> tuple[Finding, ...]:
    return assess(
        entries=entries,
        due=due,
        busy=busy,
        outcomes=outcomes or Outcomes(),
        free_percent=free_percent,
        limits=LIMITS,
        now=NOW,
    )


def running(job: Job) -> Outcomes:
    mark = RunMark(job=job, run_id="1", started_at=NOW, pid=1, step="backing up", detail="")
    return Outcomes(running=mark)


def failed(job: Job, times: int) -> Outcomes:
    error = Failure(at=NOW, exit_code=5, message="the disk is full", hint=None)
    return Outcomes(jobs={job: Outcome(failures_in_a_row=times, last_error=error)})


def test_nothing_is_wrong_where_all_is_well() -> None:
    good = tuple(entry(backup(NOW), state) for state in (State.VERIFIED, State.UNKNOWN))
    assert findings(entries=good) == ()


def test_a_tier_may_be_due_for_a_while() -> None:
    assert findings(due=(Due(Tier.DAILY, NOW - 2 * HOUR),)) == ()


def test_a_tier_that_is_due_for_too_long_is_critical() -> None:
    late = findings(due=(Due(Tier.DAILY, NOW - 2 * HOUR - timedelta(seconds=1)),))
    assert late == (Finding(Severity.CRITICAL, "daily backup overdue for 2 h", "overdue"),)


def test_tiers_that_are_late_are_one_finding_with_the_longest_wait() -> None:
    due = tuple(
        Due(tier, NOW - hours * HOUR)
        for tier, hours in ((Tier.DAILY, 9), (Tier.WEEKLY, 33), (Tier.MONTHLY, 1))
    )
    (late,) = findings(due=due)
    assert late.sentence == "daily, weekly backup overdue for 33 h"


def test_a_backup_that_is_under_way_is_not_late() -> None:
    due = (Due(Tier.DAILY, NOW - 9 * HOUR),)
    assert findings(due=due, busy=Job.BACKUP) == ()


def test_a_mark_in_the_state_file_excuses_nothing() -> None:
    """It may be a dead run's."""
    due = (Due(Tier.DAILY, NOW - 9 * HOUR),)
    assert len(findings(due=due, outcomes=running(Job.BACKUP))) == 1


@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        (State.DAMAGED, (Severity.CRITICAL, "is damaged: found so")),
        (State.MISSING, (Severity.CRITICAL, "is missing: found so")),
        (State.UNKNOWN, None),
        (State.VERIFIED, None),
    ],
)
def test_a_lost_backup_is_critical_and_named(
    state: State, wrong: tuple[Severity, str] | None
) -> None:
    lost = entry(backup(NOW), state, "found so")
    expected = () if wrong is None else (Finding(wrong[0], f"{lost.file} {wrong[1]}"),)
    assert findings(entries=(lost,)) == expected


@pytest.mark.parametrize(
    ("job", "times", "sentence"),
    [
        (Job.BACKUP, 1, "1 failed backup run in a row: the disk is full"),
        (Job.BACKUP, 3, "3 failed backup runs in a row: the disk is full"),
        (Job.VERIFY, 2, "2 failed verify runs in a row: the disk is full"),
    ],
)
def test_failures_are_a_warning_with_their_number_and_the_last_error(
    job: Job, times: int, sentence: str
) -> None:
    assert findings(outcomes=failed(job, times)) == (Finding(Severity.WARNING, sentence),)


def test_a_success_ends_the_warning() -> None:
    assert findings(outcomes=failed(Job.BACKUP, 0)) == ()


@pytest.mark.parametrize(
    ("free_percent", "sentences"),
    [
        (10.0, ()),
        (9.9, ("only 10 % of the backup directory's disk is free",)),
        (0.0, ("only 0 % of the backup directory's disk is free",)),
    ],
)
def test_little_free_space_is_a_warning(free_percent: float, sentences: tuple[str, ...]) -> None:
    found = findings(free_percent=free_percent)
    assert tuple(each.sentence for each in found) == sentences
    assert {each.severity for each in found} <= {Severity.WARNING}


def test_the_worst_comes_first() -> None:
    found = findings(
        entries=(entry(backup(NOW), State.MISSING),),
        due=(Due(Tier.DAILY, NOW - 9 * HOUR),),
        outcomes=failed(Job.BACKUP, 2),
        free_percent=1,
    )
    severities = [each.severity for each in found]
    assert severities == [Severity.CRITICAL] * 2 + [Severity.WARNING] * 2
    assert found[0].sentence.startswith("daily backup overdue")


def test_the_numbers_are_those_of_monitoring_plug_ins() -> None:
    assert [int(each) for each in Severity] == [0, 1, 2]


OPEN = [step for step in Step if step not in (Step.DONE, Step.GIVEN_UP)]


@pytest.mark.parametrize("step", OPEN)
@pytest.mark.parametrize("busy", [None, Job.BACKUP, Job.SWEEP])
def test_a_restore_that_was_interrupted_is_critical_and_names_the_command(
    step: Step, busy: Job | None
) -> None:
    (found,) = findings(outcomes=Outcomes(restore=plan(step=step)), busy=busy)
    assert found.severity is Severity.CRITICAL
    assert found.sentence == (
        f"the restore of selfmx_20261124_030000.bak was interrupted ({step}), and SelfMX may be "
        "out of service; type: selfmx-restore --undo"
    )


def test_an_undo_that_was_interrupted_is_critical_too() -> None:
    (found,) = findings(outcomes=Outcomes(restore=plan(Kind.UNDO, Step.SWAPPING)))
    assert found.sentence.startswith("the undo of a restore was interrupted (swapping)")


def test_a_restore_that_is_under_way_is_not_interrupted() -> None:
    assert findings(outcomes=Outcomes(restore=plan()), busy=Job.RESTORE) == ()


def test_the_mark_of_a_restore_excuses_nothing() -> None:
    """It may be a dead run's."""
    outcomes = Outcomes(running=running(Job.RESTORE).running, restore=plan())
    assert len(findings(outcomes=outcomes)) == 1


@pytest.mark.parametrize("step", [Step.DONE, Step.GIVEN_UP])
def test_a_restore_that_has_ended_is_nothing(step: Step) -> None:
    assert findings(outcomes=Outcomes(restore=plan(step=step, ended_at=NOW))) == ()


def test_a_restore_excuses_no_late_backup() -> None:
    due = (Due(Tier.DAILY, NOW - 9 * HOUR),)
    assert len(findings(due=due, busy=Job.RESTORE)) == 1


def test_a_failed_restore_that_has_left_nothing_open_is_nothing() -> None:
    """Whoever typed it has seen it; a warning would stay until some restore succeeds."""
    assert findings(outcomes=failed(Job.RESTORE, 1)) == ()


def test_a_restore_that_cannot_be_read_is_critical() -> None:
    (finding,) = findings(outcomes=Outcomes(extra={"restore": {"step": "dancing"}}))
    assert finding.severity is Severity.CRITICAL
    assert "that this version cannot read" in finding.sentence


def test_only_what_is_critical_is_an_alarm() -> None:
    lost = entry(backup(NOW), State.MISSING, "its file is gone")
    found = findings(entries=(lost,), outcomes=failed(Job.BACKUP, 9), free_percent=1)
    sentence = f"{lost.file} is missing: its file is gone"
    assert alarms(found, LIMITS, timedelta(0)) == {sentence: sentence}


@pytest.mark.parametrize(("watched_for", "is_alarm"), [(0, 0), (2, 0), (2.1, 1), (30, 1)])
def test_a_late_backup_is_an_alarm_once_the_daemon_has_had_the_time_for_it(
    watched_for: float, is_alarm: int
) -> None:
    found = findings(due=(Due(Tier.DAILY, NOW - 9 * HOUR),))
    assert len(alarms(found, LIMITS, watched_for * HOUR)) == is_alarm


def test_a_late_backup_is_the_same_alarm_for_as_long_as_it_lasts() -> None:
    found = [findings(due=(Due(Tier.DAILY, NOW - hours * HOUR),)) for hours in (3, 9)]
    first, then = (alarms(each, LIMITS, 9 * HOUR) for each in found)
    assert first.keys() == then.keys()
    assert first != then
