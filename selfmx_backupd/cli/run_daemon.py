"""`selfmx-backupd run`: the daemon."""

import argparse

from selfmx_backupd import log
from selfmx_backupd.config import load
from selfmx_backupd.daemon import serve


def main(arguments: argparse.Namespace) -> int:
    """Run until a signal says otherwise."""
    log.set_up()
    return serve(lambda: load(arguments.config))
