"""One database: what it is called, what it holds, and how it is written down."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tests.standin.paths import DATA_DIRECTORY

# Log sequence numbers as the catalog shows them: virtual log file, ten digits of block,
# five digits of slot (report).
_FIRST_LSN = 39 * 10**15 + 100 * 10**5 + 1
_LSN_BLOCK = 10**5

MIB = 2**20
EMPTY_FILE_BYTES = 8 * MIB


class RecoveryModel(StrEnum):
    """How backup headers spell the recovery model (docs)."""

    FULL = "FULL"
    SIMPLE = "SIMPLE"


@dataclass(slots=True)
class Table:
    """Columns and rows; values are what JSON can hold."""

    columns: tuple[str, ...]
    rows: list[list[object]]


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A data file (`D`) or log file (`L`)."""

    file_id: int
    logical_name: str
    physical_name: str
    type: str
    guid: str
    size_bytes: int


@dataclass(slots=True)
class Database:
    """One database. Whoever changes it saves it through the store.

    Attributes:
        family_guid: Constant over restores and renames; `database_guid` and `fork_guid`
            are new after each restore (docs).
        filler_mib: Data besides the tables, made up when it is read.
        last_full_lsn: Checkpoint of the last full backup that was not COPY_ONLY, or 0.
    """

    name: str
    database_id: int
    created_at: datetime
    files: tuple[DatabaseFile, ...]
    tables: dict[str, Table]
    recovery_model: RecoveryModel = RecoveryModel.FULL
    state: str = "ONLINE"
    filler_mib: int = 0
    family_guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    database_guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    fork_guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    next_lsn: int = _FIRST_LSN
    last_full_lsn: int = 0

    def table(self, name: str) -> Table | None:
        """A table by its name, in any case."""
        wanted = name.casefold()
        return next((t for key, t in self.tables.items() if key.casefold() == wanted), None)

    def advance_log(self, blocks: int) -> int:
        """The present log sequence number; the log moves on by so many blocks."""
        lsn = self.next_lsn
        self.next_lsn += blocks * _LSN_BLOCK
        return lsn

    def rows_as_bytes(self) -> bytes:
        """The tables as they are stored and backed up."""
        content = {name: asdict(table) for name, table in self.tables.items()}
        return json.dumps(content, separators=(",", ":")).encode()


def new_files(name: str, filler_mib: int) -> tuple[DatabaseFile, ...]:
    """The two files of a new database, named as CREATE DATABASE names them (capture)."""
    data_bytes = EMPTY_FILE_BYTES + filler_mib * MIB
    return (
        DatabaseFile(1, name, f"{DATA_DIRECTORY}/{name}.mdf", "D", str(uuid.uuid4()), data_bytes),
        DatabaseFile(
            2,
            f"{name}_log",
            f"{DATA_DIRECTORY}/{name}_log.ldf",
            "L",
            str(uuid.uuid4()),
            EMPTY_FILE_BYTES,
        ),
    )


def tables_from(content: Mapping[str, Any]) -> dict[str, Table]:
    """The tables out of what `rows_as_bytes` wrote."""
    return {
        name: Table(tuple(table["columns"]), list(table["rows"])) for name, table in content.items()
    }


def to_json(database: Database) -> dict[str, Any]:
    """A database as JSON can hold it."""
    content = asdict(database)
    content["created_at"] = database.created_at.isoformat()
    return content


def from_json(content: Mapping[str, Any]) -> Database:
    """The database that `to_json` wrote."""
    values = dict(content)
    values["created_at"] = datetime.fromisoformat(values["created_at"])
    values["files"] = tuple(DatabaseFile(**one) for one in values["files"])
    values["tables"] = tables_from(values["tables"])
    values["recovery_model"] = RecoveryModel(values["recovery_model"])
    return Database(**values)
