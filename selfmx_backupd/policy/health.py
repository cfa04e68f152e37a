"""Is anything wrong? One assessment, from which `status`, STATUS= and the log take their words.

How bad a finding is, its cause alone decides: `assessment.py`, and the table in
ARCHITECTURE.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from selfmx_backupd import text
from selfmx_backupd.assessment import (
    OLD_TIMER,
    Assessment,
    Cause,
    Finding,
    Outlook,
    Severity,
    Situation,
)
from selfmx_backupd.model import State
from selfmx_backupd.outcomes import Job

# Each backup is read again about once a month: after two months something keeps it from that.
_PROOF_LASTS = timedelta(days=60)
# What a restore has kept is wanted for some days, to go back; then it only costs space.
_KEPT_FOR = timedelta(days=7)
# So long ahead it is told that the disk will be full.
_ENOUGH_DAYS = 30

# Of these each file is one alarm; the words of the others change while they last.
_EACH = frozenset({Cause.MISSING, Cause.DAMAGED})
_MENDED_BY_TIME = frozenset({Cause.LATE, Cause.NO_BACKUP})

_LOG = "Type: journalctl -u selfmx-backupd -n 50"


@dataclass(frozen=True, slots=True)
class Limits:
    """When something is called wrong.

    `late_after` is how long a tier may be due; `min_free_percent` is of the file system.
    """

    late_after: timedelta
    min_free_percent: int


def assess(seen: Situation, limits: Limits) -> Assessment:
    """Everything that is wrong, worst first; nothing where all is well."""
    findings = [
        *_met(seen),
        *_restore(seen),
        *_backups(seen, limits),
        *_old_script(seen),
        *_entries(seen),
        *_runs(seen),
        *_disk(seen, limits),
    ]
    order = list(Cause)
    findings.sort(key=lambda each: (-each.severity.rank, order.index(each.cause)))
    return Assessment(seen, tuple(findings))


def alarms(
    findings: Iterable[Finding], limits: Limits, watched_for: timedelta
) -> Mapping[str, str]:
    """What the log calls an error: what it is about, and its sentence.

    A backup that was missed while the machine was off is overdue from the start, and the first
    one is missing from the start; that needs nobody: it is an error once the daemon has had as
    long to take it as any other.

    Args:
        findings: What `assess` has found.
        limits: When something is called wrong.
        watched_for: How long the daemon has been running.
    """
    return {
        each.sentence if each.cause in _EACH else each.cause: each.sentence
        for each in findings
        if each.severity is Severity.CRITICAL
        and (each.cause not in _MENDED_BY_TIME or watched_for > limits.late_after)
    }


def _met(seen: Situation) -> Iterable[Finding]:
    """What whoever looked has met, without a failure that the last outcomes tell too."""
    errors = [each.last_error for each in seen.outcomes.jobs.values() if each.failures_in_a_row]
    told = {error.message for error in errors if error}
    return (each for each in seen.met if each.sentence not in told)


def _restore(seen: Situation) -> Iterable[Finding]:
    plan = seen.outcomes.restore
    if seen.outcomes.has_unreadable_plan:
        yield Finding(
            Cause.UNREADABLE_PLAN,
            "state.json holds a restore that this version cannot read: upgrade, then look",
            "Install the version that wrote it, then type: selfmx-restore --undo",
        )
    if plan is None:
        return
    if plan.is_open and seen.busy is not Job.RESTORE:
        what = f"the restore of {plan.file}" if plan.file else "the undo of a restore"
        yield Finding(
            Cause.INTERRUPTED_RESTORE,
            f"{what} was interrupted ({plan.step}), and {plan.database} may be out of service; "
            "type: selfmx-restore --undo",
            "Type: selfmx-restore --undo",
        )
    old = [each for each in plan.kept if seen.now - each.since > _KEPT_FOR]
    if old:
        names = ", ".join(each.name for each in old)
        waited = text.age(seen.now - min(each.since for each in old))
        yield Finding(
            Cause.LEFT_OVER,
            f"kept by restores, for up to {waited}: {names}",
            "If you do not want it back, type: selfmx-restore --drop-old",
        )


def _backups(seen: Situation, limits: Limits) -> Iterable[Finding]:
    if not seen.next_runs:
        yield Finding(
            Cause.UNSCHEDULED,
            "no backup is scheduled: daily, weekly and monthly are off",
            "Set schedule.daily in config.toml, then type: systemctl reload selfmx-backupd",
        )
    if seen.sees_all:
        yield from _newest(seen)
        yield from _late(seen, limits)
    yield from _families(seen)
    yield from _unproven(seen)


def _newest(seen: Situation) -> Iterable[Finding]:
    if seen.newest is None:
        yield Finding(
            Cause.NO_BACKUP, "there is no verified backup", "To take one, type: selfmx-backup"
        )


def _late(seen: Situation, limits: Limits) -> Iterable[Finding]:
    if seen.busy is Job.BACKUP:
        # It is being done. If that takes so long that whole turns are missed, say so.
        expected = seen.expected_since
        if seen.newest is not None and expected and seen.newest.started_at < expected:
            age = text.age(seen.now - seen.newest.started_at)
            yield Finding(
                Cause.STALE, f"the newest backup is {age} old, a whole turn was missed", _LOG
            )
        return
    late = [each for each in seen.due if seen.now - each.since > limits.late_after]
    if late:
        tiers = ", ".join(each.tier for each in late)
        waited = text.age(seen.now - min(each.since for each in late))
        yield Finding(Cause.LATE, f"{tiers} backup overdue for {waited}", _LOG)


def _families(seen: Situation) -> Iterable[Finding]:
    by_family = {each.backup_set.family_guid: each for each in reversed(seen.verified)}
    newest = sorted(by_family.values(), key=lambda each: each.started_at, reverse=True)
    if len(newest) > 1:
        told = [f"{each.file} ({text.age(seen.now - each.started_at)} old)" for each in newest]
        yield Finding(
            Cause.FAMILIES,
            f"the database was made anew, perhaps empty: backups are of {len(newest)} database "
            f"families, the newest of each {' and '.join(told)}",
            "See whether the database in service is the one that you want. The other one comes "
            f"back with: selfmx-restore {newest[1].file}",
        )


def _unproven(seen: Situation) -> Iterable[Finding]:
    proofs = [(each.verified.at, each.file) for each in seen.verified if each.verified]
    old = [each for each in proofs if seen.now - each[0] > _PROOF_LASTS]
    if old:
        at, file = min(old)
        yield Finding(
            Cause.UNPROVEN,
            f"{text.count(len(old), 'backup')} not read again for too long, {file} not for "
            f"{text.age(seen.now - at)}",
            f"Type: selfmx-backup verify {file}",
        )


def _old_script(seen: Situation) -> Iterable[Finding]:
    if seen.old_script:
        yield Finding(
            Cause.OLD_SCRIPT,
            f"{OLD_TIMER} is on again: SelfMX's old script deletes every backup older than seven "
            "days",
            f"Type: systemctl disable --now {OLD_TIMER}",
        )


def _entries(seen: Situation) -> Iterable[Finding]:
    for each in seen.entries:
        sentence = f"{each.file} is {each.state}: {each.reason}"
        forget = f"accept the loss: selfmx-backup forget {each.file}"
        match each.state:
            case State.MISSING:
                yield Finding(Cause.MISSING, sentence, f"Put the file back, or {forget}")
            case State.DAMAGED:
                again = f"Prove it again: selfmx-backup verify {each.file}"
                yield Finding(Cause.DAMAGED, sentence, f"{again}, or {forget}")
            case State.UNKNOWN:
                yield Finding(Cause.UNKNOWN, sentence, "Type: selfmx-backup list")
            case State.VERIFIED:
                pass
    if seen.held_back:
        yield Finding(
            Cause.HELD_BACK,
            f"{text.count(seen.held_back, 'backup')} may go but wait for later sweeps, because one "
            "sweep removes at most a quarter",
            "If so many surprise you, type: selfmx-backup list",
        )
    # A guard that keeps nothing, as on each fresh installation, is no news.
    if seen.guard is not None and seen.unswept:
        kept = f"{text.count(seen.unswept, 'backup')} that may go "
        kept += "is kept" if seen.unswept == 1 else "are kept"
        yield Finding(
            Cause.UNSWEPT,
            f"{kept}: {seen.guard}",
            "If the clock is right, wait: sweeps go on after a steady day. Type: timedatectl",
        )


def _runs(seen: Situation) -> Iterable[Finding]:
    if seen.daemon is not None and not seen.daemon.lives:
        yield Finding(
            Cause.DAEMON_DOWN,
            "the daemon does not run, nobody will take the next backup",
            "Type: systemctl status selfmx-backupd; then: systemctl start selfmx-backupd",
        )
    for job, outcome in seen.outcomes.jobs.items():
        # Whoever typed a restore has seen how it ended. What it left open is found by its plan.
        if job is Job.RESTORE:
            continue
        error = outcome.last_error
        if outcome.failures_in_a_row and error:
            times = text.count(outcome.failures_in_a_row, f"failed {job} run")
            yield Finding(Cause.FAILED, f"{times} in a row: {error.message}", error.hint)


def _disk(seen: Situation, limits: Limits) -> Iterable[Finding]:
    disk = seen.disk
    if disk is None:
        return
    free, outlook = text.size(disk.free_bytes), disk.outlook
    hint = "Free some space, or let fewer backups stay: [retention] in config.toml. Type: df -h"
    if outlook and disk.free_bytes < outlook.next_bytes:
        needed = text.size(outlook.next_bytes)
        sentence = f"no space for the next backup: {free} are free, it needs about {needed}"
        yield Finding(Cause.NO_SPACE, sentence, hint)
    if disk.free_percent < limits.min_free_percent:
        sentence = f"only {disk.free_percent:.0f} % of the backup directory's disk is free"
        yield Finding(Cause.LOW_SPACE, sentence, hint)
    if outlook:
        yield from _filling(outlook, disk.free_bytes, hint)


def _filling(outlook: Outlook, free_bytes: int, hint: str) -> Iterable[Finding]:
    if outlook.lasts_days is not None and outlook.lasts_days < _ENOUGH_DAYS:
        days = text.count(outlook.lasts_days, "day")
        sentence = f"at the present growth the disk is full in about {days}"
        yield Finding(Cause.FILLING, sentence, hint)
    elif outlook.to_come_bytes and outlook.to_come_bytes + outlook.next_bytes > free_bytes:
        to_come, free = text.size(outlook.to_come_bytes), text.size(free_bytes)
        sentence = f"retention will keep up to {to_come} more than now, and {free} are free"
        yield Finding(Cause.FILLING, sentence, hint)
