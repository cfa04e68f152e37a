"""One database: what it is called, what it holds, and how it is written down."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tests.standin.paths import DATA_DIRECTORY

# Log sequence numbers as the catalog shows them: virtual log file, ten digits of block,
# five digits of slot (report).
_FIRST_LSN = 39 * 10**15 + 100 * 10**5 + 1
_LSN_BLOCK = 10**5

MULTI_USER, SINGLE_USER = "MULTI_USER", "SINGLE_USER"

MIB = 2**20
EMPTY_FILE_BYTES = 8 * MIB


class RecoveryModel(StrEnum):
    """How backup headers spell the recovery model (docs)."""

    FULL = "FULL"
    BULK_LOGGED = "BULK-LOGGED"
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
class DatabaseUser:
    """A user inside a database; `sid` (hex) ties it to a login of the server, or to none."""

    name: str
    sid: str
    roles: list[str]


@dataclass(slots=True)
class Database:
    """One database. Whoever changes it saves it through the store.

    Attributes:
        owner_sid: The login that sys.databases calls the owner, as hex.
        users: What travels with a backup, apart from the tables.
        is_whole: False from the beginning of a RESTORE until all of it was read.
        family_guid: Constant over restores and renames; `database_guid` and `fork_guid`
            are new after each restore (docs).
        broker_guid: Two databases of one server that have the same one cannot both be enabled
            (docs); a restored database has that of the one that was backed up (docs).
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
    user_access: str = MULTI_USER
    owner_sid: str = ""
    users: list[DatabaseUser] = field(default_factory=list)
    is_broker_enabled: bool = True
    broker_guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    is_trustworthy: bool = False
    is_whole: bool = True
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

    def user_with(self, sid: str) -> DatabaseUser | None:
        """The user that a login is mapped to."""
        return next((one for one in self.users if one.sid == sid), None)

    def rows_as_bytes(self) -> bytes:
        """Tables and users as they are stored and backed up."""
        content = {
            "tables": {name: asdict(table) for name, table in self.tables.items()},
            "users": [asdict(one) for one in self.users],
        }
        return json.dumps(content, separators=(",", ":")).encode()

    def take_rows(self, rows: bytes) -> None:
        """Hold what `rows_as_bytes` wrote, and nothing else."""
        content = json.loads(rows)
        self.tables = tables_from(content["tables"])
        self.users = users_from(content["users"])


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
    """The tables out of what was written down."""
    return {
        name: Table(tuple(table["columns"]), list(table["rows"])) for name, table in content.items()
    }


def users_from(content: Iterable[Mapping[str, Any]]) -> list[DatabaseUser]:
    """The users out of what was written down."""
    return [DatabaseUser(**one) for one in content]


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
    values["users"] = users_from(values["users"])
    values["recovery_model"] = RecoveryModel(values["recovery_model"])
    return Database(**values)
