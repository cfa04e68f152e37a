"""Options that a RESTORE switches off or brings along, and who may set them again."""

import pyodbc
import pytest

from tests.conformance.decoder import Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import ServerUnderTest, Start, drained, number_of, through_driver
from tests.standin.process import StandIn

DATA = "/var/opt/mssql/data"
IMMEDIATE = "WITH ROLLBACK IMMEDIATE"


def restored(standin: StandIn, driver: str = "freetds") -> ServerUnderTest:
    """SelfMX is there twice: as itself and as `copy`."""
    server = through_driver(standin, driver)
    with server.connect() as connection:
        drained(connection.execute(server.backup("options.bak")))
        sql = (
            f"RESTORE DATABASE [copy] FROM DISK = N'{server.device('options.bak')}' WITH "
            f"MOVE N'SelfMX' TO N'{DATA}/copy.mdf', MOVE N'SelfMX_log' TO N'{DATA}/copy_log.ldf'"
        )
        drained(connection.execute(sql))
    return server


def option(connection: pyodbc.Connection, column: str, database: str = "copy") -> object:
    sql = f"SELECT d.{column} AS it FROM sys.databases AS d WHERE d.name = N'{database}'"
    return connection.execute(sql).fetchval()


def refusals(standin: StandIn, sql: str, *, user: str = "sa", password: str = "") -> list[int]:
    """The numbers of all ERROR tokens of a batch."""
    login = {"user": user, "password": password} if password else {}
    with RawClient(standin.port, **login) as client:
        return [one.number for one in client.ask(sql) if isinstance(one, Message) and one.is_error]


@pytest.mark.parametrize(
    ("model", "number", "in_header"),
    [("FULL", 1, "FULL"), ("BULK_LOGGED", 2, "BULK-LOGGED"), ("SIMPLE", 3, "SIMPLE")],
)
def test_a_recovery_model_is_spelled_one_way_in_the_catalog_and_another_in_headers(
    start: Start, driver: str, model: str, number: int, in_header: str
) -> None:
    standin = start()
    with standin.connect(driver) as connection:
        drained(connection.execute(f"ALTER DATABASE [SelfMX] SET RECOVERY {model}"))
        restored(standin, driver)
        device = f"{standin.server_path}/options.bak"
        cursor = connection.execute(f"RESTORE HEADERONLY FROM DISK = N'{device}'")
        assert cursor.fetchall()[0].RecoveryModel == in_header
        drained(cursor)
        assert option(connection, "recovery_model_desc") == model
        assert option(connection, "recovery_model") == number


def test_what_a_restore_lost_is_set_again(start: Start, driver: str) -> None:
    standin = start("--login", "keeper:pass word:createdb")
    server = restored(standin, driver)
    steps = (
        "SET LOCK_TIMEOUT 10000",
        "USE [copy]",
        "CREATE USER [keeper] FOR LOGIN [keeper]",
        "ALTER USER [keeper] WITH LOGIN = [keeper]",
        "ALTER ROLE [db_backupoperator] ADD MEMBER [keeper]",
        "USE [master]",
        "ALTER AUTHORIZATION ON DATABASE::[copy] TO [sa]",
        "ALTER DATABASE [copy] SET RECOVERY BULK_LOGGED",
        f"ALTER DATABASE [copy] SET NEW_BROKER {IMMEDIATE}",
        "ALTER DATABASE [copy] SET TRUSTWORTHY ON",
        "DBCC CHECKDB (N'copy') WITH NO_INFOMSGS, ALL_ERRORMSGS, TABLERESULTS",
    )
    columns = ("is_broker_enabled", "is_trustworthy_on", "recovery_model_desc")
    with server.connect() as connection:
        assert [option(connection, each) for each in columns] == [False, False, "FULL"]
        for sql in steps:
            drained(connection.execute(sql))
        assert [option(connection, each) for each in columns] == [True, True, "BULK_LOGGED"]


def test_an_old_database_goes_offline_and_away(start: Start, driver: str) -> None:
    server = restored(start(), driver)
    with server.connect() as connection, server.connect() as other:
        drained(other.execute("USE [copy]"))
        for sql in (
            f"ALTER DATABASE [copy] SET SINGLE_USER {IMMEDIATE}",
            "ALTER DATABASE [copy] SET MULTI_USER",
            f"ALTER DATABASE [copy] SET OFFLINE {IMMEDIATE}",
            "DROP DATABASE [copy]",
        ):
            drained(connection.execute(sql))
        assert option(connection, "name") is None


def test_a_copy_cannot_have_the_broker_of_a_database_that_has_it_on(
    start: Start, driver: str
) -> None:
    server = restored(start(), driver)
    enable = f"ALTER DATABASE [copy] SET ENABLE_BROKER {IMMEDIATE}"
    with server.connect() as connection:
        of_both = [option(connection, "service_broker_guid", name) for name in ("SelfMX", "copy")]
        assert of_both[0] == of_both[1]
        with pytest.raises(pyodbc.Error) as refused:
            connection.execute(enable)
        assert number_of(refused.value) == 9772
        drained(connection.execute(f"ALTER DATABASE [copy] SET NEW_BROKER {IMMEDIATE}"))
        assert option(connection, "service_broker_guid") != of_both[0]
        drained(connection.execute(f"ALTER DATABASE [copy] SET DISABLE_BROKER {IMMEDIATE}"))
        drained(connection.execute(enable))
        assert option(connection, "is_broker_enabled") is True


def test_once_the_other_broker_is_off_the_copy_takes_its_place(start: Start) -> None:
    standin = start()
    restored(standin)
    enable = f"ALTER DATABASE [copy] SET ENABLE_BROKER {IMMEDIATE}"
    assert refusals(standin, enable) == [9772, 5069]
    assert refusals(standin, f"ALTER DATABASE [SelfMX] SET DISABLE_BROKER {IMMEDIATE}") == []
    assert refusals(standin, enable) == []


def test_only_a_sysadmin_makes_a_database_trustworthy(start: Start) -> None:
    standin = start("--login", "keeper:pass word:createdb")
    keeper = {"user": "keeper", "password": "pass word"}
    trust = "ALTER DATABASE own SET TRUSTWORTHY ON"
    assert refusals(standin, "CREATE DATABASE own", **keeper) == []
    assert refusals(standin, trust, **keeper) == [15247, 5069]
    assert refusals(standin, trust) == []


def test_the_tail_of_a_bulk_logged_database_is_guarded_too(start: Start) -> None:
    standin = start()
    server = restored(standin)
    with server.connect() as connection:
        drained(connection.execute("ALTER DATABASE [SelfMX] SET RECOVERY BULK_LOGGED"))
        drained(connection.execute(server.backup("chain.bak", "FORMAT")))
    over = f"RESTORE DATABASE [SelfMX] FROM DISK = N'{server.device('chain.bak')}'"
    assert refusals(standin, over) == [3159, 3013]
