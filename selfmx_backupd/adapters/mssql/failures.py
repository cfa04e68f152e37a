"""What the drivers raise, translated once, by the server's native error number.

On Linux pyodbc reads only the first diagnostic record: of "3201, then 3013" the
exception carries 3201, which is the useful one. The SQLSTATE is no guide: Driver 18
says 28000 to a wrong password, FreeTDS 42000. So numbers decide, and the SQLSTATE only
where the driver itself speaks and there is no number.
"""

import re
from dataclasses import dataclass

from selfmx_backupd.adapters.mssql import numbers
from selfmx_backupd.adapters.mssql.odbc import pyodbc
from selfmx_backupd.errors import (
    AnotherBackupRuns,
    BackupdError,
    BackupUnusable,
    ConnectionLost,
    DatabaseInUse,
    DatabaseUnavailable,
    DriverMissing,
    LoginRefused,
    NotEnoughSpace,
    PermissionMissing,
    ServerCannotFindFile,
    ServerMayNotOpenFile,
    ServerNotReached,
    ServerRefused,
    UnreadableHere,
)

# In 3201; in 3202 and 3203; in 3271.
_OS_ERROR = re.compile(r"(?:Operating system error|failed:|on file \".*:\") (\d+)\(")

GRANT_READING = (
    "Reading and verifying backups needs that right. As sa, in master, type: "
    "GRANT CREATE ANY DATABASE TO [the login of sqlserver.user]"
)
GRANT_BACKUP = (
    "As sa, in the database: CREATE USER for the login of sqlserver.user (or, where a restore "
    "brought an older one, ALTER USER … WITH LOGIN), then ALTER ROLE db_backupoperator ADD MEMBER. "
    "README.md has the statements."
)

_GRANT_RESTORING = (
    "Set sqlserver.restore_user and sqlserver.restore_password_file to a login that may restore, "
    "rename and drop databases, such as sa."
)

# A driver's own numbers may be negative.
_RECORD_END = re.compile(r"\((-?\d+)\) \((SQL\w+)\)")
# Stands before what the server said, and not before what Microsoft's driver says itself.
_FROM_SERVER = "[SQL Server]"
_PREFIXES = re.compile(r"^(?:\[[^\]]*\] ?){1,4}")

# FreeTDS's client library numbers its own messages from 20000 (sybdb.h).
_CLIENT_LIBRARY = range(20000, 21000)
# For what Microsoft's driver says itself, where looking at SQL Server is no help.
_ENCRYPTION_HINT = (
    "The encryption could not be agreed on. Look at sqlserver.encrypt and at "
    "sqlserver.trust_server_certificate: SQL Server's own certificate is not signed by anybody."
)
# The driver manager's words for a driver that is not there.
_NO_DRIVER = ("Can't open lib", "Data source name not found")
_NO_DRIVER_HINT = "Set sqlserver.driver to a driver that is installed. Type: odbcinst -q -d"
_SPACE_HINT = "Type: df -h on the backup directory, free some space, then try again."
_DATA_SPACE_HINT = (
    "Free some space on SQL Server's data volume, or restore over the live database: --in-place"
)


@dataclass(frozen=True, slots=True)
class Record:
    """The first diagnostic record of an ODBC exception.

    `number` is the server's native number; 0 where the driver itself speaks.
    """

    sqlstate: str
    number: int
    text: str

    @property
    def os_error(self) -> int | None:
        """The operating system's error inside a device error."""
        found = _OS_ERROR.search(self.text)
        return int(found[1]) if found else None


def first_record(error: pyodbc.Error) -> Record:
    """Take an exception apart: `[42000] [driver][server]text (3201) (SQLExecDirectW)`."""
    sqlstate = str(error.args[0]) if error.args else ""
    message = str(error.args[-1]) if error.args else ""
    end = _RECORD_END.search(message)
    number = int(end[1]) if end else 0
    text = message[: end.start()] if end else message
    prefixes = _PREFIXES.match(text)
    is_server = prefixes is not None and _FROM_SERVER in prefixes[0]
    if not is_server or number in _CLIENT_LIBRARY:
        # Such as (104), the system's "connection reset", behind a broken link.
        number = 0
    return Record(sqlstate, number, without_prefixes(text).strip().rstrip("."))


def without_prefixes(text: str) -> str:
    """A driver's text without `[driver][server]` in front of what the server said."""
    return _PREFIXES.sub("", text)


def while_connecting(error: pyodbc.Error, address: str) -> BackupdError:
    """Why no session came about."""
    record = first_record(error)
    if record.number in numbers.LOGIN_REFUSED:
        return LoginRefused(_said(f"SQL Server at {address} refused the login", record))
    if record.number in numbers.STARTING_OR_STOPPING:
        return ServerNotReached(
            _said(f"SQL Server at {address} is starting or stopping", record),
            hint="Wait a moment, then try again. Type: docker logs --tail 20 selfmx-sqlserver",
        )
    sentence = _said(f"SQL Server at {address} is not reached", record)
    if any(words in record.text for words in _NO_DRIVER):
        return DriverMissing(sentence, hint=_NO_DRIVER_HINT)
    hint = _ENCRYPTION_HINT if "SSL Provider" in record.text else None
    return ServerNotReached(sentence, hint=hint)


def while_running(error: pyodbc.Error, doing: str) -> BackupdError:
    """Why a statement failed.

    Args:
        error: What the driver raised, from `execute` or from any `nextset`.
        doing: What was being done, a noun: "the backup of SelfMX".
    """
    record = first_record(error)
    sentence = _said(f"{doing} failed", record)
    number = record.number
    if number in numbers.DEVICE and record.os_error is not None:
        return _device(record, sentence)
    if number in numbers.PERMISSION_MISSING:
        return PermissionMissing(sentence, hint=_permission_hint(record), number=number)
    if number in (0, numbers.SESSION_KILLED):
        # No number: the driver speaks, because the link is gone.
        return ConnectionLost(sentence)
    if number == numbers.NO_COMPRESSION:
        hint = 'Set backup.compression = "auto", or "off".'
        return ServerRefused(sentence, hint=hint, number=number)
    if number in numbers.DATA_DISK_FULL:
        return NotEnoughSpace(sentence, hint=_DATA_SPACE_HINT, number=number)
    return _kind(number)(sentence, number=number)


def _kind(number: int) -> type[BackupdError]:
    if number == numbers.SERIALIZED:
        return AnotherBackupRuns
    if number in numbers.IN_USE:
        return DatabaseInUse
    if number in numbers.DATABASE_UNAVAILABLE:
        return DatabaseUnavailable
    if number in numbers.DAMAGE:
        return BackupUnusable
    return UnreadableHere if number in numbers.UNREADABLE_HERE else ServerRefused


def _device(record: Record, sentence: str) -> BackupdError:
    os_error = record.os_error
    if os_error in numbers.OS_FULL_OR_FAILING and record.number != numbers.READ_FAILED:
        return NotEnoughSpace(
            f"{sentence}: the disk is full or failing", hint=_SPACE_HINT, number=record.number
        )
    if os_error == numbers.OS_END_OF_FILE:
        return BackupUnusable(f"{sentence}: the file is cut short", number=record.number)
    if os_error == numbers.OS_DENIED:
        return ServerMayNotOpenFile(
            sentence,
            hint="SQL Server (uid 10001 in its container) must own the backup directory or "
            "share a group that may write there; a missing directory looks the same. "
            "Type: docker exec selfmx-sqlserver ls -ldn on backup.server_directory",
            number=record.number,
        )
    if os_error in numbers.OS_NOT_FOUND:
        return ServerCannotFindFile(
            sentence,
            hint="SQL Server does not find the file or its directory; missing rights can look "
            "the same. Type: docker exec selfmx-sqlserver ls -ldn on backup.server_directory",
            number=record.number,
        )
    return ServerRefused(sentence, number=record.number)


def _permission_hint(record: Record) -> str:
    if record.number in numbers.RESTORING_RIGHTS:
        return _GRANT_RESTORING
    return GRANT_READING if "CREATE DATABASE" in record.text else GRANT_BACKUP


def _said(what: str, record: Record) -> str:
    number = f" (error {record.number})" if record.number else ""
    return f"{what}: {record.text}{number}"
