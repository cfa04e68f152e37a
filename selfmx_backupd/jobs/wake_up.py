"""What a wake-up sees, and what it wants done.

`look` reads; everything behind it follows from what was seen. No thread, no signal and no
systemd is needed to ask what the daemon would do at a given moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from selfmx_backupd.assessment import Assessment, Finding, Situation
from selfmx_backupd.jobs import assess
from selfmx_backupd.jobs.adopt import Adoption
from selfmx_backupd.jobs.world import World
from selfmx_backupd.outcomes import Job
from selfmx_backupd.policy import health, schedule
from selfmx_backupd.policy.health import Limits
from selfmx_backupd.policy.schedule import Schedule


class Task(StrEnum):
    """What the daemon does of itself, as whoever finds the lock taken is told; urgent first."""

    RECONCILE = "reconciliation"
    BACK_UP = "scheduled backup"
    SWEEP = "scheduled sweep"
    # Last, and one file a run: what is due comes first, and again between two files.
    ADOPT = "adoption"

    @property
    def job(self) -> Job:
        """Under which its outcome is remembered."""
        return _JOBS[self]


_JOBS = {
    Task.RECONCILE: Job.VERIFY,
    Task.BACK_UP: Job.BACKUP,
    Task.SWEEP: Job.SWEEP,
    Task.ADOPT: Job.VERIFY,
}


@dataclass(frozen=True, slots=True)
class Worked:
    """What the daemon's worker knows, and no file.

    Attributes:
        is_reconciled: What earlier runs left behind has been dealt with.
        job: What is done at this moment.
        met: What went wrong.
    """

    is_reconciled: bool
    job: Job | None = None
    met: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What a wake-up sees.

    Attributes:
        assessed: Everything that was seen, and what is wrong with it.
        schedule: The rules in force.
        pace_s: The pauses after failures, in seconds.
        is_reconciled: What earlier runs left behind has been dealt with.
        is_adoptable: There is a backup that no manifest speaks of, and nobody writes to it.
    """

    assessed: Assessment
    schedule: Schedule
    pace_s: Sequence[int]
    is_reconciled: bool
    is_adoptable: bool

    @property
    def seen(self) -> Situation:
        """What was seen."""
        return self.assessed.seen


@dataclass(frozen=True, slots=True)
class Next:
    """What a wake-up wants done.

    Attributes:
        task: The most urgent one that may begin now.
        wait_s: Where there is none: in how many seconds one that is due may begin; infinite
            where nothing is due.
    """

    task: Task | None
    wait_s: float


def look(world: World, adoption: Adoption, worked: Worked, limits: Limits) -> Look:
    """Read the directory and the state, and assess them.

    Raises:
        BackupdError: The directory cannot be read.
    """
    held = world.inventory()
    is_adoptable = adoption.wants(world, held)
    seen = assess.look(world, held, worked.job, worked.met)
    return Look(
        assessed=health.assess(seen, limits),
        schedule=world.schedule,
        pace_s=world.settings.schedule.retry_after_s,
        is_reconciled=worked.is_reconciled,
        is_adoptable=is_adoptable,
    )


def next_task(look: Look, rest_s: Callable[[Task], float]) -> Next:
    """Choose the task to begin.

    Args:
        look: What was seen.
        rest_s: How long a task has to rest for reasons that stand in no file, in seconds.
    """
    wait_s = inf
    for task in tasks_due(look):
        task_waits_s = max(paced_s(look, task), rest_s(task))
        if task_waits_s <= 0:
            return Next(task, 0)
        wait_s = min(wait_s, task_waits_s)
    return Next(None, wait_s)


def tasks_due(look: Look) -> tuple[Task, ...]:
    """What there is a reason for, the most urgent first."""
    seen = look.seen
    swept_at = seen.outcomes.of(Job.SWEEP).last_success_at
    reasons = {
        Task.RECONCILE: not look.is_reconciled,
        Task.BACK_UP: bool(seen.due),
        Task.SWEEP: schedule.sweep_is_due(seen.now, look.schedule, swept_at),
        Task.ADOPT: look.is_adoptable,
    }
    return tuple(task for task in Task if reasons[task])


def paced_s(look: Look, task: Task) -> float:
    """How long a task still has to wait after its failures, in seconds; 0 where it may run."""
    seen = look.seen
    outcome = seen.outcomes.of(task.job)
    # From the failure on, not from the attempt: one that takes an hour would be repeated
    # at once.
    failed_at = outcome.last_error.at if outcome.last_error else outcome.last_attempt_at
    at = schedule.retry_at(failed_at, outcome.failures_in_a_row, look.pace_s, seen.now)
    return (at - seen.now).total_seconds() if at else 0.0
