"""What a contract test talks to: the stand-in through a driver, or a real server."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyodbc
import pytest

from tests.standin.drivers import known
from tests.standin.process import StandIn

DSN = "SELFMX_TEST_DSN"
DSN_DATABASE = "SELFMX_TEST_DATABASE"
DSN_SERVER_DIRECTORY = "SELFMX_TEST_SERVER_DIRECTORY"
DSN_DIRECTORY = "SELFMX_TEST_DIRECTORY"

NOTICED_WITHIN_S = 3.0

# HY008 is "operation canceled". On a loaded machine Driver 18 also says HY010, "function
# sequence error", or HY007, "associated statement is not prepared", when the call returns
# while SQLCancel is still under way. Our session takes each for the end that it asked for.
CANCELLED = ("HY008", "HY010", "HY007")

# Starts a stand-in with further arguments of its command line.
Start = Callable[..., StandIn]

Messages = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class ServerUnderTest:
    """A server, a database of it and a directory that it may write to.

    Attributes:
        connection_string: For a login that may back up and read backups.
        directory: The backup directory as this host sees it; None where it cannot.
    """

    connection_string: str
    database: str
    server_directory: str
    directory: Path | None

    def connect(self, *, autocommit: bool = True) -> pyodbc.Connection:
        """A new connection."""
        return pyodbc.connect(self.connection_string, autocommit=autocommit, timeout=10)

    def device(self, name: str) -> str:
        """The server's path of a backup."""
        return f"{self.server_directory}/{name}"

    def backup(self, name: str, options: str = "FORMAT, CHECKSUM, COPY_ONLY, STATS = 10") -> str:
        """The statement that backs the database up."""
        return f"BACKUP DATABASE [{self.database}] TO DISK = N'{self.device(name)}' WITH {options}"


def usable(name: str) -> str:
    """The driver's name again; where it is missing the test is skipped, or fails in CI."""
    missing_because = known()[name].missing_because
    if missing_because and os.environ.get("CI") == "true":
        pytest.fail(missing_because)
    if missing_because:
        pytest.skip(missing_because)
    return name


def through_driver(standin: StandIn, driver: str) -> ServerUnderTest:
    """The stand-in."""
    return ServerUnderTest(
        connection_string=standin.connection_string(driver),
        database="SelfMX",
        server_directory=standin.server_path,
        directory=standin.backup_dir,
    )


def from_environment() -> ServerUnderTest:
    """The real server that the environment names."""
    directory = os.environ.get(DSN_DIRECTORY)
    return ServerUnderTest(
        connection_string=os.environ[DSN],
        database=os.environ.get(DSN_DATABASE, "SelfMX"),
        server_directory=os.environ.get(DSN_SERVER_DIRECTORY, "/var/opt/mssql/backup"),
        directory=Path(directory) if directory else None,
    )


def drained(cursor: pyodbc.Cursor) -> Messages:
    """The messages of all results, (number, text), in order."""
    found = messages_of(cursor)
    while cursor.nextset():
        found += messages_of(cursor)
    return found


def said_until_the_end(cursor: pyodbc.Cursor) -> list[int]:
    """The numbers of all messages until the results end, by themselves or in an error."""
    said: list[int] = []
    with suppress(pyodbc.Error):
        more = True
        while more:
            said += [number for number, _ in messages_of(cursor)]
            more = cursor.nextset()
    return said


def wait_until(condition: Callable[[], bool], *, within_s: float = NOTICED_WITHIN_S) -> None:
    """Wait for something that the server does in a thread of its own."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def number_of(error: pyodbc.Error) -> int:
    """The server's native number: the last number in parentheses before the function's name."""
    return int(str(error.args[1]).rsplit("(", 2)[1].partition(")")[0])


def messages_of(cursor: pyodbc.Cursor) -> Messages:
    """The messages of the present result, (number, text)."""
    found: Messages = []
    for kind, text in cursor.messages or []:
        number = int(kind.rpartition("(")[2].rstrip(")"))
        found.append((number, text.rpartition("]")[2]))
    return found
