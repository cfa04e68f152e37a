"""The rows of catalog views, with the columns that somebody asks for.

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
from tests.standin.database import SINGLE_USER, Database, RecoveryModel
from tests.standin.messages import Refused, message
from tests.standin.options import Right
from tests.standin.session import Session
from tests.standin.sessions import Request
from tests.standin.store import SYSTEM_DATABASES

Row = Mapping[str, object]

_NAME, _DESC, _SID = NVarChar(128), NVarChar(60), VarBinary(85)
_TINY, _SMALL, _INT, _BIG, _BIT = Integer(1), Integer(2), Integer(4), Integer(8), Bit()

# recovery_model; its recovery_model_desc has an underscore where headers have a hyphen (docs).
_RECOVERY_MODELS = {
    RecoveryModel.FULL: 1,
    RecoveryModel.BULK_LOGGED: 2,
    RecoveryModel.SIMPLE: 3,
}
# state and its state_desc (docs).
STATES = {
    "ONLINE": 0,
    "RESTORING": 1,
    "RECOVERING": 2,
    "RECOVERY_PENDING": 3,
    "SUSPECT": 4,
    "EMERGENCY": 5,
    "OFFLINE": 6,
}


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
    single = database.user_access == SINGLE_USER
    return {
        **_options(state),
        "name": database.name,
        "database_id": database.database_id,
        "owner_sid": bytes.fromhex(database.owner_sid),
        "create_date": clock.server_local(database.created_at),
        "user_access": int(single),
        "user_access_desc": database.user_access,
        "recovery_model": _RECOVERY_MODELS[database.recovery_model],
        "recovery_model_desc": database.recovery_model.replace("-", "_"),
        "is_broker_enabled": database.is_broker_enabled,
        "is_trustworthy_on": database.is_trustworthy,
        "service_broker_guid": database.broker_guid,
    }


def _options(state: str) -> dict[str, object]:
    """What most databases have in common."""
    return {
        "state": STATES.get(state),
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


def _mirroring(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """A row for each database (docs); none is mirrored."""
    return [{"database_id": one["database_id"]} for one in _databases(session, ())]


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


def require_performance_state(session: Session) -> None:
    """300, then 297 (report), without VIEW SERVER PERFORMANCE STATE or what covers it (docs)."""
    if not session.login.may(Right.VIEW_STATE):
        raise Refused(message(300, "VIEW SERVER PERFORMANCE STATE"), message(297))


def _tran_locks(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """The locks on databases, of which every session in one has a shared one (report).

    The session that set SINGLE_USER has it wherever its context is (capture25). None on
    system databases, and X for the one session that can be in a RESTORING one (inferred).
    """
    require_performance_state(session)
    return [
        {
            "resource_type": "DATABASE",
            "resource_database_id": database.database_id,
            "request_mode": "X" if database.state == "RESTORING" else "S",
            "request_session_id": member.spid,
        }
        for database in session.instance.store.all()
        for member in session.instance.sessions.users_of(database.database_id)
    ]


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
    "service_broker_guid": UniqueIdentifier(),
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
_LOCK_COLUMNS: Mapping[str, WireType] = {
    "resource_type": _DESC,
    "resource_database_id": _INT,
    "request_mode": _DESC,
    "request_session_id": _INT,
}

SERVER_VIEWS: Mapping[str, View] = {
    "databases": View(_DATABASE_COLUMNS, _databases),
    "database_mirroring": View(
        {"database_id": _INT, "mirroring_guid": UniqueIdentifier()}, _mirroring
    ),
    "dm_exec_sessions": View(_SESSION_COLUMNS, _exec_sessions),
    "dm_exec_requests": View(_REQUEST_COLUMNS, _exec_requests),
    "dm_tran_locks": View(_LOCK_COLUMNS, _tran_locks),
}
