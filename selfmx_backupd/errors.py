"""The error tree: what can go wrong, what to type next, and the exit code.

    BackupdError                       1
    |- UsageError                      2
    |- ConfigError                     3
    |- ServerNotReached                4
    |  |- LoginRefused                 4
    |  `- DriverMissing                4
    |- ServerRefused                   5
    |  |- DatabaseUnavailable          5
    |  |- PermissionMissing            5
    |  |- ServerCannotFindFile         5
    |  |- ServerMayNotOpenFile         5
    |  |- DirectoriesDiffer            5
    |  |- UnreadableHere               5
    |  |- AnotherBackupRuns            5
    |  |- DatabaseInUse                5
    |  |- ConnectionLost               5
    |  `- Stalled                      5
    |- BackupUnusable                  6
    |- Busy                            7
    |- NotEnoughSpace                  8
    |- Declined                        9
    |- AttentionNeeded                10
    |- GuardRefused                   11
    |- DirectoryUnusable               1
    |- ApplicationFailed               1
    |- RunDied                         1
    `- Cancelled                       129, 130, 143

Messages are lower case, name the thing and end without a full stop. Hints are
sentences and name the next command to type. Errors of third parties are
translated once, in the adapter that meets them. What is true after a failure is
added as a note (`add_note`), which commands print between the two.
"""

from typing import ClassVar


class BackupdError(Exception):
    """Anything that this program reports to its operator.

    Attributes:
        exit_code: What a command exits with.
        mends_itself: Time alone may mend it: the same attempt may succeed a while later.
        hint: The next command to type, or None.
        number: SQL Server's native error number, where one caused this.
    """

    exit_code: ClassVar[int] = 1
    mends_itself: ClassVar[bool] = False
    default_hint: ClassVar[str | None] = None

    def __init__(self, message: str, *, hint: str | None = None, number: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint
        self.number = number

    @property
    def in_one_line(self) -> str:
        """Message and hint, as the log tells them."""
        return f"{self.message} - {self.hint}" if self.hint else self.message


class UsageError(BackupdError):
    """The command line makes no sense."""

    exit_code = 2


class ConfigError(BackupdError):
    """The configuration is missing, unreadable or wrong; says every problem at once."""

    exit_code = 3

    def __init__(self, problems: tuple[str, ...], *, hint: str | None = None) -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class ServerNotReached(BackupdError):
    """No SQL Server answers, or no driver could be loaded to ask it."""

    exit_code = 4
    mends_itself = True
    default_hint = (
        "Is SQL Server running, and is its port published on this host? "
        "Try: docker start selfmx-sqlserver"
    )


class LoginRefused(ServerNotReached):
    """SQL Server answered and refused the login."""

    mends_itself = False
    default_hint = (
        "Compare sqlserver.user and sqlserver.password_file with the login in SQL Server: "
        "docker logs --tail 20 selfmx-sqlserver tells the reason of the refusal."
    )


class DriverMissing(ServerNotReached):
    """There is no ODBC driver, or not the one that is configured."""

    mends_itself = False


class ServerRefused(BackupdError):
    """SQL Server refused or failed the work."""

    exit_code = 5
    mends_itself = True
    default_hint = "SQL Server's own log tells more: docker logs --tail 50 selfmx-sqlserver"


class DatabaseUnavailable(ServerRefused):
    """The database does not exist or is not ONLINE."""


class PermissionMissing(ServerRefused):
    """Our login lacks a right."""

    mends_itself = False


class ServerCannotFindFile(ServerRefused):
    """SQL Server does not find a file or its directory (operating system error 2 or 3)."""

    mends_itself = False


class ServerMayNotOpenFile(ServerRefused):
    """SQL Server may not open a file in its directory (operating system error 5)."""

    mends_itself = False


class DirectoriesDiffer(ServerRefused):
    """backup.directory and backup.server_directory are not the same directory."""

    mends_itself = False


class UnreadableHere(ServerRefused):
    """A backup that may be sound, and that this server cannot read.

    It is of a newer version, encrypted with a certificate that is not here, or one of several
    files.
    """

    mends_itself = False


class AnotherBackupRuns(ServerRefused):
    """SQL Server serializes backups of one database and another one is running (3023)."""

    default_hint = (
        "Wait for it to end. Right after a crash it is our own interrupted backup, "
        "which SQL Server ends by itself; the daemon tries again."
    )


class DatabaseInUse(ServerRefused):
    """Somebody else is in the database, holds its only slot, or locks it."""

    default_hint = "Stop what uses the database, then type the command again."


class ConnectionLost(ServerRefused):
    """The connection broke while a statement ran."""

    default_hint = "Is SQL Server still running? Try: docker ps -a --filter name=selfmx-sqlserver"


class Stalled(ServerRefused):
    """A statement made no progress for backup.stall_timeout_s and was cancelled."""


class BackupUnusable(BackupdError):
    """The backup is missing, damaged, or of another database."""

    exit_code = 6
    mends_itself = True  # another one is taken
    default_hint = (
        "Take another one: selfmx-backup. Damage that comes again is the disk's: "
        "journalctl -k -p err"
    )


class Busy(BackupdError):
    """Another job holds the lock."""

    exit_code = 7
    default_hint = "Wait until it has finished, then type the command again."


class NotEnoughSpace(BackupdError):
    """A disk is too full for the work."""

    exit_code = 8


class DirectoryUnusable(BackupdError):
    """We cannot use one of our own directories."""


class Declined(BackupdError):
    """A person was asked and did not consent, or there was nobody to ask."""

    exit_code = 9


class AttentionNeeded(BackupdError):
    """It is done as far as it can be, and a person must look at the rest."""

    exit_code = 10


class GuardRefused(BackupdError):
    """It could be done, and might lose something that nobody has agreed to lose."""

    exit_code = 11


class ApplicationFailed(BackupdError):
    """A command of [application] failed."""


class RunDied(BackupdError):
    """A run's process ended before the run did: a kill, a crash, the power."""

    mends_itself = True


class Cancelled(BackupdError):
    """A signal asked for the end of the work."""

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number
