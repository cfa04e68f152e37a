"""What a wake-up sees, and what it wants done.

`look` reads; everything behind it follows from what was seen. No thread, no signal and no
systemd is needed to ask what the daemon would do at a given moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from selfmx_backupd.adapters import process
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Due, Entry
from selfmx_backupd.outcomes import Job, Outcomes
from selfmx_backupd.policy import health, retention, schedule
from selfmx_backupd.policy.health import Finding, Limits
from selfmx_backupd.policy.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Look:
    """What a wake-up sees.

    Attributes:
        now: UTC.
        schedule: The rules in force.
        pace_s: The pauses after failures, in seconds.
        is_reconciled: What earlier runs left behind has been dealt with.
        entries: Every backup of the directory.
        verified: The verified ones of our database, the newest first.
        due: The tiers that want a backup.
        outcomes: How the last runs ended.
        free_percent: Of the backup directory's file system.
        guard: Why nothing may be swept; None where the clock can be trusted.
        unswept: How many backups the guard alone keeps.
    """

    now: datetime
    schedule: Schedule
    pace_s: Sequence[int]
    is_reconciled: bool
    entries: tuple[Entry, ...]
    verified: tuple[Backup, ...]
    due: tuple[Due, ...]
    outcomes: Outcomes
    free_percent: float
    guard: str | None
    unswept: int


@dataclass(frozen=True, slots=True)
class Next:
    """What a wake-up wants done.

    Attributes:
        job: The most urgent one that may begin now.
        wait_s: Where there is none: in how many seconds one that is due may begin; infinite
            where nothing is due.
    """

    job: Job | None
    wait_s: float


def look(world: World, *, is_reconciled: bool) -> Look:
    """Read the directory and the state.

    Raises:
        BackupdError: The directory cannot be read.
    """
    now = world.now()
    inventory = world.inventory()
    space = world.directory.space()
    verified = inventory.verified(world.database)
    guard = world.ticks.guard(now)
    return Look(
        now=now,
        schedule=world.schedule,
        pace_s=world.settings.schedule.retry_after_s,
        is_reconciled=is_reconciled,
        entries=inventory.entries,
        verified=verified,
        due=schedule.due(now, world.schedule, verified),
        outcomes=world.state.recall(),
        free_percent=100 * space.free_bytes / max(space.total_bytes, 1),
        guard=guard,
        unswept=_may_go(world, inventory.entries, now) if guard else 0,
    )


def next_job(seen: Look, rest_s: Callable[[Job], float]) -> Next:
    """Choose the job to begin.

    Args:
        seen: What was seen.
        rest_s: How long a job has to rest for reasons that stand in no file, in seconds.
    """
    wait_s = inf
    for job in jobs_due(seen):
        job_waits_s = max(paced_s(seen, job), rest_s(job))
        if job_waits_s <= 0:
            return Next(job, 0)
        wait_s = min(wait_s, job_waits_s)
    return Next(None, wait_s)


def jobs_due(seen: Look) -> tuple[Job, ...]:
    """The jobs that there is a reason for, the most urgent first."""
    swept_at = seen.outcomes.of(Job.SWEEP).last_success_at
    reasons = {
        Job.VERIFY: not seen.is_reconciled,
        Job.BACKUP: bool(seen.due),
        Job.SWEEP: schedule.sweep_is_due(seen.now, seen.schedule, swept_at),
    }
    return tuple(job for job, is_due in reasons.items() if is_due)


def paced_s(seen: Look, job: Job) -> float:
    """How long a job still has to wait after its failures, in seconds; 0 where it may run."""
    outcome = seen.outcomes.of(job)
    # From the failure on, not from the attempt: one that takes an hour would be repeated
    # at once.
    failed_at = outcome.last_error.at if outcome.last_error else outcome.last_attempt_at
    at = schedule.retry_at(failed_at, outcome.failures_in_a_row, seen.pace_s, seen.now)
    return (at - seen.now).total_seconds() if at else 0.0


def findings(seen: Look, limits: Limits, job: Job | None) -> tuple[Finding, ...]:
    """What is wrong, worst first; `job` is what the daemon itself does at this moment."""
    found = health.assess(
        entries=seen.entries,
        due=seen.due,
        busy=job or _restore_elsewhere(seen.outcomes),
        outcomes=seen.outcomes,
        free_percent=seen.free_percent,
        limits=limits,
        now=seen.now,
    )
    return (*found, *health.unswept(seen.unswept, seen.guard))


def _may_go(world: World, entries: Sequence[Entry], now: datetime) -> int:
    decisions = retention.decide(entries, world.retention, world.zone, now)
    return sum(bool(decision.goes) for decision in decisions)


def _restore_elsewhere(outcomes: Outcomes) -> Job | None:
    """A restore that another process does at this moment."""
    mark = outcomes.running
    lives = mark is not None and mark.job is Job.RESTORE and process.is_alive(mark.pid)
    return Job.RESTORE if lives else None
