"""Situations for the assessment: one where all is well, and for each cause what shows it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from selfmx_backupd.assessment import Cause, Daemon, Disk, Finding, Outlook, Situation
from selfmx_backupd.model import Backup, Due, NextRun, State, Tier, Verified
from selfmx_backupd.outcomes import Failure, Job, Outcome, Outcomes
from selfmx_backupd.policy.health import Limits
from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step
from tests.build import OTHER_FAMILY, backup, entry, plan, utc

NOW = utc("2026-11-24 12:00")
LIMITS = Limits(timedelta(hours=2), 10)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
GIB = 1 << 30

OUTLOOK = Outlook(
    next_bytes=GIB, to_come_bytes=0, growth_bytes_a_day=0, known_days=30, lasts_days=None
)
DISK = Disk(free_bytes=50 * GIB, total_bytes=100 * GIB, outlook=OUTLOOK)


def well() -> Situation:
    """Three good backups, nothing due, room for more, a daemon that lives."""
    verified = tuple(backup(NOW - 9 * HOUR - age * DAY) for age in range(3))
    return Situation(
        now=NOW,
        entries=tuple(entry(each) for each in verified),
        verified=verified,
        next_runs=(NextRun(Tier.DAILY, NOW + 15 * HOUR),),
        expected_since=NOW - 33 * HOUR,
        disk=DISK,
        daemon=Daemon(lives=True),
    )


def due(since: datetime, seen: Situation) -> Situation:
    return replace(seen, due=(*seen.due, Due(Tier.DAILY, since)))


def worth(state: State, seen: Situation) -> Situation:
    """One more backup, of another worth."""
    lost = entry(backup(NOW - 100 * HOUR), state, "found so")
    return replace(seen, entries=(*seen.entries, lost))


def more(backups: Sequence[Backup], seen: Situation) -> Situation:
    """More verified backups, older than those that are there."""
    return replace(seen, verified=(*seen.verified, *backups))


def proven_at(at: datetime) -> Backup:
    old = backup(NOW - 200 * DAY)
    assert old.verified is not None
    return replace(old, verified=Verified(at=at, by=old.verified.by))


def failed(job: Job, times: int, hint: str | None = None) -> Outcome:
    error = Failure(at=NOW, exit_code=5, message=f"the {job} is broken", hint=hint)
    return Outcome(failures_in_a_row=times, last_error=error)


def ended(job: Job, outcome: Outcome, seen: Situation) -> Situation:
    jobs = MappingProxyType({**seen.outcomes.jobs, job: outcome})
    return replace(seen, outcomes=replace(seen.outcomes, jobs=jobs))


def planned(restore: RestorePlan, seen: Situation) -> Situation:
    return replace(seen, outcomes=replace(seen.outcomes, restore=restore))


def kept(since: datetime) -> RestorePlan:
    """A restore that has ended, and the database that it took out of service."""
    old = Kept(name="SelfMX_before_1", since=since, because=None, is_way_back=True)
    return plan(Kind.BESIDE, Step.DONE, ended_at=NOW, kept=(old,))


def on_disk(seen: Situation, free_bytes: int, **outlook: int | None) -> Situation:
    """Another disk, and another outlook."""
    changed: dict[str, int | None] = dict(outlook)
    ahead = Outlook(
        next_bytes=changed.get("next_bytes") or GIB,
        to_come_bytes=changed.get("to_come_bytes", 0),
        growth_bytes_a_day=changed.get("growth_bytes_a_day", 0),
        known_days=changed.get("known_days") or 30,
        lasts_days=changed.get("lasts_days"),
    )
    return replace(seen, disk=Disk(free_bytes, 100 * GIB, ahead))


def met(cause: Cause, seen: Situation) -> Situation:
    """What is found by whoever looks, and not decided."""
    return replace(seen, met=(*seen.met, Finding(cause, f"{cause} was met")))


Fault = Callable[[Situation], Situation]

FAULTS: Mapping[Cause, Fault] = {
    Cause.INTERRUPTED_RESTORE: lambda seen: planned(plan(step=Step.SWAPPING), seen),
    Cause.UNREADABLE_PLAN: lambda seen: replace(
        seen, outcomes=Outcomes(jobs=seen.outcomes.jobs, extra={"restore": {"step": "dancing"}})
    ),
    Cause.NO_BACKUP: lambda seen: replace(seen, verified=(), entries=()),
    Cause.LATE: lambda seen: due(NOW - 2 * HOUR - SECOND, seen),
    Cause.DIRECTORY_UNUSABLE: lambda seen: met(Cause.DIRECTORY_UNUSABLE, seen),
    Cause.NO_SPACE: lambda seen: on_disk(seen, 20 * GIB, next_bytes=20 * GIB + 1),
    Cause.DAEMON_DOWN: lambda seen: replace(seen, daemon=Daemon(lives=False)),
    Cause.STALLED: lambda seen: met(Cause.STALLED, seen),
    Cause.OLD_SCRIPT: lambda seen: replace(seen, old_script=True),
    Cause.MISSING: lambda seen: worth(State.MISSING, seen),
    Cause.DAMAGED: lambda seen: worth(State.DAMAGED, seen),
    Cause.UNSEEN: lambda seen: met(Cause.UNSEEN, seen),
    Cause.FAILED: lambda seen: ended(Job.SWEEP, failed(Job.SWEEP, 1), seen),
    Cause.BLOCKED: lambda seen: met(Cause.BLOCKED, seen),
    Cause.FAMILIES: lambda seen: more([backup(NOW - 9 * DAY, family=OTHER_FAMILY)], seen),
    Cause.STALE: lambda seen: replace(
        due(NOW - 9 * HOUR, seen), busy=Job.BACKUP, expected_since=NOW - 9 * HOUR + SECOND
    ),
    Cause.UNSCHEDULED: lambda seen: replace(seen, next_runs=()),
    Cause.UNKNOWN: lambda seen: worth(State.UNKNOWN, seen),
    Cause.UNPROVEN: lambda seen: more([proven_at(NOW - 60 * DAY - SECOND)], seen),
    Cause.HELD_BACK: lambda seen: replace(seen, held_back=1),
    Cause.UNSWEPT: lambda seen: replace(seen, guard="the clock was set back", unswept=1),
    Cause.LOW_SPACE: lambda seen: on_disk(seen, 10 * GIB - 1),
    Cause.FILLING: lambda seen: on_disk(seen, 50 * GIB, lasts_days=29),
    Cause.LEFT_OVER: lambda seen: planned(kept(NOW - 7 * DAY - SECOND), seen),
    Cause.FORGETFUL: lambda seen: met(Cause.FORGETFUL, seen),
}
