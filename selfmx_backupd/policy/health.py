"""Is anything wrong? One assessment, from which STATUS and logs take their words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from selfmx_backupd import text
from selfmx_backupd.model import Due, Entry, State
from selfmx_backupd.outcomes import Job, Outcomes


class Severity(IntEnum):
    """How bad it is; the numbers are those of monitoring plug-ins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words."""

    severity: Severity
    sentence: str


@dataclass(frozen=True, slots=True)
class Limits:
    """When something is called wrong.

    `late_after` is how long a tier may be due; `min_free_percent` is of the file system.
    """

    late_after: timedelta
    min_free_percent: int


def assess(
    *,
    entries: Iterable[Entry],
    due: Sequence[Due],
    busy: Job | None,
    outcomes: Outcomes,
    free_percent: float,
    limits: Limits,
    now: datetime,
) -> tuple[Finding, ...]:
    """Everything that is wrong, worst first; nothing where all is well.

    Args:
        entries: Every backup of the directory.
        due: The tiers that want a backup.
        busy: What is under way: a backup for what is due, or a restore in whatever process.
            The mark in the state file alone may be a dead run's, or a manual backup's, which
            settles no tier.
        outcomes: How the last runs ended.
        free_percent: Of the backup directory's file system.
        limits: When something is called wrong.
        now: UTC.
    """
    findings = [
        *([] if busy is Job.RESTORE else _interrupted(outcomes)),
        *([] if busy is Job.BACKUP else _late(due, limits, now)),
        *_lost(entries),
        *_failed(outcomes),
    ]
    if free_percent < limits.min_free_percent:
        sentence = f"only {free_percent:.0f} % of the backup directory's disk is free"
        findings.append(Finding(Severity.WARNING, sentence))
    return tuple(sorted(findings, key=lambda finding: -finding.severity))


def unswept(count: int, guard: str | None) -> tuple[Finding, ...]:
    """Backups that only the clock guard keeps; a guard that keeps none is no news."""
    if not count or guard is None:
        return ()
    wait = f"{text.count(count, 'backup')} that may go {'is' if count == 1 else 'are'} kept"
    return (Finding(Severity.WARNING, f"{wait}: {guard}"),)


def _interrupted(outcomes: Outcomes) -> Iterable[Finding]:
    plan = outcomes.restore
    if outcomes.has_unreadable_plan:
        sentence = "state.json holds a restore that this version cannot read: upgrade, then look"
        yield Finding(Severity.CRITICAL, sentence)
    if plan is not None and plan.is_open:
        what = f"the restore of {plan.file}" if plan.file else "the undo of a restore"
        sentence = (
            f"{what} was interrupted ({plan.step}), and {plan.database} may be out of service; "
            "type: selfmx-restore --undo"
        )
        yield Finding(Severity.CRITICAL, sentence)


def _late(due: Sequence[Due], limits: Limits, now: datetime) -> Iterable[Finding]:
    late = [each for each in due if now - each.since > limits.late_after]
    if late:
        tiers = ", ".join(each.tier for each in late)
        waited = text.age(now - min(each.since for each in late))
        yield Finding(Severity.CRITICAL, f"{tiers} backup overdue for {waited}")


def _lost(entries: Iterable[Entry]) -> Iterable[Finding]:
    for entry in entries:
        if entry.state in (State.DAMAGED, State.MISSING):
            sentence = f"{entry.file} is {entry.state}: {entry.reason}"
            yield Finding(Severity.CRITICAL, sentence)


def _failed(outcomes: Outcomes) -> Iterable[Finding]:
    for job, outcome in outcomes.jobs.items():
        # Whoever typed a restore has seen how it ended. What it left open is found by its plan.
        if job is Job.RESTORE:
            continue
        if outcome.failures_in_a_row and outcome.last_error:
            times = text.count(outcome.failures_in_a_row, f"failed {job} run")
            sentence = f"{times} in a row: {outcome.last_error.message}"
            yield Finding(Severity.WARNING, sentence)
