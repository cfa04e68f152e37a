"""What the product relies on, through real drivers, against the stand-in or a real server."""

from datetime import datetime, timedelta
from uuid import uuid4

import pyodbc
import pytest

from selfmx_backupd.adapters.mssql import statements
from tests.conformance.servers import ServerUnderTest, drained, number_of
from tests.standin.clock import now, server_local

PROGRAM = "contract tests"


def new_name() -> str:
    return f"contract_{uuid4().hex}.bak"


def numbers(messages: list[tuple[int, str]]) -> list[int]:
    return [number for number, _ in messages]


def one_row(server: ServerUnderTest, sql: str) -> dict[str, object]:
    with server.connect() as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        assert cursor.nextset() is False
    assert len(rows) == 1
    return dict(zip(names, rows[0], strict=True))


def test_a_backup_says_its_percentages_its_files_and_3014(server: ServerUnderTest) -> None:
    with server.connect() as connection:
        messages = drained(connection.execute(server.backup(new_name())))
    assert numbers(messages)[-1] == 3014
    assert numbers(messages).count(4035) == 2
    percents = [int(text.split()[0]) for number, text in messages if number == 3211]
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_without_stats_a_backup_says_no_percentage(server: ServerUnderTest) -> None:
    with server.connect() as connection:
        messages = drained(connection.execute(server.backup(new_name(), "FORMAT, COPY_ONLY")))
    assert numbers(messages) == [4035, 4035, 3014]


def test_the_file_is_there_once_all_results_are_drained(server: ServerUnderTest) -> None:
    if server.directory is None:
        pytest.skip("the backup directory cannot be seen from here")
    name = new_name()
    with server.connect() as connection:
        drained(connection.execute(server.backup(name)))
    assert (server.directory / name).stat().st_size > 0
    assert (server.directory / name).stat().st_mode & 0o777 == 0o640


def test_the_header_says_what_the_backup_was_told(server: ServerUnderTest) -> None:
    name = new_name()
    sql = statements.backup_database(
        server.database,
        server.device(name),
        name="it's a name",
        description="[described]",
        compression=None,
    )
    before = server_local(now())
    with server.connect() as connection:
        drained(connection.execute(sql))
    header = one_row(server, statements.header_only(server.device(name)))
    assert header["BackupName"] == "it's a name"
    assert header["BackupDescription"] == "[described]"
    assert header["DatabaseName"] == server.database
    assert (header["BackupType"], header["Position"]) == (1, 1)
    assert header["HasBackupChecksums"]
    assert header["IsCopyOnly"]
    assert not header["IsDamaged"]
    started_at = header["BackupStartDate"]
    assert isinstance(started_at, datetime)
    assert abs(started_at - before) < timedelta(days=1)


def test_the_file_list_names_data_and_log(server: ServerUnderTest) -> None:
    name = new_name()
    with server.connect() as connection:
        drained(connection.execute(server.backup(name)))
        cursor = connection.execute(statements.file_list_only(server.device(name)))
        rows = [(row.Type, row.LogicalName, row.Size) for row in cursor.fetchall()]
    assert [kind for kind, _, _ in rows] == ["D", "L"]
    assert all(size > 0 for _, _, size in rows)


def test_verifyonly_says_3262_at_the_end(server: ServerUnderTest) -> None:
    name = new_name()
    with server.connect() as connection:
        drained(connection.execute(server.backup(name)))
        messages = drained(connection.execute(statements.verify_only(server.device(name))))
    assert numbers(messages)[-1] == 3262
    assert set(numbers(messages[:-1])) <= {3211, 3181, 3257}


def test_lsns_move_on_from_backup_to_backup(server: ServerUnderTest) -> None:
    found = []
    for name in (new_name(), new_name()):
        with server.connect() as connection:
            drained(connection.execute(server.backup(name)))
        header = one_row(server, statements.header_only(server.device(name)))
        assert int(str(header["LastLSN"])) > int(str(header["FirstLSN"]))
        found.append(header)
    assert int(str(found[1]["FirstLSN"])) >= int(str(found[0]["FirstLSN"]))
    assert found[0]["FamilyGUID"] == found[1]["FamilyGUID"]
    assert found[0]["BackupSetGUID"] != found[1]["BackupSetGUID"]


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("BACKUP DATABASE [no such] TO DISK = N'{device}' WITH FORMAT", 911),
        ("BACKUP DATABASE [{database}] TO DISK = N'/nodir/x.bak' WITH FORMAT", 3201),
        ("BACKUP DATABASE [{database}] TO DISK = N'{device}' WITH BOGUS", 155),
        ("RESTORE HEADERONLY FROM DISK = N'{device}'", 3201),
        ("RESTORE FILELISTONLY FROM DISK = N'{device}'", 3201),
        ("RESTORE VERIFYONLY FROM DISK = N'{device}'", 3201),
    ],
)
def test_a_refusal_carries_its_native_number(
    server: ServerUnderTest, sql: str, number: int
) -> None:
    device = server.device(new_name())
    with server.connect() as connection:
        with pytest.raises(pyodbc.Error) as refused:
            drained(connection.execute(sql.format(device=device, database=server.database)))
        assert number_of(refused.value) == number
        assert connection.execute("SELECT @@SPID").fetchone() is not None


def test_an_empty_file_is_3254_and_text_is_3241(server: ServerUnderTest) -> None:
    if server.directory is None:
        pytest.skip("the backup directory cannot be seen from here")
    for content, number in ((b"", 3254), (b"this is no backup, " * 500, 3241)):
        name = new_name()
        (server.directory / name).write_bytes(content)
        with server.connect() as connection, pytest.raises(pyodbc.Error) as refused:
            connection.execute(statements.header_only(server.device(name)))
        assert number_of(refused.value) == number


def test_a_backup_without_checksums_cannot_be_verified_with_them(server: ServerUnderTest) -> None:
    name = new_name()
    with server.connect() as connection:
        drained(connection.execute(server.backup(name, "FORMAT, COPY_ONLY")))
        with pytest.raises(pyodbc.Error) as refused:
            drained(connection.execute(statements.verify_only(server.device(name))))
        assert number_of(refused.value) == 3187
        plainly = statements.verify_only(server.device(name), checksum=False)
        assert numbers(drained(connection.execute(plainly)))[-1] == 3262


def test_a_backup_needs_autocommit(server: ServerUnderTest) -> None:
    connection = server.connect(autocommit=False)
    try:
        with pytest.raises(pyodbc.Error) as refused:
            connection.execute(server.backup(new_name()))
        assert number_of(refused.value) == 3021
        connection.rollback()
        connection.autocommit = True
        assert numbers(drained(connection.execute(server.backup(new_name()))))[-1] == 3014
    finally:
        connection.close()


def test_the_servers_facts_have_the_documented_types(server: ServerUnderTest) -> None:
    facts = one_row(server, statements.server_facts())
    assert isinstance(facts["product_version"], str)
    assert isinstance(facts["edition"], str)
    assert facts["engine_edition"] in {2, 3, 4}
    assert isinstance(facts["edition_id"], int)
    assert isinstance(facts["session_id"], int)
    assert facts["sees_all"] in {0, 1}


def test_a_database_is_online_and_has_a_size(server: ServerUnderTest) -> None:
    facts = one_row(server, statements.database_facts(server.database))
    assert facts["name"] == server.database
    assert facts["state"] == "ONLINE"
    assert isinstance(facts["size_bytes"], int)
    assert facts["size_bytes"] > 0


def test_a_database_tells_what_its_log_waits_for_and_how_pages_are_checked(
    server: ServerUnderTest,
) -> None:
    found = one_row(server, statements.database_options(server.database))
    assert found["recovery_model"] in {"FULL", "BULK_LOGGED", "SIMPLE"}
    assert isinstance(found["log_waits_for"], str)
    assert found["page_verify"] in {"NONE", "TORN_PAGE_DETECTION", "CHECKSUM"}
    assert found["is_encrypted"] in {True, False}


def test_rights_are_one_or_zero(server: ServerUnderTest) -> None:
    found = one_row(server, statements.rights(server.database))
    assert found == {"may_back_up": 1, "may_read_backups": 1}


def test_an_unknown_database_has_no_row(server: ServerUnderTest) -> None:
    with server.connect() as connection:
        assert connection.execute(statements.database_facts("no such")).fetchall() == []


def test_no_backup_runs_where_nobody_started_one(server: ServerUnderTest) -> None:
    with server.connect() as connection:
        assert connection.execute(statements.running_backups(PROGRAM)).fetchall() == []


def test_a_session_sees_its_own_activity(server: ServerUnderTest) -> None:
    with server.connect() as connection:
        (own,) = connection.execute("SELECT CAST(@@SPID AS int) AS own").fetchone() or (0,)
        cursor = connection.execute(statements.session_activity(own))
        assert [column[0] for column in cursor.description] == [
            "percent_complete",
            "cpu_time",
            "reads",
        ]
        assert len(cursor.fetchall()) == 1
