"""The commands: one file each, one table of them, and one door for every error."""

import sys

from selfmx_backupd.cli.door import enter


def daemon() -> None:
    """`selfmx-backupd`."""
    sys.exit(enter("selfmx-backupd", sys.argv[1:]))


def backup() -> None:
    """`selfmx-backup`."""
    sys.exit(enter("selfmx-backup", sys.argv[1:]))


def restore() -> None:
    """`selfmx-restore`."""
    sys.exit(enter("selfmx-restore", sys.argv[1:]))
