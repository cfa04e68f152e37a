"""DBCC CHECKDB through both drivers: silence, findings, progress and interrupts."""

import threading

import pyodbc
import pytest

from tests.conformance.decoder import Done, Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import (
    CANCELLED,
    Start,
    drained,
    number_of,
    through_driver,
    wait_until,
)

CHECK = "DBCC CHECKDB (N'SelfMX') WITH NO_INFOMSGS"


def test_a_healthy_database_is_not_worth_a_word(start: Start, driver: str) -> None:
    with through_driver(start(), driver).connect() as connection:
        cursor = connection.execute(CHECK)
        assert cursor.description is None
        assert drained(cursor) == []


def test_findings_are_errors_with_counts_and_a_repair_level_at_the_end(start: Start) -> None:
    standin = start("--fault", "checkdb:2@1")
    with RawClient(standin.port) as client:
        *said, done = client.ask(CHECK)
        assert [type(one) for one in client.ask(CHECK)] == [Done]
    messages = [one for one in said if isinstance(one, Message)]
    assert [(one.number, one.severity) for one in messages] == [
        *[(8928, 16), (8939, 16)] * 2,
        (8989, 0),
        (8958, 0),
    ]
    assert messages[-2].text == (
        "CHECKDB found 0 allocation errors and 4 consistency errors in database 'SelfMX'."
    )
    assert isinstance(done, Done)
    assert done.status == 0x02


def test_a_driver_raises_the_first_finding(start: Start, driver: str) -> None:
    with through_driver(start("--fault", "checkdb:1"), driver).connect() as connection:
        with pytest.raises(pyodbc.Error) as found:
            drained(connection.execute(CHECK))
        assert number_of(found.value) == 8928


def test_tableresults_makes_rows_of_the_findings(start: Start, driver: str) -> None:
    with through_driver(start("--fault", "checkdb:1"), driver).connect() as connection:
        cursor = connection.execute(f"{CHECK}, TABLERESULTS")
        rows = cursor.fetchall()
        assert drained(cursor) == []
    assert [(row.Error, row.Level) for row in rows] == [
        (8928, 16),
        (8939, 16),
        (8989, 10),
        (8958, 10),
    ]


def test_a_running_check_shows_its_percentage_and_can_be_cancelled(
    start: Start, driver: str
) -> None:
    server = through_driver(start("--fault", "hang-checkdb:40@1"), driver)
    percents = (
        "SELECT r.percent_complete FROM sys.dm_exec_requests AS r WHERE r.command LIKE 'DBCC%'"
    )
    with server.connect() as connection, server.connect() as watching:
        cursor = connection.cursor()

        def watch_and_cancel() -> None:
            wait_until(
                lambda: any(40 <= row[0] < 100 for row in watching.execute(percents).fetchall())
            )
            cursor.cancel()

        cancelling = threading.Timer(0.2, watch_and_cancel)
        cancelling.start()
        with pytest.raises(pyodbc.Error) as cancelled:
            drained(cursor.execute(CHECK))
        cancelling.join()
        assert cancelled.value.args[0] in CANCELLED
        assert watching.execute(percents).fetchall() == []
        assert drained(connection.execute(CHECK)) == []


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("DBCC CHECKDB (N'nosuch') WITH NO_INFOMSGS", 911),
        ("DBCC CHECKDB (N'SelfMX')", 50000),
        ("DBCC CHECKDB (N'SelfMX') WITH NO_INFOMSGS, NONSENSE", 50000),
    ],
)
def test_refusals(start: Start, sql: str, number: int) -> None:
    with RawClient(start().port) as client:
        assert [one.number for one in client.ask(sql) if isinstance(one, Message)] == [number]


def test_checking_wants_an_owner(start: Start) -> None:
    standin = start("--login", "keeper:pass word:backup")
    with RawClient(standin.port, user="keeper", password="pass word") as client:
        assert [one.number for one in client.ask(CHECK) if isinstance(one, Message)] == [7983]
