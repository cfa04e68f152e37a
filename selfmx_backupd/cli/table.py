"""Which commands there are. A command's module is imported only when it is chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Argument:
    """What a command takes, as argparse's add_argument wants it."""

    words: tuple[str, ...]
    options: Mapping[str, Any]


def _switch(word: str, help_: str) -> Argument:
    return Argument((word,), {"action": "store_true", "help": help_})


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
    """

    program: str
    name: str | None
    module: str
    help: str
    takes_json: bool
    arguments: tuple[Argument, ...] = ()


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

COMMANDS = (
    Command(
        "selfmx-backupd",
        "run",
        "selfmx_backupd.cli.run_daemon",
        "run the daemon; systemd's unit does this",
        takes_json=False,
    ),
    Command(
        "selfmx-backup",
        None,
        "selfmx_backupd.cli.backup_now",
        "take a verified backup now; it is kept as a manual one",
        takes_json=True,
    ),
    Command(
        "selfmx-backup",
        "list",
        "selfmx_backupd.cli.list_backups",
        "list every backup: what it is worth, why it stays, when it may go",
        takes_json=True,
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
