"""What a command's FILE and its --until mean."""

from pathlib import Path

from selfmx_backupd.errors import UsageError
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Pin
from selfmx_backupd.policy import pins


def name_of(world: World, given: str, command: str) -> str:
    """A name in the backup directory; with a slash its parent must be that directory.

    Args:
        world: Whose directory it is.
        given: What was typed.
        command: What to type with the name, once the file is where it must be.

    Raises:
        UsageError: It is in another directory.
    """
    path = Path(given)
    if "/" not in given:
        return given
    here = world.directory.path
    if path.parent.resolve() != here.resolve():
        raise UsageError(
            f"{given} is not in {here}, where SQL Server can read backups",
            hint=f"Move it there, then type: {command} {path.name}",
        )
    return path.name


def pin_of(world: World, until: str | None, reason: str | None) -> Pin:
    """The pin that was asked for.

    Raises:
        UsageError: Its end is no date to come, or its reason does not fit on a line.
    """
    if reason is not None and not reason.isprintable():
        raise UsageError("--reason wants one line of text")
    try:
        end = pins.until(until, world.zone, world.now()) if until is not None else None
    except ValueError as error:
        raise UsageError(f"--until {error}") from None
    return Pin(until=end, reason=reason or "")
