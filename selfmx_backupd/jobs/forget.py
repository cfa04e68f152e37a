"""Accept that a backup is missing or damaged, so that it is no problem any more."""

from collections.abc import Callable
from dataclasses import dataclass

from selfmx_backupd.errors import GuardRefused
from selfmx_backupd.jobs import known
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Entry, State


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of it: the names under which file and manifest are kept, where they are."""

    kept_as: tuple[str, ...]


def forget(world: World, file: str, tell: Callable[[Entry], None]) -> Forgotten:
    """Give up what cannot be restored; bytes are never deleted.

    A specialist may get something out of a damaged file, so it only loses its name.

    Args:
        world: What it works with.
        file: The backup.
        tell: Told what is given up, before it is.

    Raises:
        GuardRefused: It may be good, or somebody holds it.
        BackupUnusable: There is none of that name.
    """
    entry = known.find(world, file)
    _ensure_lost(entry)
    _ensure_not_held(world, entry)
    tell(entry)
    if entry.state is State.DAMAGED or world.directory.is_half_aside(file):
        return Forgotten(world.directory.set_aside(file))
    world.directory.remove_manifest(file)
    return Forgotten(())


def _ensure_lost(entry: Entry) -> None:
    if entry.state is State.VERIFIED:
        raise GuardRefused(
            f"{entry.file} is verified, and goes when retention lets it go",
            hint="When that is: selfmx-backup list",
        )
    if entry.state is State.UNKNOWN:
        raise GuardRefused(
            f"{entry.file} may be good: {entry.reason}",
            hint=f"To prove it: selfmx-backup verify {entry.file}"
            if entry.backup is not None
            else f"To see what is in it: selfmx-restore --as SelfMX_look {entry.file}",
        )


def _ensure_not_held(world: World, entry: Entry) -> None:
    """Whoever pinned it wants to know that it is lost."""
    pin = entry.backup.pin if entry.backup else None
    if pin is not None and (pin.until is None or pin.until > world.now()):
        why = f" ({pin.reason})" if pin.reason else ""
        raise GuardRefused(
            f"{entry.file} is pinned{why}, and it is {entry.state}: {entry.reason}",
            hint=f"If nobody needs it: selfmx-backup unpin {entry.file}, then forget it.",
        )
