"""What a restore asks of a server before it begins: databases, files, room, rights, users."""

import pyodbc
import pytest

from tests.conformance.decoder import Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import Start, drained, through_driver
from tests.standin.process import StandIn

DATA = "/var/opt/mssql/data"
DATABASES = (
    "SELECT d.name AS name, d.database_id AS database_id, d.state_desc AS state, "
    "d.user_access_desc AS user_access, d.recovery_model_desc AS recovery_model, "
    "d.is_broker_enabled AS is_broker_enabled, d.is_trustworthy_on AS is_trustworthy_on, "
    "d.is_in_standby AS is_in_standby, SUSER_SNAME(d.owner_sid) AS owner, "
    "d.source_database_id AS source_database_id, d.replica_id AS replica_id, "
    "m.mirroring_guid AS mirroring_guid FROM sys.databases AS d "
    "LEFT JOIN sys.database_mirroring AS m ON m.database_id = d.database_id"
)
FILES = (
    "SELECT f.database_id AS database_id, f.file_id AS file_id, f.type AS type, "
    "f.name AS logical_name, f.physical_name AS physical_name, "
    "CAST(f.size AS bigint) * 8192 AS size_bytes FROM sys.master_files AS f"
)
VOLUMES = (
    "SELECT f.physical_name AS physical_name, v.total_bytes AS total_bytes, "
    "v.available_bytes AS available_bytes FROM sys.master_files AS f "
    "CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v"
)
DIRECTORIES = (
    "SELECT CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS data, "
    "CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(260)) AS log"
)
RIGHTS = (
    "SELECT ORIGINAL_LOGIN() AS login, IS_SRVROLEMEMBER('sysadmin') AS is_sysadmin, "
    "IS_SRVROLEMEMBER('dbcreator') AS is_dbcreator, "
    "HAS_PERMS_BY_NAME(NULL, NULL, 'CREATE ANY DATABASE') AS may_create, "
    "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY DATABASE') AS may_alter_any, "
    "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY CONNECTION') AS may_kill, "
    "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS may_view_state, "
    "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS may_view_performance, "
    "HAS_PERMS_BY_NAME(N'[SelfMX]', 'DATABASE', 'ALTER') AS may_alter"
)
USERS = (
    "SELECT name AS name, sid AS sid FROM [SelfMX].sys.database_principals "
    "WHERE type = 'S' AND authentication_type = 1"
)
LOGINS = "SELECT name AS name, sid AS sid FROM sys.server_principals WHERE type = 'S'"
SYSTEM_FILES = {
    *("master.mdf", "mastlog.ldf", "tempdb.mdf", "templog.ldf"),
    *("model.mdf", "modellog.ldf", "MSDBData.mdf", "MSDBLog.ldf"),
}
OWN_SESSION = (
    "SELECT s.session_id AS spid, s.host_name AS host_name FROM sys.dm_exec_sessions AS s "
    "WHERE s.session_id = @@SPID"
)
OFFLINE = "ALTER DATABASE SelfMX SET OFFLINE WITH ROLLBACK IMMEDIATE"


def ask(connection: pyodbc.Connection, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(sql).fetchall()]


def in_data(names: set[str]) -> set[str]:
    return {f"{DATA}/{name}" for name in names}


def places(rows: list[tuple[object, ...]]) -> set[str]:
    """The directory's names among the first columns."""
    return {str(row[0]) for row in rows}


def test_every_database_is_listed_whether_mirrored_or_not(start: Start, driver: str) -> None:
    with start().connect(driver) as connection:
        rows = {row[0]: row[1:] for row in ask(connection, DATABASES)}
    assert set(rows) == {"master", "tempdb", "model", "msdb", "SelfMX"}
    state = ("ONLINE", "MULTI_USER", "FULL", True, False, False)
    assert rows["SelfMX"] == (5, *state, "sa", None, None, None)


def test_the_files_of_the_system_databases_are_listed_too(start: Start, driver: str) -> None:
    with start().connect(driver) as connection:
        rows = ask(connection, FILES)
    system = [row for row in rows if isinstance(row[0], int) and row[0] <= 4]
    assert places([row[4:] for row in system]) == in_data(SYSTEM_FILES)
    assert all(isinstance(row[5], int) and 2**20 < row[5] < 2**24 for row in system)
    assert [row for row in rows if row not in system] == [
        (5, 1, 0, "SelfMX", f"{DATA}/SelfMX.mdf", 8388608),
        (5, 2, 1, "SelfMX_log", f"{DATA}/SelfMX_log.ldf", 8388608),
    ]


def test_a_login_that_may_not_see_files_sees_none(start: Start) -> None:
    standin = start("--login", "keeper:pass word:viewstate")
    with standin.connect("freetds", user="keeper", password="pass word") as connection:
        assert ask(connection, FILES) == []


def test_the_volume_is_told_for_each_file_of_an_open_database(start: Start, driver: str) -> None:
    with start("--volume-free", "123456789").connect(driver) as connection:
        rows = ask(connection, VOLUMES)
        assert places(rows) == in_data(SYSTEM_FILES | {"SelfMX.mdf", "SelfMX_log.ldf"})
        # The files of system databases are not counted.
        assert {row[1:] for row in rows} == {(123456789 + 2 * 8388608, 123456789)}
        drained(connection.execute(OFFLINE))
        assert places(ask(connection, VOLUMES)) == in_data(SYSTEM_FILES)


@pytest.mark.parametrize("state", ["RESTORING", "RECOVERY_PENDING", "SUSPECT"])
def test_the_volume_is_not_told_for_a_database_that_is_not_open(start: Start, state: str) -> None:
    with start("--fault", f"state:SelfMX={state}").connect("freetds") as connection:
        assert places(ask(connection, VOLUMES)) == in_data(SYSTEM_FILES)


def test_the_default_directories_are_texts_of_260_characters(start: Start, driver: str) -> None:
    with start().connect(driver) as connection:
        cursor = connection.execute(DIRECTORIES)
        assert [column[3] for column in cursor.description] == [260, 260]
        assert [tuple(row) for row in cursor.fetchall()] == [(f"{DATA}/", f"{DATA}/")]


@pytest.mark.parametrize(
    ("rights", "has"),
    [
        ("none", (0, 0, 0, 0, 0, 0, 0, 0)),
        ("createdb,kill", (0, 0, 1, 0, 1, 0, 0, 0)),
        ("dbcreator,viewstate", (0, 1, 1, 1, 0, 1, 1, 1)),
    ],
)
def test_a_login_asks_for_all_its_rights_at_once(
    start: Start, driver: str, rights: str, has: tuple[int, ...]
) -> None:
    standin = start("--login", f"keeper:pass word:{rights}")
    with standin.connect(driver, user="keeper", password="pass word") as connection:
        assert ask(connection, RIGHTS) == [("keeper", *has)]
    with standin.connect(driver) as connection:
        assert ask(connection, RIGHTS) == [("sa", 1, *[1] * 7)]


def test_users_and_logins_have_their_sids(start: Start, driver: str) -> None:
    standin = start("--login", "keeper:pass word:backup", "--login", "other:pass word:none")
    with standin.connect(driver) as connection:
        users, logins = (
            {str(name): sid for name, sid in ask(connection, sql)} for sql in (USERS, LOGINS)
        )
    assert set(users) == {"dbo", "keeper"}
    assert set(logins) == {"sa", "keeper", "other"}
    assert users["dbo"] == logins["sa"] == b"\x01"
    assert users["keeper"] == logins["keeper"]


def sessions_in(database: str) -> str:
    return (
        "SELECT l.request_session_id AS session_id, s.login_name AS login_name, "
        "s.program_name AS program_name, s.host_name AS host_name "
        "FROM sys.dm_tran_locks AS l "
        "JOIN sys.dm_exec_sessions AS s ON s.session_id = l.request_session_id "
        "WHERE l.resource_type = 'DATABASE' "
        f"AND l.resource_database_id = DB_ID(N'{database}') "
        "AND s.is_user_process = 1 AND l.request_session_id <> @@SPID"
    )


def programs_in(connection: pyodbc.Connection, database: str) -> list[object]:
    return [row[2] for row in ask(connection, sessions_in(database))]


def test_whoever_is_in_a_database_shows_by_a_lock(start: Start, driver: str) -> None:
    standin = start()
    with (
        standin.connect(driver, database="SelfMX") as connection,
        standin.connect(driver, database="SelfMX", program="app") as app,
        standin.connect(driver, program="elsewhere"),
    ):
        row = app.execute(OWN_SESSION).fetchone()
        assert row is not None
        assert ask(connection, sessions_in("selfmx")) == [(row.spid, "sa", "app", row.host_name)]
        drained(app.execute("USE master"))
        assert programs_in(connection, "SelfMX") == []
        assert programs_in(connection, "master") == []


def test_who_set_single_user_shows_by_a_lock_even_from_master(start: Start, driver: str) -> None:
    standin = start()
    with (
        standin.connect(driver) as connection,
        standin.connect(driver, program="holder") as holder,
    ):
        drained(holder.execute("ALTER DATABASE SelfMX SET SINGLE_USER WITH ROLLBACK IMMEDIATE"))
        assert programs_in(connection, "SelfMX") == ["holder"]
        drained(holder.execute("USE SelfMX"))
        drained(holder.execute("USE master"))
        assert programs_in(connection, "SelfMX") == ["holder"]
        drained(holder.execute("ALTER DATABASE SelfMX SET MULTI_USER"))
        assert programs_in(connection, "SelfMX") == []


def test_a_running_backup_shows_by_a_lock(start: Start, driver: str) -> None:
    standin = start("--fault", "hang:30@1")
    server = through_driver(standin, driver)
    with server.connect() as victim, standin.connect(driver, program="admin") as admin:
        cursor = victim.execute(server.backup("hangs.bak"))
        ((spid, *_),) = ask(admin, sessions_in("SelfMX"))
        drained(admin.execute(f"KILL {spid}"))
        with pytest.raises(pyodbc.Error):
            drained(cursor)


@pytest.mark.parametrize("sql", [sessions_in("SelfMX"), VOLUMES])
def test_locks_and_volumes_want_view_server_state(start: Start, sql: str) -> None:
    standin: StandIn = start("--login", "keeper:pass word:createdb")
    with RawClient(standin.port, user="keeper", password="pass word") as client:
        said = [one for one in client.ask(sql) if isinstance(one, Message)]
    assert [(one.number, one.severity) for one in said] == [(300, 14), (297, 16)]
