import pyodbc
import pytest

from selfmx_backupd.adapters.mssql import failures
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

DRIVER_18 = "[Microsoft][ODBC Driver 18 for SQL Server]"
MICROSOFT = f"{DRIVER_18}[SQL Server]"
FREETDS = "[FreeTDS][SQL Server]"
DRIVERS = pytest.mark.parametrize("driver", [MICROSOFT, FREETDS])
DENIED = "Operating system error 5(Access is denied.)."


def raised(
    text: str, number: int | None = None, driver: str = MICROSOFT, state: str = "42000"
) -> pyodbc.Error:
    """What pyodbc raises on Linux: the first diagnostic record."""
    end = "" if number is None else f" ({number}) (SQLExecDirectW)"
    return pyodbc.ProgrammingError(state, f"[{state}] {driver}{text}{end}")


def running(
    text: str, number: int | None = None, driver: str = MICROSOFT, state: str = "42000"
) -> BackupdError:
    return failures.while_running(raised(text, number, driver, state), "the backup of SelfMX")


def connecting(text: str, number: int | None, driver: str, state: str) -> BackupdError:
    return failures.while_connecting(raised(text, number, driver, state), "db:1433")


@DRIVERS
def test_a_message_says_what_failed_why_and_the_number(driver: str) -> None:
    error = running(f"Cannot open backup device '/x'. {DENIED}", 3201, driver)
    assert error.message == (
        "the backup of SelfMX failed: Cannot open backup device '/x'. "
        "Operating system error 5(Access is denied.) (error 3201)"
    )
    assert (type(error), error.number, error.exit_code) == (ServerMayNotOpenFile, 3201, 5)
    assert "uid 10001" in str(error.hint)


def test_of_several_records_the_first_one_decides() -> None:
    """On Windows pyodbc joins all records and repeats the first one's SQLSTATE."""
    error = pyodbc.ProgrammingError(
        "42000",
        f"[42000] {MICROSOFT}Cannot open backup device '/x'. {DENIED} (3201) (SQLExecDirectW); "
        f"[42000] {MICROSOFT}BACKUP DATABASE is terminating abnormally. (3013)",
    )
    record = failures.first_record(error)
    assert (record.sqlstate, record.number, record.os_error) == ("42000", 3201, 5)
    assert record.text.endswith("5(Access is denied.)")


@DRIVERS
def test_a_text_with_digits_in_parentheses_does_not_hide_the_number(driver: str) -> None:
    record = failures.first_record(
        raised('Write on "/b (3).bak" failed: 112(No space (17) (left).)', 3202, driver)
    )
    assert (record.number, record.os_error) == (3202, 112)
    assert record.text == 'Write on "/b (3).bak" failed: 112(No space (17) (left).)'


def test_a_number_raised_in_the_middle_of_a_statement_is_read_too() -> None:
    error = pyodbc.ProgrammingError("42000", f"[42000] {MICROSOFT}Damage. (3189) (SQLMoreResults)")
    assert failures.first_record(error).number == 3189


@pytest.mark.parametrize("arguments", [(), ("HY000",), ("HY000", ""), ("No results.",)])
def test_an_exception_without_a_record_is_a_lost_connection(arguments: tuple[str, ...]) -> None:
    error = failures.while_running(pyodbc.Error(*arguments), "the backup")
    assert type(error) is ConnectionLost
    assert error.number is None


@DRIVERS
@pytest.mark.parametrize(
    ("os_error", "kind", "exit_code", "hint"),
    [
        (2, ServerCannotFindFile, 5, "does not find the file or its directory"),
        (3, ServerCannotFindFile, 5, "does not find the file or its directory"),
        (5, ServerMayNotOpenFile, 5, "must own the backup directory or share a group"),
        (31, NotEnoughSpace, 8, "df -h"),
        (39, NotEnoughSpace, 8, "df -h"),
        (112, NotEnoughSpace, 8, "df -h"),
        (1117, NotEnoughSpace, 8, "df -h"),
        (32, ServerRefused, 5, "docker logs"),
        (21, ServerRefused, 5, "docker logs"),
    ],
)
def test_a_device_error_is_known_by_the_operating_systems_number(
    driver: str, os_error: int, kind: type[BackupdError], exit_code: int, hint: str
) -> None:
    opening = f"Cannot open backup device '/x'. Operating system error {os_error}(Text.)."
    writing = f'Write on "/x" failed: {os_error}(Text.)'
    broken = f'A nonrecoverable I/O error occurred on file "/x:" {os_error}(Text.).'
    for text, number in ((opening, 3201), (writing, 3202), (broken, 3271)):
        error = running(text, number, driver)
        assert (type(error), error.number, error.exit_code) == (kind, number, exit_code)
        assert hint in str(error.hint)


def test_a_file_that_ends_too_early_is_unusable() -> None:
    error = running('Read on "/x" failed: 38(Reached the end of the file.)', 3203)
    assert (type(error), error.exit_code, error.number) == (BackupUnusable, 6, 3203)
    assert error.message.endswith("(error 3203): the file is cut short")


@pytest.mark.parametrize("os_error", [31, 39, 112, 1117, 483])
def test_a_failed_read_is_not_a_full_disk(os_error: int) -> None:
    assert type(running(f'Read on "/x" failed: {os_error}(Text.)', 3203)) is ServerRefused


def test_a_device_error_without_a_system_number_is_a_refusal() -> None:
    error = running("Cannot open backup device '/x'. Device error or device off-line.", 3201)
    assert (type(error), error.number) == (ServerRefused, 3201)


@DRIVERS
@pytest.mark.parametrize(
    ("number", "kind", "exit_code", "hint"),
    [
        (3023, AnotherBackupRuns, 5, "Wait for it to end"),
        (911, DatabaseUnavailable, 5, "docker logs"),
        (927, DatabaseUnavailable, 5, "docker logs"),
        (942, DatabaseUnavailable, 5, "docker logs"),
        (229, PermissionMissing, 5, "db_backupoperator"),
        (916, PermissionMissing, 5, "db_backupoperator"),
        (3241, BackupUnusable, 6, "selfmx-backup"),
        (3254, BackupUnusable, 6, "selfmx-backup"),
        (3189, BackupUnusable, 6, "selfmx-backup"),
        (3183, BackupUnusable, 6, "selfmx-backup"),
        (3187, ServerRefused, 5, "docker logs"),
        (3009, ServerRefused, 5, "docker logs"),
        (3043, ServerRefused, 5, "docker logs"),
        (1844, ServerRefused, 5, "backup.compression"),
        (9002, ServerRefused, 5, "docker logs"),
    ],
)
def test_the_servers_number_decides(
    driver: str, number: int, kind: type[BackupdError], exit_code: int, hint: str
) -> None:
    # FreeTDS gives 911 the SQLSTATE of a refused connection: states are no guide.
    error = running("Text.", number, driver, "08004")
    assert (type(error), error.number, error.exit_code) == (kind, number, exit_code)
    assert hint in str(error.hint)
    assert error.message == f"the backup of SelfMX failed: Text (error {number})"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("BACKUP DATABASE permission denied in database 'SelfMX'.", "db_backupoperator"),
        ("CREATE DATABASE permission denied in database 'master'.", "GRANT CREATE ANY DATABASE"),
    ],
)
def test_a_missing_right_comes_with_its_grant(text: str, hint: str) -> None:
    error = running(text, 262)
    assert type(error) is PermissionMissing
    assert hint in str(error.hint)


@pytest.mark.parametrize(
    ("text", "number", "driver", "state"),
    [
        ("TCP Provider: Error code 0x68", 104, DRIVER_18, "08S01"),
        ("TCP Provider: An existing connection was forcibly closed", 10054, DRIVER_18, "08S01"),
        ("Communication link failure", 0, DRIVER_18, "08S01"),
        ("Operation canceled", 0, DRIVER_18, "HY008"),
        ("Query timeout expired", 0, DRIVER_18, "HYT00"),
        ("Read from the server failed", 20004, FREETDS, "08S01"),
        ("Write to the server failed", 20006, FREETDS, "08S01"),
        ("DBPROCESS is dead or not enabled", 20047, FREETDS, "08S01"),
        ("Cannot continue, because the session is in the kill state.", 596, MICROSOFT, "HY000"),
    ],
)
def test_a_broken_link_is_no_refusal_of_the_server(
    text: str, number: int, driver: str, state: str
) -> None:
    error = running(text, number, driver, state)
    assert (type(error), error.exit_code) == (ConnectionLost, 5)
    assert error.number is None


@pytest.mark.parametrize(
    ("driver", "state"), [(MICROSOFT, "28000"), (FREETDS, "42000"), (FREETDS, "28000")]
)
@pytest.mark.parametrize("number", [18456, 4060, 18488])
def test_a_refused_login_is_known_by_its_number(driver: str, state: str, number: int) -> None:
    error = connecting("Login failed for user 'x'.", number, driver, state)
    assert type(error) is LoginRefused
    assert error.message == (
        f"SQL Server at db:1433 refused the login: Login failed for user 'x' (error {number})"
    )
    assert "sqlserver.password_file" in str(error.hint)


@pytest.mark.parametrize("number", [18401, 6005, 17142])
def test_a_starting_or_stopping_server_is_worth_waiting_for(number: int) -> None:
    error = connecting("Text.", number, MICROSOFT, "42000")
    assert type(error) is ServerNotReached
    assert "is starting or stopping" in error.message
    assert "Wait a moment" in str(error.hint)


@pytest.mark.parametrize(
    ("text", "number", "driver", "state", "hint"),
    [
        ("Login timeout expired", 0, DRIVER_18, "HYT00", "docker start"),
        ("TCP Provider: Error code 0x2749", 10061, DRIVER_18, "08001", "docker start"),
        ("Unable to connect: Adaptive Server is unavailable", 20009, FREETDS, "08001", "docker"),
        ("SSL Provider: [error:0A000086:SSL routines::certificate verify failed]", -1, DRIVER_18,
         "08001", "sqlserver.trust_server_certificate"),
        ("Can't open lib 'x' : file not found", 0, "[unixODBC][Driver Manager]", "01000",
         "odbcinst"),
        ("Data source name not found and no default driver specified", 0,
         "[unixODBC][Driver Manager]", "IM002", "odbcinst"),
    ],
)  # fmt: skip
def test_nobody_answering_has_a_hint_that_fits(
    text: str, number: int, driver: str, state: str, hint: str
) -> None:
    error = connecting(text, number, driver, state)
    kind = DriverMissing if hint == "odbcinst" else ServerNotReached
    assert (type(error), error.exit_code) == (kind, 4)
    assert error.message == f"SQL Server at db:1433 is not reached: {text}"
    assert hint in str(error.hint)


@DRIVERS
@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (5064, DatabaseInUse, 5),
        (5061, DatabaseInUse, 5),
        (1222, DatabaseInUse, 5),
        (3101, DatabaseInUse, 5),
        (3702, DatabaseInUse, 5),
        (3102, DatabaseInUse, 5),
        (5030, DatabaseInUse, 5),
        (5070, DatabaseInUse, 5),
        (1205, DatabaseInUse, 5),
        (924, DatabaseUnavailable, 5),
        (5149, NotEnoughSpace, 8),
        (3257, NotEnoughSpace, 8),
        (6102, PermissionMissing, 5),
        (7983, PermissionMissing, 5),
        (5011, PermissionMissing, 5),
        (15247, PermissionMissing, 5),
        (5069, ServerRefused, 5),
        (3169, UnreadableHere, 5),
        (3132, UnreadableHere, 5),
        (33111, UnreadableHere, 5),
    ],
)
def test_what_a_restore_meets_has_its_kind(
    driver: str, number: int, kind: type[BackupdError], code: int
) -> None:
    error = running("refused", number, driver)
    assert (type(error), error.exit_code, error.number) == (kind, code, number)


def test_a_full_data_volume_names_the_way_that_needs_less() -> None:
    assert "--in-place" in str(running("no room", 5149).hint)


@pytest.mark.parametrize("number", [5064, 1222, 3101])
def test_a_database_in_use_has_a_hint_that_ends_its_use(number: int) -> None:
    assert "Stop what uses the database" in str(running("refused", number).hint)


@pytest.mark.parametrize("number", [5011, 6102, 7983])
def test_a_right_that_only_a_restore_needs_has_no_hint_for_backups(number: int) -> None:
    """KILL, DBCC and ALTER DATABASE: a role that may take backups is no help."""
    hint = str(running("User does not have permission.", number).hint)
    assert "db_backupoperator" not in hint
    assert "sqlserver.restore_user" in hint
