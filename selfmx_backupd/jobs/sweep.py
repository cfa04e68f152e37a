"""The retention sweeper: what may go, goes, oldest first and never many at once."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from selfmx_backupd import log, text
from selfmx_backupd.errors import (
    AttentionNeeded,
    BackupdError,
    DirectoryUnusable,
    GuardRefused,
    NotEnoughSpace,
)
from selfmx_backupd.events import SWEEP_DONE, SWEEP_HELD_BACK, SWEEP_REMOVED
from selfmx_backupd.jobs.reconcile import tidy
from selfmx_backupd.jobs.reread import reread_oldest
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Decision, Entry, Going, State
from selfmx_backupd.policy import retention

_BRAKE = "one sweep removes at most a quarter"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep does now, decided from the directory as it is at this moment.

    Attributes:
        goes: Oldest first.
        waits: What may go, and is held back; oldest first.
        guard: Why nothing may be swept now; None where nothing is against it.
        entries: Every backup, by name.
    """

    goes: tuple[Decision, ...]
    waits: tuple[Decision, ...]
    guard: str | None
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: the names that it removed, of those that the plan let go."""

    removed: tuple[str, ...]
    plan: Plan


def sweep(world: World, run: Run, guard: str | None = None) -> Swept:
    """The scheduled sweep: one backup is read again, then what may go goes.

    Args:
        world: What it works with.
        run: Whom to tell.
        guard: Why the clock cannot be trusted with the age of backups: then nothing goes.

    Raises:
        AttentionNeeded: It is done, but for what cannot be read or removed.
    """
    tidy(world)
    read = reread_oldest(world, run)
    plan = make_plan(world, guard=guard, doubtful=read.doubtful)
    if plan.waits:
        count = text.count(len(plan.waits), "backup")
        log.emit(SWEEP_HELD_BACK, count=count, reason=guard or _BRAKE)
    return _carry_out(world, run, plan, read.errors)


def ensure_permitted(plan: Plan) -> None:
    """Refuse the sweep that somebody typed, before it is a run that could fail.

    Raises:
        GuardRefused: The clock cannot be trusted with what may go, and nobody says that it may.
    """
    if plan.guard is not None and plan.waits:
        raise GuardRefused(
            f"nothing is swept now: {plan.guard}",
            hint="To remove what may go by this clock all the same: selfmx-backup sweep --force",
        )


def sweep_now(world: World, run: Run, *, guard: str | None = None, force: bool = False) -> Swept:
    """The sweep that somebody typed: it reads nothing again, so it is quick.

    Args:
        world: What it works with.
        run: Whom to tell.
        guard: Why the clock cannot be trusted with the age of backups: then nothing goes.
        force: Take what that and the brake hold back, too.

    Raises:
        AttentionNeeded: It is done, but for what cannot be removed.
    """
    tidy(world)
    return _carry_out(world, run, make_plan(world, guard=guard, force=force), ())


def make_plan(
    world: World,
    *,
    guard: str | None = None,
    force: bool = False,
    doubtful: Collection[str] = (),
) -> Plan:
    """Look at every backup and decide; nothing is changed.

    Args:
        world: What is looked at.
        guard: Why nothing may be swept now.
        force: Pass that, and the brake.
        doubtful: Backups that are worth less than their manifests say.
    """
    entries = [
        replace(each, state=State.UNKNOWN, reason="it is in doubt")
        if each.file in doubtful and each.state is State.VERIFIED
        else each
        for each in world.inventory().entries
    ]
    decisions = retention.decide(entries, world.retention, world.zone, world.now())
    goes, waits = retention.pick(decisions, guarded=guard is not None, force=force)
    return Plan(goes, waits, None if force else guard, {each.file: each for each in entries})


def _carry_out(world: World, run: Run, plan: Plan, troubles: Sequence[BackupdError]) -> Swept:
    removed: list[str] = []
    errors = list(troubles)
    for decision in plan.goes:
        run.step("sweeping", decision.file)
        changed = _changed(world, plan, removed)
        if changed is not None:
            # Perhaps it was the strength on which this one goes. The next sweep decides anew.
            errors.append(changed)
            break
        backup = plan.entries[decision.file].backup
        if backup is None:
            continue
        try:
            _remove(world, backup, "; ".join(decision.goes))
        except DirectoryUnusable as error:
            # One that cannot be removed (an immutable file) must not keep the others.
            errors.append(error)
        else:
            removed.append(decision.file)
    log.emit(SWEEP_DONE, removed=len(removed), kept=len(plan.entries) - len(removed))
    if errors:
        raise _unsettled(errors, removed)
    return Swept(tuple(removed), plan)


def _changed(world: World, plan: Plan, removed: Collection[str]) -> BackupdError | None:
    """Look once more, right before a deletion, at every backup that counted for it."""
    for entry in plan.entries.values():
        if entry.state is not State.VERIFIED or entry.file in removed:
            continue
        size = world.directory.size_of(entry.file)
        if size != entry.size_bytes:
            now = "gone" if size is None else f"{size} bytes long"
            return DirectoryUnusable(
                f"{entry.file} is {now} and was {entry.size_bytes} bytes long when the sweep "
                "began, so nothing more was removed",
                hint="Does something else change backups? Type: selfmx-backup list",
            )
    return None


def _unsettled(errors: Sequence[BackupdError], removed: Collection[str]) -> AttentionNeeded:
    said = AttentionNeeded("; ".join(each.message for each in errors), hint=errors[0].hint)
    said.add_note(f"{text.count(len(removed), 'backup')} removed: {', '.join(removed) or 'none'}")
    return said


def _remove(world: World, backup: Backup, reason: str) -> None:
    """Say so in the manifest first: a crash leaves a deletion to end, not a missing backup."""
    going = replace(backup, going=Going(at=world.now(), reason=reason))
    with suppress(NotEnoughSpace):  # the sweep is what makes room on a full disk
        world.directory.write_manifest(going)
    try:
        world.directory.remove_backup(backup.file)
    except DirectoryUnusable:
        # It stays, so it counts again.
        with suppress(NotEnoughSpace):
            world.directory.write_manifest(backup)
        raise
    log.emit(SWEEP_REMOVED, file=backup.file, size_bytes=backup.size_bytes, reason=reason)
