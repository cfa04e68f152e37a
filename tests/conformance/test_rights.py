"""The rights of logins other than `sa` are enforced with the errors of a real server."""

from collections.abc import Callable

import pytest

from selfmx_backupd.adapters.mssql import statements
from tests.conformance.decoder import Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import Start, drained
from tests.standin.process import StandIn

PASSWORD = "pass:word 1"
DEVICE = "/var/opt/mssql/backup/rights.bak"
BACKUP = statements.backup_database("SelfMX", DEVICE, name="", description="", compression=None)

Said = list[tuple[int, int, int, str]]


def keeper(start: Start, rights: str, *arguments: str) -> StandIn:
    return start("--login", f"keeper:{PASSWORD}:{rights}", *arguments)


def refusals(standin: StandIn, sql: str) -> Said:
    """What the server refuses that login: number, state, class, text."""
    with RawClient(standin.port, user="keeper", password=PASSWORD) as client:
        tokens = client.ask(sql)
    return [
        (one.number, one.state, one.severity, one.text)
        for one in tokens
        if isinstance(one, Message) and one.is_error
    ]


def test_backing_up_wants_db_backupoperator(start: Start) -> None:
    assert refusals(keeper(start, "createdb,viewstate"), BACKUP) == [
        (262, 1, 14, "BACKUP DATABASE permission denied in database 'SelfMX'."),
        (3013, 1, 16, "BACKUP DATABASE is terminating abnormally."),
    ]


@pytest.mark.parametrize(
    ("sql", "statement"),
    [
        (statements.header_only, "RESTORE HEADERONLY"),
        (statements.file_list_only, "RESTORE FILELIST"),
        (statements.verify_only, "VERIFY DATABASE"),
    ],
)
def test_reading_a_backup_wants_create_any_database(
    start: Start, sql: Callable[[str], str], statement: str
) -> None:
    assert refusals(keeper(start, "backup"), sql(DEVICE)) == [
        (262, 1, 14, "CREATE DATABASE permission denied in database 'master'."),
        (3013, 1, 16, f"{statement} is terminating abnormally."),
    ]


def test_with_both_rights_a_backup_is_made_and_proven(start: Start) -> None:
    standin = keeper(start, "backup,createdb")
    with standin.connect("freetds", user="keeper", password=PASSWORD) as connection:
        drained(connection.execute(BACKUP))
        assert drained(connection.execute(statements.verify_only(DEVICE)))[-1][0] == 3262


@pytest.mark.parametrize(("rights", "sees_all"), [("backup", 0), ("backup,viewstate", 1)])
def test_other_sessions_are_seen_with_view_server_state_only(
    start: Start, rights: str, sees_all: int
) -> None:
    standin = keeper(start, rights, "--rate", "4")
    with (
        standin.connect("freetds") as other,
        standin.connect("freetds", user="keeper", password=PASSWORD) as connection,
    ):
        facts = connection.execute(statements.server_facts()).fetchone()
        assert facts is not None
        assert facts.sees_all == sees_all
        cursor = other.execute(BACKUP)
        running = connection.execute(statements.running_backups("tests")).fetchall()
        assert len(running) == sees_all
        drained(cursor)


@pytest.mark.parametrize(
    ("rights", "has"), [("backup", (1, 0)), ("createdb", (0, 1)), ("none", (0, 0))]
)
def test_a_login_can_ask_for_its_own_rights(
    start: Start, rights: str, has: tuple[int, int]
) -> None:
    standin = keeper(start, rights)
    with standin.connect("freetds", user="keeper", password=PASSWORD) as connection:
        row = connection.execute(statements.rights("SelfMX")).fetchone()
    assert row is not None
    assert (row.may_back_up, row.may_read_backups) == has


@pytest.mark.parametrize(("rights", "kind"), [("backup,viewstate", type(None)), ("createdb", int)])
def test_file_sizes_are_null_for_a_login_that_may_not_see_files(
    start: Start, rights: str, kind: type
) -> None:
    standin = keeper(start, rights)
    with standin.connect("freetds", user="keeper", password=PASSWORD) as connection:
        row = connection.execute(statements.database_facts("SelfMX")).fetchone()
    assert row is not None
    assert isinstance(row.size_bytes, kind)


@pytest.mark.parametrize(
    ("sql", "numbers"),
    [
        ("CREATE DATABASE other", [262]),
        ("ALTER DATABASE SelfMX SET RECOVERY SIMPLE", [5011, 5069]),
        ("SELECT COUNT(*) FROM SelfMX.dbo.Domains", [229]),
        ("DELETE FROM SelfMX.dbo.Domains", [229]),
    ],
)
def test_a_backup_operator_changes_and_reads_nothing_else(
    start: Start, sql: str, numbers: list[int]
) -> None:
    assert [one[0] for one in refusals(keeper(start, "backup"), sql)] == numbers
