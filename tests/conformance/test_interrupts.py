"""Backups that are watched, cancelled, abandoned or killed, through both drivers."""

import itertools
import subprocess
import sys
import threading
import time

import pyodbc
import pytest

from selfmx_backupd.adapters.mssql import statements
from tests.conformance.servers import (
    CANCELLED,
    ServerUnderTest,
    Start,
    drained,
    number_of,
    through_driver,
    wait_until,
)

# About three MiB at this pace take long enough to be interrupted in the middle.
SLOW = ("--rate", "3")

_ABANDONED = """
import sys, pyodbc
connection = pyodbc.connect(sys.argv[1], autocommit=True)
cursor = connection.execute(sys.argv[2])
print("running", flush=True)
while cursor.nextset():
    pass
"""


def abandon(server: ServerUnderTest, name: str) -> None:
    """Kill a client in the middle of a backup."""
    command = [sys.executable, "-c", _ABANDONED, server.connection_string, server.backup(name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "running\n"
        client.kill()


def test_messages_arrive_while_the_backup_runs(start: Start, driver: str) -> None:
    server = through_driver(start(*SLOW), driver)
    with server.connect() as connection:
        cursor = connection.execute(server.backup("live.bak"))
        arrivals = [time.monotonic()]
        while cursor.nextset():
            arrivals.append(time.monotonic())
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert len([gap for gap in gaps if gap > 0.05]) >= 5


def cancelled_in_silence(cursor: pyodbc.Cursor, statement: str) -> str:
    """Cancel a statement once the server has been silent for a second; return the SQLSTATE.

    Not by a timer: a cancel that falls between two calls of the driver raises nothing.
    """
    heard_at = [time.monotonic()]

    def cancel_in_silence() -> None:
        while time.monotonic() - heard_at[0] < 1:
            time.sleep(0.05)
        cursor.cancel()

    cancelling = threading.Thread(target=cancel_in_silence)
    with pytest.raises(pyodbc.Error) as cancelled:  # noqa: PT012  # any of the calls may raise
        cancelling.start()
        cursor.execute(statement)
        heard_at[0] = time.monotonic()
        while cursor.nextset():
            heard_at[0] = time.monotonic()
    cancelling.join()
    return str(cancelled.value.args[0])


def test_cancel_raises_and_the_connection_works_on(start: Start, driver: str) -> None:
    standin = start("--fault", "hang:30@1")
    server = through_driver(standin, driver)
    with server.connect() as connection:
        sqlstate = cancelled_in_silence(connection.cursor(), server.backup("cancelled.bak"))
        assert sqlstate in CANCELLED
        wait_until(lambda: not (standin.backup_dir / "cancelled.bak").exists())
        messages = drained(connection.execute(server.backup("again.bak")))
        assert messages[-1][0] == 3014


def test_cancel_stops_verifyonly_too(start: Start, driver: str) -> None:
    standin = start("--fault", "hang-verify:50@1")
    server = through_driver(standin, driver)
    verify = statements.verify_only(server.device("whole.bak"))
    with server.connect() as connection:
        drained(connection.execute(server.backup("whole.bak")))
        assert cancelled_in_silence(connection.cursor(), verify) in CANCELLED
        assert drained(connection.execute(verify))[-1][0] == 3262
    assert (standin.backup_dir / "whole.bak").exists()


def test_closing_a_cursor_that_was_not_drained_cancels_the_backup(
    start: Start, driver: str
) -> None:
    standin = start(*SLOW)
    server = through_driver(standin, driver)
    with server.connect() as connection:
        cursor = connection.execute(server.backup("undrained.bak"))
        assert (standin.backup_dir / "undrained.bak").exists()
        cursor.close()
        wait_until(lambda: not (standin.backup_dir / "undrained.bak").exists())


def test_the_file_of_a_killed_client_is_removed(start: Start, driver: str) -> None:
    standin = start("--fault", "hang:50")
    abandon(through_driver(standin, driver), "killed.bak")
    wait_until(lambda: not (standin.backup_dir / "killed.bak").exists())


def test_a_running_backup_is_seen_from_another_connection(start: Start, driver: str) -> None:
    standin = start(*SLOW)
    server = through_driver(standin, driver)
    with server.connect() as connection, server.connect() as watching:
        (spid,) = connection.execute("SELECT CAST(@@SPID AS int) AS spid").fetchone() or (0,)
        cursor = connection.execute(server.backup("watched.bak"))
        (seen,) = watching.execute(statements.running_backups("tests")).fetchall()
        assert seen.session_id == spid
        assert 0 < seen.percent_complete < 100
        before = watching.execute(statements.session_activity(spid)).fetchone()
        size_before = (standin.backup_dir / "watched.bak").stat().st_size
        cursor.nextset()
        cursor.nextset()
        after = watching.execute(statements.session_activity(spid)).fetchone()
        assert before is not None
        assert after is not None
        assert after.percent_complete > before.percent_complete
        assert after.reads > before.reads
        assert (standin.backup_dir / "watched.bak").stat().st_size > size_before
        drained(cursor)
        assert watching.execute(statements.running_backups("tests")).fetchall() == []


def test_a_second_backup_of_the_same_database_is_refused(start: Start, driver: str) -> None:
    server = through_driver(start(*SLOW), driver)
    with server.connect() as connection, server.connect() as second:
        cursor = connection.execute(server.backup("first.bak"))
        with pytest.raises(pyodbc.Error) as refused:
            drained(second.execute(server.backup("second.bak")))
        assert number_of(refused.value) == 3023
        assert drained(cursor)[-1][0] == 3014


def test_an_orphaned_backup_goes_on_and_is_seen_until_it_is_noticed(
    start: Start, driver: str
) -> None:
    standin = start("--fault", "hang:20@1", "--fault", "orphan:1.5")
    server = through_driver(standin, driver)
    abandon(server, "orphan.bak")
    with server.connect() as connection:
        with pytest.raises(pyodbc.Error) as refused:
            drained(connection.execute(server.backup("next.bak")))
        assert number_of(refused.value) == 3023
        assert len(connection.execute(statements.running_backups("tests")).fetchall()) == 1
        assert (standin.backup_dir / "orphan.bak").exists()
        running = statements.running_backups("tests")
        wait_until(lambda: connection.execute(running).fetchall() == [])
        assert not (standin.backup_dir / "orphan.bak").exists()
        assert drained(connection.execute(server.backup("next.bak")))[-1][0] == 3014


def test_sigterm_ends_a_running_backup_and_removes_its_file(start: Start, driver: str) -> None:
    standin = start("--fault", "hang:50")
    server = through_driver(standin, driver)
    connection = server.connect()
    connection.execute(server.backup("stopped.bak"))
    assert standin.stop() == 0
    assert not (standin.backup_dir / "stopped.bak").exists()
    connection.close()
