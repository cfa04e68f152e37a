"""`selfmx-backup unpin`: let go of a backup."""

import argparse

from selfmx_backupd import log
from selfmx_backupd.cli import interruptible, standing
from selfmx_backupd.cli.naming import name_of
from selfmx_backupd.config import load
from selfmx_backupd.jobs import pins
from selfmx_backupd.jobs.run import under_lock
from selfmx_backupd.wiring import world_of


def main(arguments: argparse.Namespace) -> int:
    """Unpin it, and say what keeps it now."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    file = name_of(world, arguments.file, "selfmx-backup unpin")
    done = under_lock(world, "unpin", lambda: pins.unpin(world, file))
    if done.before is None:
        said = f"{file}: it was not pinned"
    else:
        said = f"{file}: it is no longer {standing.pinned(done.before, world.zone)}"
    interruptible.say(f"{said}\n{standing.sentence(done, world.zone, world.now())}")
    return 0
