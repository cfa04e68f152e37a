"""Which commands there are. A command's module is imported only when it is chosen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        program: What is typed first.
        name: The sub-command; None for what the program does without one.
        module: Where its `main(arguments)` is.
        help: One line.
        takes_json: Whether it can answer with a JSON document.
    """

    program: str
    name: str | None
    module: str
    help: str
    takes_json: bool


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
        "selfmx_backupd.cli.restore_list",
        "list the backups that can be restored",
        takes_json=False,
    ),
)


def of(program: str) -> tuple[Command, ...]:
    """The commands of one program."""
    return tuple(command for command in COMMANDS if command.program == program)
