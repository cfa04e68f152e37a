"""Media sets: appending, overwriting, positions, compression, and files that are none."""

from pathlib import Path

import pyodbc
import pytest

from selfmx_backupd.adapters.mssql import statements
from tests.conformance.decoder import Message
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import ServerUnderTest, Start, drained, through_driver
from tests.standin.process import StandIn

NAME = "media.bak"


@pytest.fixture
def server(start: Start) -> ServerUnderTest:
    return through_driver(start(), "freetds")


def back_up(server: ServerUnderTest, options: str) -> None:
    with server.connect() as connection:
        assert drained(connection.execute(server.backup(NAME, options)))[-1][0] == 3014


def headers(server: ServerUnderTest) -> list[pyodbc.Row]:
    with server.connect() as connection:
        return list(connection.execute(statements.header_only(server.device(NAME))).fetchall())


def file_of(server: ServerUnderTest) -> Path:
    assert server.directory is not None
    return server.directory / NAME


def refusals(server: ServerUnderTest, sql: str) -> list[int]:
    port = int(server.connection_string.partition("PORT=")[2].partition(";")[0])
    with RawClient(port) as client:
        tokens = client.ask(sql)
    return [one.number for one in tokens if isinstance(one, Message) and one.is_error]


@pytest.mark.parametrize(("options", "positions"), [("NOINIT", [1, 2]), ("COPY_ONLY", [1, 2])])
def test_a_backup_is_appended_unless_it_is_told_otherwise(
    server: ServerUnderTest, options: str, positions: list[int]
) -> None:
    back_up(server, "FORMAT")
    back_up(server, options)
    assert [row.Position for row in headers(server)] == positions


@pytest.mark.parametrize("options", ["INIT", "FORMAT"])
def test_init_and_format_overwrite(server: ServerUnderTest, options: str) -> None:
    back_up(server, "FORMAT, NAME = N'old'")
    back_up(server, f"{options}, NAME = N'new'")
    assert [row.BackupName for row in headers(server)] == ["new"]


def test_each_set_of_a_media_set_is_read_by_its_position(server: ServerUnderTest) -> None:
    back_up(server, "FORMAT, CHECKSUM")
    back_up(server, "NOINIT")
    device = server.device(NAME)
    with server.connect() as connection:
        second = f"RESTORE HEADERONLY FROM DISK = N'{device}' WITH FILE = 2"
        (row,) = connection.execute(second).fetchall()
        assert (row.Position, row.HasBackupChecksums) == (2, False)
        first = f"RESTORE VERIFYONLY FROM DISK = N'{device}' WITH FILE = 1, CHECKSUM"
        assert drained(connection.execute(first)) == [(3262, "The backup set on file 1 is valid.")]


@pytest.mark.parametrize("kind", ["HEADERONLY", "FILELISTONLY", "VERIFYONLY"])
def test_a_position_beyond_the_last_set_is_3287(server: ServerUnderTest, kind: str) -> None:
    back_up(server, "FORMAT")
    sql = f"RESTORE {kind} FROM DISK = N'{server.device(NAME)}' WITH FILE = 2"
    assert refusals(server, sql) == [3287, 3013]


def test_a_file_that_is_no_backup_is_overwritten_by_format_alone(server: ServerUnderTest) -> None:
    file_of(server).write_bytes(b"somebody's notes\n" * 100)
    assert refusals(server, server.backup(NAME, "INIT")) == [3241, 3013]
    assert refusals(server, server.backup(NAME, "NOINIT")) == [3241, 3013]
    assert file_of(server).read_bytes().startswith(b"somebody's notes")
    back_up(server, "FORMAT")


def test_nothing_is_appended_behind_a_backup_that_was_cut(server: ServerUnderTest) -> None:
    back_up(server, "FORMAT")
    content = file_of(server).read_bytes()
    file_of(server).write_bytes(content[: len(content) // 2])
    assert refusals(server, server.backup(NAME, "NOINIT")) == [3266, 3013]


def test_every_flipped_byte_of_a_checksummed_backup_is_found(server: ServerUnderTest) -> None:
    back_up(server, "FORMAT, CHECKSUM")
    content = bytearray(file_of(server).read_bytes())
    for at in range(0, len(content), len(content) // 40):
        content[at] ^= 0x10
        file_of(server).write_bytes(content)
        found = refusals(server, statements.verify_only(server.device(NAME)))
        assert found in ([3189, 3013], [3241, 3013], [3203, 3013], [3287, 3013]), at
        content[at] ^= 0x10


def test_compression_makes_the_file_smaller_and_the_header_says_so(
    server: ServerUnderTest,
) -> None:
    back_up(server, "FORMAT, COMPRESSION, CHECKSUM")
    (row,) = headers(server)
    assert row.Compressed == 1
    assert row.CompressionAlgorithm == "MS_XPRESS"
    assert row.CompressedBackupSize < row.BackupSize * 0.8
    assert abs(file_of(server).stat().st_size - row.CompressedBackupSize) < 8192
    verify = statements.verify_only(server.device(NAME))
    with server.connect() as connection:
        assert drained(connection.execute(verify))[-1][0] == 3262


def test_a_copy_only_backup_is_no_base_for_those_that_follow(server: ServerUnderTest) -> None:
    back_up(server, "FORMAT, COPY_ONLY")
    back_up(server, "NOINIT")
    back_up(server, "NOINIT")
    first, second, third = headers(server)
    assert (first.DatabaseBackupLSN, second.DatabaseBackupLSN) == (0, 0)
    assert third.DatabaseBackupLSN == second.CheckpointLSN


def test_a_log_backup_wants_a_full_backup_first(server: ServerUnderTest) -> None:
    log = f"BACKUP LOG SelfMX TO DISK = N'{server.device('log.bak')}'"
    assert refusals(server, log) == [4214, 3013]


def test_implicit_transactions_forbid_backups_too(start: Start) -> None:
    standin: StandIn = start()
    server = through_driver(standin, "freetds")
    assert refusals(server, "SET IMPLICIT_TRANSACTIONS ON; " + server.backup(NAME, "FORMAT")) == [
        3021,
        3013,
    ]
