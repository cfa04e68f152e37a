"""What RESTORE HEADERONLY and FILELISTONLY report, read by column name.

By name, because builds add columns: 56 in SQL Server 2019, 59 in 2022.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from selfmx_backupd.errors import BackupUnusable
from selfmx_backupd.model import BackupSet, DatabaseFile

_FULL = 1
# What a server knows only when a backup ends. Of one that was cut short it has none of it.
_AT_THE_END = ("LastLSN", "BackupSize")
_VERSION = ("Major", "Minor", "Build")


@dataclass(frozen=True, slots=True)
class Header:
    """One backup set as its header describes it.

    `server_version` is the version of the server that wrote it, `server_name` its name;
    `finished_on` is its local time, whose zone nobody tells reliably.

    Attributes:
        clock_at: What its clock showed when the backup began, read as if it were UTC.
        took: How long it took, by the same clock.
        description: Empty where none was given.
    """

    database: str
    server_name: str
    server_version: str
    finished_on: str
    clock_at: datetime
    took: timedelta
    description: str
    is_full: bool
    has_checksums: bool
    is_damaged: bool
    backup_set: BackupSet


def read_header(row: Mapping[str, Any]) -> Header:
    """Read one row of RESTORE HEADERONLY.

    The wire's types differ from the documented ones (BackupType and Compressed come as
    tinyint, BackupSize as bigint), so each value is converted.
    """
    return Header(
        database=str(row["DatabaseName"]),
        server_name=str(row["ServerName"]),
        server_version=".".join(str(row[f"SoftwareVersion{part}"]) for part in _VERSION),
        finished_on=str(row["BackupFinishDate"]),
        clock_at=row["BackupStartDate"].replace(tzinfo=UTC),
        took=row["BackupFinishDate"] - row["BackupStartDate"],
        description=row["BackupDescription"] or "",
        is_full=int(row["BackupType"]) == _FULL,
        has_checksums=bool(row["HasBackupChecksums"]),
        is_damaged=bool(row["IsDamaged"]),
        backup_set=BackupSet(
            guid=_guid(row["BackupSetGUID"]),
            family_guid=_guid(row["FamilyGUID"]),
            first_lsn=_lsn(row["FirstLSN"]),
            last_lsn=_lsn(row["LastLSN"]),
            checkpoint_lsn=_lsn(row["CheckpointLSN"]),
            database_backup_lsn=_lsn(row["DatabaseBackupLSN"]),
            recovery_model=str(row["RecoveryModel"]),
            compressed=bool(row["Compressed"]),
            copy_only=bool(row["IsCopyOnly"]),
            size_bytes=int(row["BackupSize"]),
        ),
    )


def the_only_set(rows: Sequence[Mapping[str, Any]], file: str, database: str) -> Header:
    """The header of a file that must hold one full, undamaged backup of our database.

    Raises:
        BackupUnusable: It holds something else; the message says what.
    """
    if len(rows) != 1:
        raise BackupUnusable(f"{file} holds {len(rows)} backup sets, one was expected")
    if any(rows[0][name] is None for name in _AT_THE_END):
        raise BackupUnusable(f"{file} is incomplete: its end, and what stands there, is missing")
    header = read_header(rows[0])
    if header.database.casefold() != database.casefold():
        raise BackupUnusable(f"{file} holds a backup of {header.database}, not of {database}")
    if not header.is_full:
        raise BackupUnusable(f"{file} holds no full backup")
    if header.is_damaged:
        raise BackupUnusable(f"the header of {file} says that it is damaged")
    return header


def read_files(rows: Sequence[Mapping[str, Any]]) -> tuple[DatabaseFile, ...]:
    """Read the rows of RESTORE FILELISTONLY: the files that a restore would write."""
    return tuple(
        DatabaseFile(
            logical_name=str(row["LogicalName"]),
            type=str(row["Type"]),
            physical_name=str(row["PhysicalName"]),
            size_bytes=int(row["Size"]),
        )
        for row in rows
    )


def _guid(value: object) -> str:
    return str(value).lower()


def _lsn(value: Any) -> str:  # noqa: ANN401  # Decimal from one driver, perhaps text from another
    return str(int(value))
