"""Each fault does what its help says, and what a real server was seen or documented to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyodbc
import pytest

from selfmx_backupd.adapters.mssql import statements
from tests.conformance.decoder import Done, Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import (
    ServerUnderTest,
    Start,
    drained,
    messages_of,
    number_of,
    said_until_the_end,
    through_driver,
    usable,
    wait_until,
)
from tests.standin.process import StandIn

NAME = "faulty.bak"


def numbers(messages: list[tuple[int, str]]) -> list[int]:
    return [number for number, _ in messages]


@contextmanager
def refused_with(number: int) -> Iterator[None]:
    with pytest.raises(pyodbc.Error) as refused:
        yield
    assert number_of(refused.value) == number


def backed_up(standin: StandIn, driver: str) -> ServerUnderTest:
    """A backup that the server calls a success."""
    server = through_driver(standin, driver)
    with server.connect() as connection:
        assert numbers(drained(connection.execute(server.backup(NAME))))[-1] == 3014
    return server


def test_a_flipped_byte_is_found_by_verifyonly_at_the_end(start: Start, driver: str) -> None:
    server = backed_up(start("--fault", "flip"), driver)
    with server.connect() as connection:
        headers = connection.execute(statements.header_only(server.device(NAME)))
        assert len(headers.fetchall()) == 1
        # A row set of RESTORE has a second result, which must be drained before the next statement.
        drained(headers)
        cursor = connection.execute(statements.verify_only(server.device(NAME)))
        said: list[tuple[int, str]] = []
        with refused_with(3189):
            more = True
            while more:
                said += messages_of(cursor)
                more = cursor.nextset()
    assert said[-1] == (3211, "100 percent processed.")


@pytest.mark.parametrize("kept_percent", [3, 60, 99])
def test_a_cut_file_is_found_by_verifyonly_and_its_header_says_incomplete(
    start: Start, kept_percent: int
) -> None:
    standin = start("--fault", f"truncate:{kept_percent}")
    server = backed_up(standin, "freetds")
    with server.connect() as connection:
        row = connection.execute(statements.header_only(server.device(NAME))).fetchone()
        assert row is not None
        assert row.BackupName == "*** INCOMPLETE ***"
        assert row.BackupFinishDate is None
        with refused_with(3203):
            drained(connection.execute(statements.verify_only(server.device(NAME))))


def test_a_damaged_header_makes_the_media_family_malformed(start: Start, driver: str) -> None:
    server = backed_up(start("--fault", "damaged-header"), driver)
    for sql in (statements.header_only, statements.file_list_only, statements.verify_only):
        with server.connect() as connection, refused_with(3241):
            drained(connection.execute(sql(server.device(NAME))))


def test_a_full_disk_is_3202_with_os_error_112_and_leaves_no_file(
    start: Start, driver: str
) -> None:
    standin = start("--fault", "diskfull:40@1")
    server = through_driver(standin, driver)
    with server.connect() as connection:
        with pytest.raises(pyodbc.Error) as refused:
            drained(connection.execute(server.backup(NAME)))
        assert number_of(refused.value) == 3202
        assert "112(There is not enough space on the disk.)" in refused.value.args[1]
        assert not (standin.backup_dir / NAME).exists()
        assert numbers(drained(connection.execute(server.backup(NAME))))[-1] == 3014


@pytest.mark.parametrize("fault", ["drop:50", "die:50"])
def test_a_lost_connection_never_shows_3014(start: Start, driver: str, fault: str) -> None:
    """Driver 18 raises nothing: a message with SQLSTATE 08S01, and then the results end."""
    server = through_driver(start("--fault", fault), driver)
    connection = server.connect()
    said = said_until_the_end(connection.execute(server.backup(NAME)))
    assert 3211 in said
    assert 3014 not in said
    with pytest.raises(pyodbc.Error):
        connection.execute("SELECT 1").fetchall()


def test_a_dropped_connection_aborts_the_backup_and_removes_its_file(start: Start) -> None:
    standin = start("--fault", "drop:50")
    with RawClient(standin.port) as client:
        client.send_batch(through_driver(standin, "freetds").backup(NAME))
        with pytest.raises(ConnectionResetError):
            client.read_message()
    wait_until(lambda: not (standin.backup_dir / NAME).exists())


def test_a_server_that_dies_leaves_the_partial_file(start: Start) -> None:
    standin = start("--fault", "die:50")
    with RawClient(standin.port) as client:
        client.send_batch(through_driver(standin, "freetds").backup(NAME))
        with pytest.raises(ConnectionResetError):
            client.read_message()
    assert standin.wait() != 0
    assert (standin.backup_dir / NAME).stat().st_size > 0


@pytest.mark.parametrize("fault", ["drop-verify:50", "die-verify:50", "kill-verify:50"])
def test_a_verification_that_is_interrupted_never_shows_3262(start: Start, fault: str) -> None:
    standin = start("--fault", fault)
    server = backed_up(standin, "freetds")
    connection = server.connect()
    said = said_until_the_end(connection.execute(statements.verify_only(server.device(NAME))))
    assert 3211 in said
    assert 3262 not in said
    assert (standin.backup_dir / NAME).exists()


def test_databases_survive_a_server_that_dies(start: Start) -> None:
    standin = start("--fault", "die:50")
    server = through_driver(standin, "freetds")
    with pytest.raises(pyodbc.Error):
        drained(server.connect().execute(server.backup(NAME)))
    standin.wait()
    standin.stop()
    standin.args = ()
    standin.start()
    with server.connect() as connection:
        counted = connection.execute("SELECT COUNT(*) FROM SelfMX.dbo.SentEmails").fetchone()
        assert counted is not None
        assert counted[0] > 0


def test_kill_is_596_in_class_21_and_the_socket_is_closed(start: Start) -> None:
    standin = start("--fault", "kill:50")
    with RawClient(standin.port) as client:
        server = through_driver(standin, "freetds")
        tokens = client.ask(server.backup(NAME))
        assert client.is_closed_by_server()
    error, done = tokens[-2:]
    assert isinstance(error, Message)
    assert (error.number, error.state, error.severity) == (596, 1, 21)
    assert isinstance(done, Done)
    assert done.status == 0x102
    assert not (standin.backup_dir / NAME).exists()


def test_unwritten_history_is_an_error_on_a_backup_that_is_good(start: Start, driver: str) -> None:
    server = through_driver(start("--fault", "history"), driver)
    with server.connect() as connection:
        cursor = connection.execute(server.backup(NAME))
        with refused_with(3009):
            drained(cursor)
        verify = statements.verify_only(server.device(NAME))
        assert numbers(drained(connection.execute(verify)))[-1] == 3262


def test_history_is_said_after_3014_and_without_3013(start: Start) -> None:
    standin = start("--fault", "history")
    with RawClient(standin.port) as client:
        tokens = client.ask(through_driver(standin, "freetds").backup(NAME))
    said = [one.number for one in tokens if isinstance(one, Message)]
    assert said[-4:] == [4035, 4035, 3014, 3009]


def test_100_percent_may_come_between_the_files(start: Start, driver: str) -> None:
    server = through_driver(start("--fault", "order:between"), driver)
    with server.connect() as connection:
        messages = drained(connection.execute(server.backup(NAME)))
    assert numbers(messages)[-4:] == [4035, 3211, 4035, 3014]
    assert messages[-3][1] == "100 percent processed."


def test_percentages_may_be_rough(start: Start) -> None:
    server = through_driver(start("--fault", "rough-stats"), "freetds")
    with server.connect() as connection:
        messages = drained(connection.execute(server.backup(NAME)))
    percents = [int(text.split()[0]) for number, text in messages if number == 3211]
    assert percents == [10, 20, 30, 40, 51, 61, 70, 80, 90, 100]


def test_a_server_may_ignore_checksum(start: Start, driver: str) -> None:
    server = backed_up(start("--fault", "no-checksum"), driver)
    with server.connect() as connection:
        row = connection.execute(statements.header_only(server.device(NAME))).fetchone()
        assert row is not None
        assert row.HasBackupChecksums is False
        with refused_with(3187):
            drained(connection.execute(statements.verify_only(server.device(NAME))))


def test_verifyonly_may_note_a_lack_of_space(start: Start, driver: str) -> None:
    server = backed_up(start("--fault", "space-note"), driver)
    with server.connect() as connection:
        verify = statements.verify_only(server.device(NAME))
        assert numbers(drained(connection.execute(verify)))[-3:] == [3181, 3257, 3262]


def test_a_directory_may_deny_writing_and_a_file_reading(start: Start, driver: str) -> None:
    server = through_driver(start("--fault", "denied@1", "--fault", "unreadable@1"), driver)
    with server.connect() as connection:
        with refused_with(3201):
            drained(connection.execute(server.backup(NAME)))
        assert numbers(drained(connection.execute(server.backup(NAME))))[-1] == 3014
        with pytest.raises(pyodbc.Error, match=r"error 5\(Access is denied\.\)"):
            drained(connection.execute(statements.verify_only(server.device(NAME))))


@pytest.mark.parametrize(
    ("fault", "state", "number"),
    [("offline", "OFFLINE", 942), ("state:RESTORING", "RESTORING", 927)],
)
def test_a_database_that_is_not_online_cannot_be_backed_up_or_entered(
    start: Start, fault: str, state: str, number: int
) -> None:
    standin = start("--fault", fault)
    server = through_driver(standin, "freetds")
    with server.connect() as connection:
        row = connection.execute(statements.database_facts("SelfMX")).fetchone()
        assert row is not None
        assert row.state == state
    with RawClient(standin.port) as client:
        tokens = client.ask(server.backup(NAME))
    said = [(one.number, one.severity) for one in tokens if isinstance(one, Message)]
    assert said == [(number, 14), (3013, 16)]
    with RawClient(standin.port, database="SelfMX") as client:
        refused = [one.number for one in client.login_tokens if isinstance(one, Message)]
    assert refused == [4060, 18456]


@pytest.mark.parametrize(("driver_name", "number"), [("msodbcsql18", 942), ("freetds", 3013)])
def test_freetds_shows_3013_in_place_of_a_less_severe_error(
    start: Start, driver_name: str, number: int
) -> None:
    """FreeTDS ranks what the server said by severity, and pyodbc reads only the first."""
    server = through_driver(start("--fault", "offline"), usable(driver_name))
    with server.connect() as connection, refused_with(number):
        drained(connection.execute(server.backup(NAME)))


def test_express_edition_does_not_compress(start: Start, driver: str) -> None:
    server = through_driver(start("--edition", "express"), driver)
    with server.connect() as connection:
        facts = connection.execute(statements.server_facts()).fetchone()
        assert facts is not None
        assert (facts.edition, facts.engine_edition) == ("Express Edition (64-bit)", 4)
        with refused_with(1844):
            drained(connection.execute(server.backup(NAME, "FORMAT, COMPRESSION")))
        assert drained(connection.execute(server.backup(NAME, "FORMAT, NO_COMPRESSION")))


def test_a_server_that_is_upgraded_refuses_logins(start: Start) -> None:
    standin = start("--fault", "upgrading:60")
    with refused_with(18401):
        standin.connect("freetds")


def test_slow_logins_take_their_time(start: Start) -> None:
    standin = start("--fault", "slow-login:2")
    text = standin.connection_string("freetds") + ";Timeout=1"
    with pytest.raises(pyodbc.OperationalError):
        pyodbc.connect(text, timeout=1)
