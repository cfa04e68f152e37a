"""The files of all databases, and the space on the volume that holds them."""

from collections.abc import Iterator, Mapping, Sequence

from tests.standin.columns import Bit, Integer, NVarChar, WireType
from tests.standin.database import MIB, DatabaseFile
from tests.standin.options import Right
from tests.standin.pages import PAGE_BYTES
from tests.standin.paths import DATA_DIRECTORY
from tests.standin.session import Session
from tests.standin.statements.view_rows import STATES, Row, View, require_performance_state
from tests.standin.store import SYSTEM_DATABASES

_TINY, _INT, _BIG, _BIT = Integer(1), Integer(4), Integer(8), Bit()
_NAME, _DESC = NVarChar(128), NVarChar(60)
_FILE_STATES = frozenset({"RESTORING", "SUSPECT", "OFFLINE"})


def _system_files(data: tuple[str, str], log: tuple[str, str]) -> tuple[DatabaseFile, ...]:
    """Logical and physical name of each; the sizes are made up."""
    shapes = ((*data, "D", 4 * MIB), (*log, "L", 2 * MIB))
    return tuple(
        DatabaseFile(at, logical, f"{DATA_DIRECTORY}/{name}", kind, "", size_bytes)
        for at, (logical, name, kind, size_bytes) in enumerate(shapes, 1)
    )


# Their usual names (docs); a server with several cores gives tempdb more data files (docs).
_SYSTEM_FILES = {
    "master": _system_files(("master", "master.mdf"), ("mastlog", "mastlog.ldf")),
    "tempdb": _system_files(("tempdev", "tempdb.mdf"), ("templog", "templog.ldf")),
    "model": _system_files(("modeldev", "model.mdf"), ("modellog", "modellog.ldf")),
    "msdb": _system_files(("MSDBData", "MSDBData.mdf"), ("MSDBLog", "MSDBLog.ldf")),
}


def _all_files(session: Session) -> Iterator[tuple[int, str, DatabaseFile]]:
    """Each file with its database's id and state; system databases are ONLINE."""
    for name, database_id in SYSTEM_DATABASES.items():
        for file in _SYSTEM_FILES[name]:
            yield database_id, "ONLINE", file
    for database in session.instance.store.all():
        for file in database.files:
            yield database.database_id, session.instance.state_of(database), file


def file_row(database_id: int, state: str, file: DatabaseFile) -> Row:
    """A row of sys.master_files or sys.database_files; sizes are in pages (docs)."""
    is_log = file.type == "L"
    file_state = state if state in _FILE_STATES else "ONLINE"
    return {
        "database_id": database_id,
        "file_id": file.file_id,
        "type": int(is_log),
        "type_desc": "LOG" if is_log else "ROWS",
        "name": file.logical_name,
        "physical_name": file.physical_name,
        "state": STATES[file_state],
        "state_desc": file_state,
        "size": file.size_bytes // PAGE_BYTES,
        "is_read_only": False,
    }


def _master_files(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """Rows want CREATE DATABASE, ALTER ANY DATABASE or VIEW ANY DEFINITION (docs)."""
    may = session.login.may
    if not (may(Right.CREATE_DATABASE) or may(Right.ALTER_ANY_DATABASE)):
        return []
    return [file_row(*one) for one in _all_files(session)]


def _volume_stats(session: Session, arguments: Sequence[object]) -> list[Row]:
    """One volume holds all files; its names are NULL on Linux (docs).

    No row for a file of a database that is not ONLINE (inferred: it is not open).
    """
    require_performance_state(session)
    database_id, file_id = arguments
    return [
        {
            "database_id": database_id,
            "file_id": file_id,
            "total_bytes": session.instance.volume_bytes,
            "available_bytes": max(0, session.instance.volume_free_bytes),
        }
        for at, state, file in _all_files(session)
        if (at, file.file_id) == (database_id, file_id) and state == "ONLINE"
    ]


FILE_COLUMNS: Mapping[str, WireType] = {
    "file_id": _INT,
    "type": _TINY,
    "type_desc": _DESC,
    "name": _NAME,
    "physical_name": NVarChar(260),
    "state": _TINY,
    "state_desc": _DESC,
    "size": _INT,
    "is_read_only": _BIT,
}
_VOLUME_COLUMNS: Mapping[str, WireType] = {
    "database_id": _INT,
    "file_id": _INT,
    "volume_mount_point": NVarChar(512),
    "total_bytes": _BIG,
    "available_bytes": _BIG,
}

FILE_VIEWS: Mapping[str, View] = {
    "master_files": View({"database_id": _INT, **FILE_COLUMNS}, _master_files),
}
FUNCTIONS: Mapping[str, View] = {"dm_os_volume_stats": View(_VOLUME_COLUMNS, _volume_stats)}
