"""Which commands there are. A command's module is imported only when it is chosen."""

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Argument:
    """What a command takes, as argparse's add_argument wants it."""

    words: tuple[str, ...]
    options: Mapping[str, Any]


def _switch(word: str, help_: str) -> Argument:
    return Argument((word,), {"action": "store_true", "help": help_})


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    """Reads a number, for argparse, which puts the option's name before what is wrong."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f'"{text}" is no whole number from {least} to {most}, write one'
            )
        return int(text)

    return read


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        program: What is typed first.
        name: The sub-command; None for what the program does without one.
        module: Where its `main(arguments)` is.
        help: One line.
        takes_json: Whether it can answer with a JSON document.
        arguments: What it takes besides.
        is_plug_in: Whether it exits as monitoring plug-ins do; then every failure is unknown.
    """

    program: str
    name: str | None
    module: str
    help: str
    takes_json: bool
    arguments: tuple[Argument, ...] = ()
    is_plug_in: bool = False


_FILE = Argument(("file",), {"metavar": "FILE", "help": "a name from the list"})
_UNTIL = Argument(
    ("--until",),
    {"metavar": "DATE", "help": "2027-03-01, to the end of that day; without it for ever"},
)
_REASON = Argument(("--reason",), {"metavar": "TEXT", "help": "why, for whoever reads the list"})

_OF_SWEEP = (
    _switch("--dry-run", "only show what would go and what is held back"),
    _switch("--force", "also take what is held back"),
)

_OF_VERIFY = (
    Argument(("files",), {"nargs": "*", "metavar": "FILE", "help": "names from the list"}),
    _switch("--all", "every backup"),
)

_OF_RESTORE = (
    Argument(("file",), {"nargs": "?", "metavar": "FILE", "help": "a name from the list"}),
    _switch("--latest", "the newest verified backup"),
    _switch("--yes", "consent to what is asked; for scripts"),
    Argument(
        ("--as",),
        {
            "dest": "as_name",
            "metavar": "NAME",
            "help": "restore to a new database of that name; nothing in service is touched",
        },
    ),
    _switch("--in-place", "overwrite the database, after a safety backup: for small disks"),
    _switch("--undo", "back to what was there before the last restore, finished or not"),
    _switch("--drop-old", "drop the databases that restores have kept"),
)

_OF_SCHEDULE = (
    Argument(
        ("--count",),
        {
            "type": _whole_number(1, 1000),
            "default": 10,
            "metavar": "N",
            "help": "how many runs (default: 10)",
        },
    ),
)

_OF_SIMULATE = (
    Argument(
        ("--days",),
        {
            "type": _whole_number(1, 3660),
            "required": True,
            "metavar": "N",
            "help": "how many days, from now on: 1 to 3660",
        },
    ),
    Argument(
        ("--off",),
        {
            "action": "append",
            "default": [],
            "metavar": "A..B",
            "help": "the host is off from day A to day B; the first day, today, is 1; "
            "may be repeated",
        },
    ),
)

COMMANDS = (
    Command(
        "selfmx-backupd",
        "run",
        "selfmx_backupd.cli.run_daemon",
        "run the daemon; systemd's unit does this",
        takes_json=False,
    ),
    Command(
        "selfmx-backupd",
        "check",
        "selfmx_backupd.cli.check",
        "look for what would spoil a backup or a restore: configuration, directories, rights, "
        "space; exits as monitoring plug-ins do",
        takes_json=True,
        is_plug_in=True,
    ),
    Command(
        "selfmx-backupd",
        "schedule",
        "selfmx_backupd.cli.schedule",
        "list the next runs, and what summer time does to them",
        takes_json=True,
        arguments=_OF_SCHEDULE,
    ),
    Command(
        "selfmx-backupd",
        "simulate",
        "selfmx_backupd.cli.simulate",
        "show what schedule and retention would leave after some days",
        takes_json=True,
        arguments=_OF_SIMULATE,
    ),
    Command(
        "selfmx-backupd",
        "status",
        "selfmx_backupd.cli.status",
        "tell what can be got back, what comes next, and what is wrong; exits as monitoring "
        "plug-ins do",
        takes_json=True,
        is_plug_in=True,
    ),
    Command(
        "selfmx-backup",
        None,
        "selfmx_backupd.cli.backup_now",
        "take a verified backup now; it is kept as a manual one",
        takes_json=True,
        arguments=(_switch("--pin", "hold it, whatever retention says"), _UNTIL, _REASON),
    ),
    Command(
        "selfmx-backup",
        "list",
        "selfmx_backupd.cli.list_backups",
        "list every backup: what it is worth, why it stays, when it may go",
        takes_json=True,
    ),
    Command(
        "selfmx-backup",
        "verify",
        "selfmx_backupd.cli.verify",
        "prove backups again: size, header, RESTORE VERIFYONLY, SHA-256",
        takes_json=False,
        arguments=_OF_VERIFY,
    ),
    Command(
        "selfmx-backup",
        "sweep",
        "selfmx_backupd.cli.sweep",
        "remove what retention lets go, now",
        takes_json=True,
        arguments=_OF_SWEEP,
    ),
    Command(
        "selfmx-backup",
        "pin",
        "selfmx_backupd.cli.pin",
        "hold a backup, whatever retention says",
        takes_json=False,
        arguments=(_FILE, _UNTIL, _REASON),
    ),
    Command(
        "selfmx-backup",
        "unpin",
        "selfmx_backupd.cli.unpin",
        "let go of a backup that is pinned",
        takes_json=False,
        arguments=(_FILE,),
    ),
    Command(
        "selfmx-backup",
        "forget",
        "selfmx_backupd.cli.forget",
        "accept that a backup is missing or damaged; nothing is deleted but its manifest",
        takes_json=False,
        arguments=(_FILE,),
    ),
    Command(
        "selfmx-restore",
        None,
        "selfmx_backupd.cli.restore",
        "restore a backup beside what is there, check it, and let the two change places; "
        "without arguments list the backups",
        takes_json=False,
        arguments=_OF_RESTORE,
    ),
)


def of(program: str) -> tuple[Command, ...]:
    """The commands of one program."""
    return tuple(command for command in COMMANDS if command.program == program)
