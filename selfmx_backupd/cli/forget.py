"""`selfmx-backup forget`: accept that a backup is missing or damaged."""

import argparse
import shlex

from selfmx_backupd import log, text
from selfmx_backupd.cli import interruptible
from selfmx_backupd.cli.naming import name_of
from selfmx_backupd.config import load
from selfmx_backupd.jobs.forget import forget
from selfmx_backupd.jobs.run import under_lock
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Entry
from selfmx_backupd.wiring import world_of


def main(arguments: argparse.Namespace) -> int:
    """Say what is lost, give it up, and say what is left of it."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    file = name_of(world, arguments.file, "selfmx-backup forget")
    done = under_lock(
        world,
        "forget",
        lambda: forget(world, file, lambda entry: interruptible.say(_lost(world, entry))),
    )
    if done.kept_as:
        paths = shlex.join(str(world.directory.path / name) for name in done.kept_as)
        interruptible.say(
            f"it is kept as {done.kept_as[0]}, for whoever can get something out of it\n"
            f"to free its space: rm {paths}"
        )
    else:
        interruptible.say("its manifest is removed; nothing is left of it here")
    return 0


def _lost(world: World, entry: Entry) -> str:
    said = f"{entry.file} is {entry.state}: {entry.reason}"
    backup = entry.backup
    if backup is None:
        return f"{said}\ngiven up: a backup of which nothing more is known"
    return (
        f"{said}\ngiven up: a backup of {backup.database} as {', '.join(backup.tiers)}, begun "
        f"{text.local(backup.started_at, world.zone)}, {text.size(backup.size_bytes)}, "
        f"SHA-256 {backup.sha256 or 'not known'}"
    )
