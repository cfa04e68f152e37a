"""`selfmx-backup pin`: hold a backup, whatever retention says."""

import argparse

from selfmx_backupd import log
from selfmx_backupd.cli import interruptible, standing
from selfmx_backupd.cli.naming import name_of, pin_of
from selfmx_backupd.config import load
from selfmx_backupd.jobs import pins
from selfmx_backupd.jobs.run import under_lock
from selfmx_backupd.wiring import world_of


def main(arguments: argparse.Namespace) -> int:
    """Pin it, and say what holds it now."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    file = name_of(world, arguments.file, "selfmx-backup pin")
    wanted = pin_of(world, arguments.until, arguments.reason)
    done = under_lock(world, "pin", lambda: pins.pin(world, file, wanted))
    said = f"{file}: {standing.pinned(wanted, world.zone)}"
    if done.before is not None:
        said += f"; before it was {standing.pinned(done.before, world.zone)}"
    interruptible.say(f"{said}\n{standing.sentence(done, world.zone, world.now())}")
    return 0
