"""Looks at everything that an assessment rests on, and changes nothing."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from selfmx_backupd import text
from selfmx_backupd.adapters import lock, old_script, process
from selfmx_backupd.adapters.backup_dir import Space
from selfmx_backupd.assessment import Cause, Daemon, Disk, Finding, Situation
from selfmx_backupd.errors import DirectoryUnusable
from selfmx_backupd.jobs.world import World
from selfmx_backupd.outcomes import Job, Outcomes, RunMark
from selfmx_backupd.policy import growth, inventory, retention, schedule
from selfmx_backupd.policy.inventory import Inventory

_Seen = TypeVar("_Seen")

_NAMED = 3


def look(
    world: World, held: Inventory, job: Job | None = None, met: Sequence[Finding] = ()
) -> Situation:
    """Look as the daemon does.

    Args:
        world: What to look at.
        held: What the backup directory holds.
        job: What its worker does at this moment.
        met: What it has met and no file remembers.

    Raises:
        BackupdError: The backup directory cannot be read.
    """
    space, found = world.directory.space(), list(met)
    outcomes, running = _runs(world, found)
    return replace(
        _of_backups(world, held, world.now(), world.guard()),
        disk=_disk(world, held, space),
        outcomes=outcomes,
        running=running,
        busy=Job.RESTORE if running and running.job is Job.RESTORE else job,
        daemon=Daemon(lives=True, pid=os.getpid()),
        met=tuple(found),
    )


def look_from_outside(world: World) -> Situation:
    """Look as whoever types a command: what he may not see is said, and stops nothing.

    Raises:
        ConfigError: The state directory is another configuration's.
    """
    met: list[Finding] = []
    read = _ask(world.directory.look, met)
    listing, closed = read or (inventory.Listing({}, (), {}), ())
    held = inventory.take(listing, world.directory.prefix, world.now())
    if closed:
        names = ", ".join((*closed[:_NAMED], "and others") if len(closed) > _NAMED else closed)
        sentence = f"{text.count(len(closed), 'manifest')} may not be read: {names}"
        met.append(Finding(Cause.UNSEEN, sentence, _as_root(None)))
    space = _ask(world.directory.space, met)
    daemon = _daemon(world, met)
    outcomes, running = _runs(world, met)
    # Who may not read the state does not know how the clock went either.
    guard = None if outcomes.doubt else world.guard()
    return replace(
        _of_backups(world, held, world.now(), guard),
        sees_all=read is not None and not closed,
        disk=_disk(world, held, space) if space else None,
        outcomes=outcomes,
        running=running,
        busy=_settles(running, daemon),
        daemon=daemon,
        met=tuple(dict.fromkeys(met)),  # a directory that is not there is missed twice
    )


def _of_backups(world: World, held: Inventory, now: datetime, guard: str | None) -> Situation:
    verified = held.verified(world.database)
    decisions = retention.decide(held.entries, world.retention, world.zone, now)
    return Situation(
        now=now,
        entries=held.entries,
        verified=verified,
        due=schedule.due(now, world.schedule, verified),
        next_runs=schedule.next_of_each(now, world.schedule),
        expected_since=schedule.expected_since(now, world.schedule),
        held_back=0 if guard else sum(each.held_back for each in decisions),
        guard=guard,
        unswept=sum(bool(each.goes) for each in decisions) if guard else 0,
        old_script=old_script.deletes_from(world.directory.path),
    )


def _disk(world: World, held: Inventory, space: Space) -> Disk:
    windows = {tier: world.retention.window(tier) for tier in world.schedule.tiers}
    outlook = growth.outlook(held.verified(world.database), windows, space.free_bytes)
    return Disk(space.free_bytes, space.total_bytes, outlook)


def _daemon(world: World, met: list[Finding]) -> Daemon | None:
    try:
        holder = lock.look(world.state.daemon_lock_path)
    except DirectoryUnusable as error:
        met.append(_unseen(error))
        return None
    return Daemon(lives=True, since=holder.since, pid=holder.pid) if holder else Daemon(lives=False)


def _settles(running: RunMark | None, daemon: Daemon | None) -> Job | None:
    """What under way excuses something: a restore; a backup only where the daemon takes it."""
    if running is None:
        return None
    is_the_daemons = daemon is not None and running.pid == daemon.pid
    return running.job if is_the_daemons or running.job is Job.RESTORE else None


def _runs(world: World, met: list[Finding]) -> tuple[Outcomes, RunMark | None]:
    """How the last runs ended, and the one that is under way."""
    outcomes = world.state.recall()
    if outcomes.doubt:
        met.append(Finding(Cause.UNSEEN, outcomes.doubt, _as_root(None)))
    mark = outcomes.running
    if mark is None:
        return outcomes, None
    try:
        is_held = lock.look(world.directory.lock_path) is not None
    except DirectoryUnusable as error:
        met.append(_unseen(error))
        is_held = True
    if is_held and process.is_alive(mark.pid):
        return outcomes, mark
    # Between the two looks a run may have ended, and then it has taken its mark away.
    if world.state.recall().running == mark:
        began = mark.started_at.isoformat(timespec="seconds")
        sentence = f"the {mark.detail} that began {began} died with its process while {mark.step}"
        met.append(Finding(Cause.FAILED, sentence, "Type: journalctl -u selfmx-backupd -n 50"))
    return outcomes, None


def _ask(question: Callable[[], _Seen], met: list[Finding]) -> _Seen | None:
    try:
        return question()
    except DirectoryUnusable as error:
        met.append(_unseen(error))
        return None


def _unseen(error: DirectoryUnusable) -> Finding:
    """What we may not see may be well; what is not there, or cannot be read at all, is not."""
    if isinstance(error.__cause__, PermissionError):
        return Finding(Cause.UNSEEN, error.message, _as_root(error.hint))
    return Finding(Cause.DIRECTORY_UNUSABLE, error.message, error.hint)


def _as_root(hint: str | None) -> str | None:
    return hint if os.geteuid() == 0 else "Type: sudo selfmx-backupd status"
