"""The rows of catalog views and functions, with the columns that somebody asks for.

Columns and meanings are those of the documentation; every column is declared nullable,
as it is behind a LEFT JOIN.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.standin import clock
from tests.standin.columns import (
    Bit,
    DateTime,
    Float,
    Integer,
    NVarChar,
    UniqueIdentifier,
    VarBinary,
    WireType,
)
from tests.standin.database import SINGLE_USER, Database, DatabaseFile, RecoveryModel
from tests.standin.messages import Refused, message
from tests.standin.options import Right
from tests.standin.pages import PAGE_BYTES
from tests.standin.session import Session
from tests.standin.sessions import Request
from tests.standin.store import SYSTEM_DATABASES

Row = Mapping[str, object]

_NAME, _DESC, _SID = NVarChar(128), NVarChar(60), VarBinary(85)
_TINY, _SMALL, _INT, _BIG, _BIT = Integer(1), Integer(2), Integer(4), Integer(8), Bit()

# state and its state_desc (docs).
_STATES = {
    "ONLINE": 0,
    "RESTORING": 1,
    "RECOVERING": 2,
    "RECOVERY_PENDING": 3,
    "SUSPECT": 4,
    "EMERGENCY": 5,
    "OFFLINE": 6,
}
_FILE_STATES = frozenset({"RESTORING", "SUSPECT", "OFFLINE"})


@dataclass(frozen=True, slots=True)
class View:
    """One view, or a function that is read like one.

    Attributes:
        rows: Its rows for a session; the numbers are a function's arguments.
    """

    columns: Mapping[str, WireType]
    rows: Callable[[Session, Sequence[object]], list[Row]]


def _databases(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """Everybody sees every row (docs: VIEW ANY DATABASE is public's)."""
    instance = session.instance
    system: list[Row] = [
        {"name": name, "database_id": at, "owner_sid": b"\x01", **_options("ONLINE")}
        for name, at in SYSTEM_DATABASES.items()
    ]
    return [*system, *(_database(one, instance.state_of(one)) for one in instance.store.all())]


def _database(database: Database, state: str) -> Row:
    simple = database.recovery_model is RecoveryModel.SIMPLE
    single = database.user_access == SINGLE_USER
    return {
        **_options(state),
        "name": database.name,
        "database_id": database.database_id,
        "owner_sid": bytes.fromhex(database.owner_sid),
        "create_date": clock.server_local(database.created_at),
        "user_access": int(single),
        "user_access_desc": database.user_access,
        "recovery_model": 3 if simple else 1,
        "recovery_model_desc": str(database.recovery_model),
        "is_broker_enabled": database.is_broker_enabled,
        "is_trustworthy_on": database.is_trustworthy,
    }


def _options(state: str) -> dict[str, object]:
    """What most databases have in common."""
    return {
        "state": _STATES.get(state),
        "state_desc": state,
        "compatibility_level": 160,
        "user_access": 0,
        "user_access_desc": "MULTI_USER",
        "recovery_model": 3,
        "recovery_model_desc": "SIMPLE",
        "is_read_only": False,
        "is_in_standby": False,
        "is_encrypted": False,
        "is_broker_enabled": False,
        "is_trustworthy_on": False,
        "is_auto_update_stats_async_on": False,
    }


def file_row(database: Database, state: str, file: DatabaseFile) -> Row:
    """A row of sys.master_files or sys.database_files; sizes are in pages (docs)."""
    is_log = file.type == "L"
    file_state = state if state in _FILE_STATES else "ONLINE"
    return {
        "database_id": database.database_id,
        "file_id": file.file_id,
        "type": int(is_log),
        "type_desc": "LOG" if is_log else "ROWS",
        "name": file.logical_name,
        "physical_name": file.physical_name,
        "state": _STATES[file_state],
        "state_desc": file_state,
        "size": file.size_bytes // PAGE_BYTES,
        "is_read_only": False,
    }


def _master_files(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """Rows want CREATE DATABASE, ALTER ANY DATABASE or VIEW ANY DEFINITION (docs)."""
    may = session.login.may
    if not (may(Right.CREATE_DATABASE) or may(Right.ALTER_ANY_DATABASE)):
        return []
    return [
        file_row(database, session.instance.state_of(database), file)
        for database in session.instance.store.all()
        for file in database.files
    ]


def _mirroring(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """No database is mirrored."""
    return [{"database_id": one.database_id} for one in session.instance.store.all()]


def _exec_sessions(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """Without VIEW SERVER STATE only the own session is visible (docs)."""
    sees_all = session.login.may(Right.VIEW_STATE)
    return [
        {
            "session_id": one.spid,
            "login_name": one.login_name,
            "original_login_name": one.login_name,
            "host_name": one.host_name,
            "program_name": one.program_name,
            "database_id": one.database_id,
            "is_user_process": True,
            "status": "running" if one.is_busy else "sleeping",
        }
        for one in session.instance.sessions.all()
        if sees_all or one is session.member
    ]


def _exec_requests(session: Session, _arguments: Sequence[object]) -> list[Row]:
    sees_all = session.login.may(Right.VIEW_STATE)
    return [
        {"session_id": one.spid, "database_id": one.database_id, **_request(request)}
        for one in session.instance.sessions.all()
        if (sees_all or one is session.member) and (request := one.request) is not None
    ]


def _request(request: Request) -> Row:
    return {
        "command": request.command,
        "status": "running",
        "percent_complete": request.percent_complete,
        "cpu_time": request.cpu_time_ms,
        "reads": request.reads,
    }


def _volume_stats(session: Session, arguments: Sequence[object]) -> list[Row]:
    """One volume holds all files; its names are NULL on Linux (docs)."""
    if not session.login.may(Right.VIEW_STATE):
        raise Refused(message(300, "VIEW SERVER PERFORMANCE STATE"))
    database_id, file_id = arguments
    return [
        {
            "database_id": database_id,
            "file_id": file_id,
            "total_bytes": session.instance.volume_bytes,
            "available_bytes": max(0, session.instance.volume_free_bytes),
        }
        for database in session.instance.store.all()
        for file in database.files
        if (database.database_id, file.file_id) == (database_id, file_id)
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
_DATABASE_COLUMNS: Mapping[str, WireType] = {
    "name": _NAME,
    "database_id": _INT,
    "source_database_id": _INT,
    "owner_sid": _SID,
    "create_date": DateTime(),
    "compatibility_level": _TINY,
    "user_access": _TINY,
    "user_access_desc": _DESC,
    "is_read_only": _BIT,
    "state": _TINY,
    "state_desc": _DESC,
    "is_in_standby": _BIT,
    "recovery_model": _TINY,
    "recovery_model_desc": _DESC,
    "is_auto_update_stats_async_on": _BIT,
    "is_trustworthy_on": _BIT,
    "is_broker_enabled": _BIT,
    "is_encrypted": _BIT,
    "replica_id": UniqueIdentifier(),
    "group_database_id": UniqueIdentifier(),
}
_SESSION_COLUMNS: Mapping[str, WireType] = {
    "session_id": _SMALL,
    "login_name": _NAME,
    "original_login_name": _NAME,
    "host_name": _NAME,
    "program_name": _NAME,
    "database_id": _SMALL,
    "is_user_process": _BIT,
    "status": NVarChar(30),
}
_REQUEST_COLUMNS: Mapping[str, WireType] = {
    "session_id": _SMALL,
    "database_id": _SMALL,
    "command": NVarChar(32),
    "status": NVarChar(30),
    "percent_complete": Float(4),
    "cpu_time": _INT,
    "reads": _BIG,
}
_VOLUME_COLUMNS: Mapping[str, WireType] = {
    "database_id": _INT,
    "file_id": _INT,
    "volume_mount_point": NVarChar(512),
    "total_bytes": _BIG,
    "available_bytes": _BIG,
}

SERVER_VIEWS: Mapping[str, View] = {
    "databases": View(_DATABASE_COLUMNS, _databases),
    "master_files": View({"database_id": _INT, **FILE_COLUMNS}, _master_files),
    "database_mirroring": View(
        {"database_id": _INT, "mirroring_guid": UniqueIdentifier()}, _mirroring
    ),
    "dm_exec_sessions": View(_SESSION_COLUMNS, _exec_sessions),
    "dm_exec_requests": View(_REQUEST_COLUMNS, _exec_requests),
}
FUNCTIONS: Mapping[str, View] = {"dm_os_volume_stats": View(_VOLUME_COLUMNS, _volume_stats)}
