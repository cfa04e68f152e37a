"""`selfmx-restore`: the list of what can be restored, and how to do it."""

import argparse

from selfmx_backupd import log
from selfmx_backupd.cli.list_backups import as_text
from selfmx_backupd.config import load
from selfmx_backupd.errors import UsageError
from selfmx_backupd.wiring import world_of

_BY_HAND = "README.md, in the chapter on restoring, has the statements to type."


def main(arguments: argparse.Namespace) -> int:
    """List, and exit with 2: nothing has been restored."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    print(as_text(world))
    if arguments.file is not None:
        raise UsageError(
            f"this version lists backups and does not restore {arguments.file} by itself",
            hint=_BY_HAND,
        )
    raise UsageError("no backup was named, and this version only lists them", hint=_BY_HAND)
