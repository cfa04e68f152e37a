"""The retention sweeper: what may go, goes, oldest first and never many at once."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from selfmx_backupd import log, text
from selfmx_backupd.errors import DirectoryUnusable, NotEnoughSpace
from selfmx_backupd.events import SWEEP_DONE, SWEEP_HELD_BACK, SWEEP_REMOVED
from selfmx_backupd.jobs.reconcile import tidy
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Decision, Going
from selfmx_backupd.policy import retention

_BRAKE = "one sweep removes at most a quarter"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: names removed, and how many wait for the next one."""

    removed: tuple[str, ...]
    held_back: int


def sweep(world: World, run: Run, guard: str | None = None) -> Swept:
    """Apply retention now; nothing goes while there is a `guard`, the reason why not.

    The inventory is taken at this moment, so every backup on whose strength another one
    goes has just been looked at: where its size differs it is damaged and counts no more.
    """
    tidy(world)
    entries = world.inventory().entries
    decisions = retention.decide(entries, world.retention, world.zone, world.now())
    if guard is not None:
        return _spare(decisions, guard)
    backups = {entry.file: entry.backup for entry in entries}
    removed, errors = [], []
    for decision in reversed(decisions):
        backup = backups[decision.file]
        if decision.keep or backup is None:
            continue
        run.step("sweeping", decision.file)
        try:
            _remove(world, backup, "; ".join(decision.goes))
        except DirectoryUnusable as error:
            # One that cannot be removed (an immutable file) must not keep the others.
            errors.append(error)
        else:
            removed.append(decision.file)
    held_back = sum(decision.held_back for decision in decisions)
    if held_back:
        log.emit(SWEEP_HELD_BACK, count=text.count(held_back, "backup"), reason=_BRAKE)
    log.emit(SWEEP_DONE, removed=len(removed), kept=len(entries) - len(removed))
    if errors:
        raise errors[0]
    return Swept(tuple(removed), held_back)


def _spare(decisions: Sequence[Decision], guard: str) -> Swept:
    spared = sum(bool(decision.goes) for decision in decisions)
    if spared:
        log.emit(SWEEP_HELD_BACK, count=text.count(spared, "backup"), reason=guard)
    log.emit(SWEEP_DONE, removed=0, kept=len(decisions))
    return Swept((), spared)


def _remove(world: World, backup: Backup, reason: str) -> None:
    """Say so in the manifest first: a crash leaves a deletion to end, not a missing backup."""
    going = replace(backup, going=Going(at=world.now(), reason=reason))
    with suppress(NotEnoughSpace):  # the sweep is what makes room on a full disk
        world.directory.write_manifest(going)
    try:
        world.directory.remove_backup(backup.file)
    except DirectoryUnusable:
        # It stays, so it counts again.
        world.directory.write_manifest(backup)
        raise
    log.emit(SWEEP_REMOVED, file=backup.file, size_bytes=backup.size_bytes, reason=reason)
