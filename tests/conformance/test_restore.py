"""RESTORE DATABASE through both drivers: what comes back, what is refused, what is left behind."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyodbc
import pytest

from tests.conformance.decoder import Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import (
    CANCELLED,
    ServerUnderTest,
    Start,
    drained,
    number_of,
    said_until_the_end,
    through_driver,
    wait_until,
)
from tests.standin.process import StandIn

NAME = "restore.bak"
DEVICE = f"/var/opt/mssql/backup/{NAME}"
DATA = "/var/opt/mssql/data"
EMAILS = 240


def restore(target: str, options: str = "STATS = 10", *, files: str = "copy") -> str:
    return (
        f"RESTORE DATABASE [{target}] FROM DISK = N'{DEVICE}' WITH "
        f"MOVE N'SelfMX' TO N'{DATA}/{files}.mdf', "
        f"MOVE N'SelfMX_log' TO N'{DATA}/{files}_log.ldf', {options}"
    )


def backed_up(standin: StandIn, driver: str = "freetds") -> ServerUnderTest:
    server = through_driver(standin, driver)
    with server.connect() as connection:
        drained(connection.execute(server.backup(NAME)))
    return server


def emails(connection: pyodbc.Connection, database: str) -> int:
    row = connection.execute(f"SELECT COUNT(*) FROM [{database}].dbo.SentEmails").fetchone()
    assert row is not None
    return int(row[0])


def refusals(standin: StandIn, sql: str, *, user: str = "sa", password: str = "") -> list[int]:
    """The numbers of all ERROR tokens of a batch."""
    login = {"user": user, "password": password} if password else {}
    with RawClient(standin.port, **login) as client:
        return [one.number for one in client.ask(sql) if isinstance(one, Message) and one.is_error]


@contextmanager
def refused_with(number: int) -> Iterator[None]:
    with pytest.raises(pyodbc.Error) as refused:
        yield
    assert number_of(refused.value) == number


def test_the_rows_of_the_backup_come_back_and_later_ones_do_not(start: Start, driver: str) -> None:
    server = backed_up(start(), driver)
    with server.connect() as connection:
        connection.execute("DELETE FROM SelfMX.dbo.SentEmails")
        messages = drained(connection.execute(restore("copy")))
        assert emails(connection, "copy") == EMAILS
        assert emails(connection, "SelfMX") == 0
    assert [number for number, _ in messages] == [*[3211] * 10, 4035, 4035, 3014]
    assert messages[-2][1].startswith("Processed 2 pages for database 'copy', file 'SelfMX_log'")


def test_a_restored_database_is_there_after_the_server_came_back(start: Start) -> None:
    standin = start()
    server = backed_up(standin)
    with server.connect() as connection:
        drained(connection.execute(restore("copy")))
    standin.stop()
    standin.start()
    with through_driver(standin, "freetds").connect() as connection:
        assert emails(connection, "copy") == EMAILS


def test_a_restore_that_is_not_drained_leaves_the_database_restoring(
    start: Start, driver: str
) -> None:
    server = backed_up(start("--rate", "8"), driver)
    with server.connect() as connection:
        connection.execute(restore("copy")).close()
        wait_until(lambda: 927 in refused_use(connection, "copy"))


def refused_use(connection: pyodbc.Connection, database: str) -> list[int]:
    try:
        connection.execute(f"USE [{database}]")
    except pyodbc.Error as error:
        return [number_of(error)]
    return []


def test_a_cancelled_restore_leaves_the_database_restoring_until_it_is_dropped(
    start: Start, driver: str
) -> None:
    server = backed_up(start("--fault", "hang-restore:40@1"), driver)
    with server.connect() as connection:
        # Four percentages come at once; the fifth never does.
        cursor = connection.execute(restore("copy"))
        cancelling = threading.Timer(1.0, cursor.cancel)
        cancelling.start()
        with pytest.raises(pyodbc.Error) as cancelled:
            drained(cursor)
        cancelling.join()
        assert cancelled.value.args[0] in CANCELLED
        assert refused_use(connection, "copy") == [927]
        with refused_with(4333):
            connection.execute("RESTORE DATABASE [copy] WITH RECOVERY")
        connection.execute("DROP DATABASE [copy]")
        assert drained(connection.execute(restore("copy")))[-1][0] == 3014


@pytest.mark.parametrize("fault", ["drop-restore:50", "kill-restore:50", "die-restore:50"])
def test_a_restore_that_loses_its_client_or_server_leaves_the_database_restoring(
    start: Start, fault: str
) -> None:
    standin = start("--fault", fault)
    server = backed_up(standin)
    with server.connect() as connection:
        cursor = connection.execute(restore("copy"))
        assert 3014 not in said_until_the_end(cursor)
    if fault.startswith("die"):
        assert standin.wait() == 70
        standin.stop()
        standin.start()
    with through_driver(standin, "freetds").connect() as connection:
        wait_until(lambda: refused_use(connection, "copy") == [927])


@pytest.mark.parametrize("fault", ["flip", "fail-restore:50"])
def test_a_damaged_page_ends_a_restore_with_3183_and_leaves_the_target_restoring(
    start: Start, driver: str, fault: str
) -> None:
    server = backed_up(start("--fault", fault), driver)
    with server.connect() as connection:
        with refused_with(3183):
            drained(connection.execute(restore("copy")))
        assert refused_use(connection, "copy") == [927]


def test_a_cut_file_ends_a_restore_with_3203(start: Start) -> None:
    standin = start("--fault", "truncate:60")
    backed_up(standin)
    assert refusals(standin, restore("copy")) == [3203, 3013]


def test_norecovery_leaves_it_restoring_and_recovery_ends_that(start: Start, driver: str) -> None:
    server = backed_up(start(), driver)
    with server.connect() as connection:
        assert drained(connection.execute(restore("copy", "NORECOVERY")))[-1][0] == 3014
        assert refused_use(connection, "copy") == [927]
        messages = drained(connection.execute("RESTORE DATABASE [copy] WITH RECOVERY"))
        assert messages[-1][1].startswith("RESTORE DATABASE successfully processed 0 pages")
        assert emails(connection, "copy") == EMAILS
        with refused_with(3153):
            connection.execute("RESTORE DATABASE [copy] WITH RECOVERY")


@pytest.mark.parametrize("directory", ["/nodir", "C:\\data"])
def test_a_directory_that_is_not_there_is_5133_for_each_file(start: Start, directory: str) -> None:
    standin = start()
    backed_up(standin)
    sql = restore("copy").replace(DATA, directory)
    assert refusals(standin, sql) == [5133, 3156, 5133, 3156, 3119, 3013]
    assert refusals(standin, "USE [copy]") == [911]


def test_two_files_cannot_be_moved_to_one_place(start: Start) -> None:
    standin = start()
    backed_up(standin)
    sql = restore("copy").replace("copy_log.ldf", "copy.mdf")
    assert refusals(standin, sql) == [3176, 3119, 3013]


def test_a_backup_of_a_newer_server_is_refused(start: Start) -> None:
    standin = start("--fault", "newer")
    server = backed_up(standin)
    with server.connect() as connection:
        cursor = connection.execute(f"RESTORE HEADERONLY FROM DISK = N'{server.device(NAME)}'")
        header = cursor.fetchall()[0]
        drained(cursor)
    assert (header.SoftwareVersionMajor, header.DatabaseVersion) == (17, 998)
    assert refusals(standin, restore("copy")) == [3169, 3013]


def test_a_backup_without_checksums_is_not_restored_with_checksum(start: Start) -> None:
    standin = start("--fault", "no-checksum")
    backed_up(standin)
    assert refusals(standin, restore("copy", "CHECKSUM")) == [3187, 3013]
    assert refusals(standin, restore("copy", "NO_CHECKSUM")) == []


def test_the_tail_of_a_log_chain_is_guarded_unless_replace_is_said(start: Start) -> None:
    standin = start()
    server = backed_up(standin)
    over = restore("SelfMX", "RECOVERY", files="SelfMX")
    with server.connect() as connection:
        drained(connection.execute(over))
        drained(connection.execute(server.backup("chain.bak", "FORMAT")))
    assert refusals(standin, over) == [3159, 3013]
    assert refusals(standin, over.replace("RECOVERY", "REPLACE")) == []


@pytest.mark.parametrize(
    ("rights", "target", "numbers"),
    [
        ("backup", "copy", [262, 3013]),
        ("createdb", "copy", []),
        ("createdb,backup", "SelfMX", [3110, 3013]),
        ("dbcreator", "SelfMX", []),
    ],
)
def test_restoring_wants_create_database_and_over_another_owners_dbcreator(
    start: Start, rights: str, target: str, numbers: list[int]
) -> None:
    standin = start("--login", f"keeper:pass word:{rights}")
    backed_up(standin)
    sql = restore(target, "REPLACE", files=target)
    assert refusals(standin, sql, user="keeper", password="pass word") == numbers


def test_a_full_volume_is_os_error_31_and_leaves_the_target_restoring(start: Start) -> None:
    standin = start("--volume-free", "1000000")
    backed_up(standin)
    assert refusals(standin, restore("copy")) == [5149, 3013]
    assert refusals(standin, "USE [copy]") == [927]


def test_files_of_a_dropped_offline_database_stay_and_are_overwritten_by_replace_only(
    start: Start,
) -> None:
    standin = start()
    server = backed_up(standin)
    with server.connect() as connection:
        drained(connection.execute(restore("copy")))
        connection.execute("ALTER DATABASE [copy] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        connection.execute("DROP DATABASE [copy]")
    assert refusals(standin, restore("other")) == [3142, 3142, 3119, 3013]
    assert refusals(standin, restore("other", "REPLACE")) == []


def test_a_running_restore_shows_its_percentage_and_nobody_else_gets_in(
    start: Start, driver: str
) -> None:
    server = backed_up(start("--rate", "3"), driver)
    with server.connect() as connection, server.connect() as watching:
        row = connection.execute("SELECT CAST(@@SPID AS int) AS spid").fetchone()
        assert row is not None
        cursor = connection.execute(restore("copy"))
        seen = watching.execute(
            "SELECT percent_complete, cpu_time, reads "
            f"FROM sys.dm_exec_requests WHERE session_id = {row.spid}"
        ).fetchone()
        assert seen is not None
        assert 0 < seen.percent_complete < 100
        with refused_with(3101):
            drained(watching.execute(restore("copy", "REPLACE")))
        with refused_with(3702):
            watching.execute("DROP DATABASE [copy]")
        assert drained(cursor)[-1][0] == 3014
