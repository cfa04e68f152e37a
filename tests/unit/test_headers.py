from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from selfmx_backupd.adapters.mssql.headers import read_files, read_header, the_only_set
from selfmx_backupd.errors import BackupUnusable
from selfmx_backupd.model import BackupSet, DatabaseFile
from tests.build import utc


def row(**changed: object) -> dict[str, Any]:
    """A row of RESTORE HEADERONLY as a driver hands it over, and a column that is new to us."""
    return {
        "BackupName": None,
        "BackupDescription": None,
        "BackupStartDate": datetime(2026, 11, 24, 3, 0, 2),  # noqa: DTZ001  # nobody tells
        "BackupType": 1,
        "Compressed": 0,
        "DatabaseName": "SelfMX",
        "ServerName": "sql1",
        "SoftwareVersionMajor": 16,
        "SoftwareVersionMinor": 0,
        "SoftwareVersionBuild": 4135,
        "BackupFinishDate": datetime(2026, 11, 24, 3, 0, 7),  # noqa: DTZ001  # nobody tells
        "BackupSize": 2998272,
        "FirstLSN": Decimal(39000000172000001),
        "LastLSN": Decimal(39000000174400001),
        "CheckpointLSN": Decimal(9999999999999999999999999),
        "DatabaseBackupLSN": Decimal(0),
        "FamilyGUID": "ABCDEF00-0000-0000-0000-00000000000A",
        "HasBackupChecksums": True,
        "IsDamaged": False,
        "IsCopyOnly": True,
        "RecoveryModel": "BULK-LOGGED",
        "BackupSetGUID": UUID("ABCDEF00-0000-0000-0000-00000000000B"),
        "ColumnOfAFutureBuild": object(),
        **changed,
    }


def test_a_header_is_read_by_column_name() -> None:
    header = read_header(row())
    assert (header.database, header.is_full, header.has_checksums) == ("SelfMX", True, True)
    assert not header.is_damaged
    assert header.backup_set == BackupSet(
        guid="abcdef00-0000-0000-0000-00000000000b",
        family_guid="abcdef00-0000-0000-0000-00000000000a",
        first_lsn="39000000172000001",
        last_lsn="39000000174400001",
        checkpoint_lsn="9999999999999999999999999",
        database_backup_lsn="0",
        recovery_model="BULK-LOGGED",
        compressed=False,
        copy_only=True,
        size_bytes=2998272,
    )


def test_a_header_says_which_server_wrote_it_and_when_by_its_clock() -> None:
    header = read_header(row())
    assert (header.server_name, header.server_version) == ("sql1", "16.0.4135")
    assert header.finished_on == "2026-11-24 03:00:07"
    assert (header.clock_at, header.took) == (utc("2026-11-24 03:00:02"), timedelta(seconds=5))


@pytest.mark.parametrize(("written", "read"), [(None, ""), ("", ""), ("nightly", "nightly")])
def test_a_header_says_what_its_description_was(written: str | None, read: str) -> None:
    assert read_header(row(BackupDescription=written)).description == read


def test_the_order_of_columns_does_not_matter() -> None:
    turned = dict(reversed(row().items()))
    assert read_header(turned) == read_header(row())


@pytest.mark.parametrize("text", ["39000000172000001", "39000000172000001 ", 39000000172000001])
def test_an_lsn_is_its_digits_in_whatever_type_it_comes(text: object) -> None:
    assert read_header(row(FirstLSN=text)).backup_set.first_lsn == "39000000172000001"


def test_numbers_of_other_types_are_converted() -> None:
    header = read_header(row(Compressed=1, BackupSize=Decimal(5), BackupType=Decimal(1)))
    assert header.backup_set.compressed is True
    assert header.backup_set.size_bytes == 5
    assert header.is_full


def test_the_one_full_set_of_our_database_is_taken_whatever_its_case() -> None:
    assert the_only_set([row()], "x.bak", "SELFMX").database == "SelfMX"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "x.bak holds 0 backup sets, one was expected"),
        ([row(), row()], "x.bak holds 2 backup sets, one was expected"),
        ([row(DatabaseName="Other")], "x.bak holds a backup of Other, not of SelfMX"),
        ([row(BackupType=2)], "x.bak holds no full backup"),
        ([row(BackupType=5)], "x.bak holds no full backup"),
        ([row(IsDamaged=1)], "the header of x.bak says that it is damaged"),
    ],
)
def test_anything_else_is_unusable_and_says_what_it_is(
    rows: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(BackupUnusable) as caught:
        the_only_set(rows, "x.bak", "SelfMX")
    assert caught.value.message == message


def test_the_files_of_a_database_keep_their_order() -> None:
    rows = [
        {"LogicalName": "SelfMX", "PhysicalName": "/d.mdf", "Type": "D", "Size": Decimal(8192)},
        {"LogicalName": "SelfMX_log", "PhysicalName": "/l.ldf", "Type": "L", "Size": 1, "New": 2},
    ]
    assert read_files(rows) == (
        DatabaseFile("SelfMX", "D", "/d.mdf", 8192),
        DatabaseFile("SelfMX_log", "L", "/l.ldf", 1),
    )


@pytest.mark.parametrize("column", ["LastLSN", "BackupSize"])
def test_a_set_without_its_end_is_incomplete(column: str) -> None:
    """Of a file that was cut short the server still shows a header, with nothing from the end."""
    with pytest.raises(BackupUnusable, match=r"^x\.bak is incomplete"):
        the_only_set([row(**{column: None})], "x.bak", "SelfMX")
