"""The small SELECT over catalog views, through both drivers."""

import pyodbc
import pytest

from tests.conformance.decoder import Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import Start, drained, number_of, through_driver
from tests.standin.process import StandIn

ORPHANS = (
    "SELECT u.name AS name FROM [{database}].sys.database_principals AS u "
    "LEFT JOIN sys.server_principals AS l ON l.sid = u.sid "
    "WHERE u.type = 'S' AND u.authentication_type = 1 AND l.sid IS NULL ORDER BY u.name"
)


def ask(connection: pyodbc.Connection, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(sql).fetchall()]


def test_a_database_is_described(start: Start, driver: str) -> None:
    with through_driver(start(), driver).connect() as connection:
        (row,) = connection.execute(
            "SELECT d.name, d.database_id, d.state_desc, d.user_access_desc, "
            "d.recovery_model_desc, d.is_read_only, d.is_broker_enabled, d.is_trustworthy_on, "
            "SUSER_SNAME(d.owner_sid) AS owner, d.source_database_id, d.replica_id, "
            "d.is_in_standby "
            "FROM sys.databases AS d WHERE d.database_id = DB_ID(N'selfmx')"
        ).fetchall()
    assert tuple(row) == (
        *("SelfMX", 5, "ONLINE", "MULTI_USER", "FULL", False, True, False),
        *("sa", None, None, False),
    )


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("database_id <= 4 AND name <> 'master'", ["model", "msdb", "tempdb"]),
        ("name LIKE 'self%'", ["SelfMX"]),
        ("name LIKE N'SelfM[_]'", []),
        ("name IN ('model', N'SELFMX')", ["model", "SelfMX"]),
        ("name NOT IN ('master', 'model', 'msdb')", ["SelfMX", "tempdb"]),
        ("source_database_id IS NOT NULL", []),
        ("source_database_id = 1", []),
        ("name NOT LIKE '%m%' AND source_database_id IS NULL", []),
    ],
)
def test_conditions(plain: StandIn, condition: str, names: list[str]) -> None:
    with plain.connect("freetds") as connection:
        found = ask(connection, f"SELECT name FROM sys.databases WHERE {condition} ORDER BY name")
    assert [name for (name,) in found] == names


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("SELECT nosuch FROM sys.databases", 207),
        ("SELECT name FROM sys.nosuch", 50000),
        ("SELECT d.name FROM sys.databases AS d, sys.master_files AS f", 50000),
        ("SELECT name FROM sys.databases WHERE name = 'a' OR name = 'b'", 50000),
        ("SELECT name FROM sys.databases GROUP BY name", 50000),
        ("SELECT name FROM [nosuch].sys.database_files", 911),
    ],
)
def test_what_is_not_understood_is_an_error(plain: StandIn, sql: str, number: int) -> None:
    with RawClient(plain.port) as client:
        said = [one for one in client.ask(sql) if isinstance(one, Message)]
    assert [one.number for one in said] == [number]


def test_files_are_listed_with_the_space_on_their_volume(start: Start, driver: str) -> None:
    server = through_driver(start("--volume-free", "123456789"), driver)
    with server.connect() as connection:
        rows = ask(
            connection,
            "SELECT f.type_desc, f.name, f.physical_name, CAST(f.size AS bigint) * 8192 AS bytes, "
            "v.available_bytes FROM sys.master_files AS f "
            "CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v "
            "WHERE f.database_id = DB_ID(N'SelfMX') ORDER BY f.file_id DESC",
        )
        own = ask(connection, "SELECT COUNT(*) FROM [SelfMX].sys.database_files")
    directory = "/var/opt/mssql/data"
    assert rows == [
        ("LOG", "SelfMX_log", f"{directory}/SelfMX_log.ldf", 8388608, 123456789),
        ("ROWS", "SelfMX", f"{directory}/SelfMX.mdf", 8388608, 123456789),
    ]
    assert own == [(2,)]


def test_sums_over_files(plain: StandIn) -> None:
    files = "FROM sys.master_files AS f WHERE f.database_id = DB_ID(N'{0}')"
    sums = "SELECT COUNT(*) AS files, SUM(CAST(f.size AS bigint)) * 8192 AS bytes "
    with plain.connect("freetds") as connection:
        assert ask(connection, sums + files.format("SelfMX")) == [(2, 2 * 8388608)]
        assert ask(connection, sums + files.format("nosuch")) == [(0, None)]


def test_the_volume_wants_view_server_state(start: Start) -> None:
    standin = start("--login", "keeper:pass word:backup")
    with RawClient(standin.port, user="keeper", password="pass word") as client:
        tokens = client.ask(
            "SELECT v.total_bytes FROM sys.dm_os_volume_stats(DB_ID(N'SelfMX'), 1) AS v"
        )
    assert [one.number for one in tokens if isinstance(one, Message)] == [300, 297]


def test_sessions_in_a_database_are_seen(start: Start, driver: str) -> None:
    standin = start()
    server = through_driver(standin, driver)
    with server.connect() as connection, standin.connect(driver, database="SelfMX", program="app"):
        rows = ask(
            connection,
            "SELECT s.login_name, s.program_name, s.status, s.is_user_process "
            "FROM sys.dm_exec_sessions AS s "
            "WHERE s.database_id = DB_ID(N'SelfMX') AND s.session_id <> @@SPID",
        )
    assert rows == [("sa", "app", "sleeping", True)]


def test_default_directories_end_with_a_slash(plain: StandIn) -> None:
    with plain.connect("freetds") as connection:
        rows = ask(
            connection,
            "SELECT CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(128)) AS data, "
            "CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(128)) AS log",
        )
    assert rows == [("/var/opt/mssql/data/", "/var/opt/mssql/data/")]


@pytest.mark.parametrize(
    ("rights", "has"),
    [("backup", (1, 0, 0, 0, 0)), ("dbcreator", (0, 1, 1, 0, 1)), ("alterdb", (0, 1, 1, 0, 0))],
)
def test_a_login_can_ask_for_its_rights(start: Start, rights: str, has: tuple[int, ...]) -> None:
    standin = start("--login", f"keeper:pass word:{rights}")
    with standin.connect("freetds", user="keeper", password="pass word") as connection:
        (row,) = ask(
            connection,
            "SELECT HAS_PERMS_BY_NAME(N'[SelfMX]', 'DATABASE', 'BACKUP DATABASE') AS a, "
            "HAS_PERMS_BY_NAME(N'[SelfMX]', 'DATABASE', 'ALTER') AS b, "
            "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY DATABASE') AS c, "
            "HAS_PERMS_BY_NAME(N'[SelfMX]', 'DATABASE', 'CONTROL') AS d, "
            "IS_SRVROLEMEMBER('dbcreator') AS e",
        )
    assert row == has


def test_users_of_another_servers_backup_are_orphans_until_they_are_mapped(
    tmp_path_factory: pytest.TempPathFactory, driver: str
) -> None:
    root = tmp_path_factory.mktemp("orphans")
    login = ("--login", "keeper:pass word:backup,createdb")
    device = "/var/opt/mssql/backup/moved.bak"
    with (
        StandIn(root / "old", root / "backup", args=login) as old,
        old.connect(driver) as connection,
    ):
        assert ask(connection, ORPHANS.format(database="SelfMX")) == []
        drained(connection.execute(f"BACKUP DATABASE SelfMX TO DISK = N'{device}'"))
    empty = ("--database", "other", *login)
    with (
        StandIn(root / "new", root / "backup", args=empty) as new,
        new.connect(driver) as connection,
        new.connect(driver, user="keeper", password="pass word") as keeper,
    ):
        drained(connection.execute(f"RESTORE DATABASE SelfMX FROM DISK = N'{device}'"))
        backup = f"BACKUP DATABASE SelfMX TO DISK = N'{device}' WITH FORMAT"
        assert ask(connection, ORPHANS.format(database="SelfMX")) == [("keeper",)]
        with pytest.raises(pyodbc.Error) as refused:
            keeper.execute(backup)
        # FreeTDS tells the gravest error first, and 262 is of class 14 (seen).
        assert number_of(refused.value) == {"msodbcsql18": 262, "freetds": 3013}[driver]
        connection.execute("EXEC('USE SelfMX; ALTER USER keeper WITH LOGIN = keeper')")
        assert ask(connection, ORPHANS.format(database="SelfMX")) == []
        assert drained(keeper.execute(backup))[-1][0] == 3014


def test_a_restored_database_belongs_to_who_restored_it_until_it_is_given_away(
    start: Start, driver: str
) -> None:
    standin = start("--login", "keeper:pass word:createdb", "--login", "owner:pass word:none")
    of = "SELECT SUSER_SNAME(owner_sid) AS owner FROM sys.databases WHERE name = 'own'"
    with (
        standin.connect(driver, user="keeper", password="pass word") as keeper,
        standin.connect(driver) as connection,
    ):
        keeper.execute("CREATE DATABASE own")
        assert ask(connection, of) == [("keeper",)]
        with pytest.raises(pyodbc.Error) as refused:
            keeper.execute("ALTER AUTHORIZATION ON DATABASE::own TO [sa]")
        assert number_of(refused.value) == 15151
        connection.execute("ALTER AUTHORIZATION ON DATABASE::own TO [owner]")
        assert ask(connection, of) == [("owner",)]


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("CREATE USER keeper FOR LOGIN keeper", 15023),
        ("CREATE USER other FOR LOGIN nobody", 15007),
        ("CREATE USER other FOR LOGIN keeper", 15063),
        ("ALTER USER nobody WITH LOGIN = keeper", 15151),
        ("ALTER ROLE db_backupoperator ADD MEMBER nobody", 15151),
        ("ALTER AUTHORIZATION ON DATABASE::SelfMX TO keeper", 15110),
    ],
)
def test_refusals_about_users(start: Start, sql: str, number: int) -> None:
    standin = start("--login", "keeper:pass word:backup")
    with RawClient(standin.port, database="SelfMX") as client:
        said = [one for one in client.ask(sql) if isinstance(one, Message)]
    assert [one.number for one in said] == [number]


def test_a_user_that_becomes_a_backup_operator_can_back_up(start: Start, driver: str) -> None:
    standin = start("--login", "keeper:pass word:none")
    server = through_driver(standin, driver)
    with (
        standin.connect(driver, database="SelfMX") as connection,
        standin.connect(driver, user="keeper", password="pass word") as keeper,
    ):
        connection.execute("CREATE USER keeper FOR LOGIN keeper")
        connection.execute("ALTER ROLE db_backupoperator ADD MEMBER keeper")
        assert drained(keeper.execute(server.backup("own.bak")))[-1][0] == 3014
