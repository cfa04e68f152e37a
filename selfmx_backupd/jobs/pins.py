"""Hold a backup, whatever retention says; and let go of it."""

from dataclasses import dataclass, replace

from selfmx_backupd.errors import BackupUnusable
from selfmx_backupd.jobs import known
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Decision, Entry, Pin, State
from selfmx_backupd.policy import retention


@dataclass(frozen=True, slots=True)
class Standing:
    """How a backup stands now.

    Attributes:
        before: The pin that it had.
        decision: What retention says of it from now on.
    """

    before: Pin | None
    entry: Entry
    decision: Decision


def pin(world: World, file: str, wanted: Pin) -> Standing:
    """Hold a backup; a pin that it has is replaced.

    A deletion that was interrupted before it took the file is called off.

    Raises:
        BackupUnusable: Nothing is there to hold, or nowhere to write it down.
    """
    backup = _being_deleted(world, file)
    if backup is None:
        entry = known.find(world, file)
        backup = known.described(entry)
        if entry.state is State.MISSING:
            raise BackupUnusable(
                f"{file} is missing: {entry.reason}",
                hint=f"Put it back, or accept that it is lost: selfmx-backup forget {file}",
            )
    world.directory.write_manifest(replace(backup, pin=wanted, going=None))
    return _standing(world, file, backup.pin)


def unpin(world: World, file: str) -> Standing:
    """Let go of a backup; of one that nobody holds, too.

    Raises:
        BackupUnusable: There is none of that name, or it has no manifest that can be read.
    """
    backup = known.described(known.find(world, file))
    if backup.pin is not None:
        world.directory.write_manifest(replace(backup, pin=None))
    return _standing(world, file, backup.pin)


def _being_deleted(world: World, file: str) -> Backup | None:
    """A backup whose deletion has begun, and whose file is still there."""
    going = {each.file: each for each in world.inventory().going}
    return going.get(file) if world.directory.size_of(file) is not None else None


def _standing(world: World, file: str, before: Pin | None) -> Standing:
    entries = world.inventory().entries
    decisions = retention.decide(entries, world.retention, world.zone, world.now())
    decision = next(each for each in decisions if each.file == file)
    entry = next(each for each in entries if each.file == file)
    return Standing(before, entry, decision)
