"""The rows of views about logins and users, and of those that live in one database."""

from collections.abc import Mapping, Sequence

from tests.standin.columns import Bit, Integer, NChar, NVarChar, VarBinary, WireType
from tests.standin.database import Database
from tests.standin.session import Session
from tests.standin.statements.file_rows import FILE_COLUMNS, file_row
from tests.standin.statements.view_rows import Row, View

_NAME, _DESC, _SID, _INT = NVarChar(128), NVarChar(60), VarBinary(85), Integer(4)
_PRINCIPAL: Mapping[str, WireType] = {
    "name": _NAME,
    "principal_id": _INT,
    "type": NChar(1),
    "type_desc": _DESC,
    "sid": _SID,
}

# Users that every database has and no login owns (docs), with their sids.
_BUILT_IN = {"guest": b"\x00", "INFORMATION_SCHEMA": None, "sys": None}
# principal_id of fixed roles (docs).
_ROLES = {"db_owner": 16384, "db_backupoperator": 16389}
_FIRST_USER_ID = 5


def _login_rows(session: Session, _arguments: Sequence[object]) -> list[Row]:
    """Without further rights a login sees itself and sa (docs)."""
    instance, login = session.instance, session.login
    return [
        {
            "name": one.name,
            "principal_id": 1 if one.name == "sa" else 256 + at,
            "type": "S",
            "type_desc": "SQL_LOGIN",
            "sid": bytes.fromhex(instance.store.sid_of(one.name)),
            "is_disabled": False,
        }
        for at, one in enumerate(instance.options.logins)
        if login.is_sysadmin or one.name in {login.name, "sa"}
    ]


def _user_ids(database: Database) -> dict[str, int]:
    names = [one.name for one in database.users if one.name != "dbo"]
    ids = {name: at for at, name in enumerate(names, _FIRST_USER_ID)}
    return {"dbo": 1, **ids}


def user_rows(session: Session, database: Database) -> list[Row]:
    """sys.database_principals: users, those of the system, fixed roles."""
    del session
    ids = _user_ids(database)
    users = [(one.name, ids[one.name], bytes.fromhex(one.sid), 1) for one in database.users]
    built_in = [(name, at, sid, 0) for at, (name, sid) in enumerate(_BUILT_IN.items(), 2)]
    return [
        *(
            {
                "name": name,
                "principal_id": at,
                "type": "S",
                "type_desc": "SQL_USER",
                "sid": sid,
                "authentication_type": kind,
                "is_fixed_role": False,
            }
            for name, at, sid, kind in [*users, *built_in]
        ),
        *(
            {
                "name": name,
                "principal_id": at,
                "type": "R",
                "type_desc": "DATABASE_ROLE",
                "authentication_type": 0,
                "is_fixed_role": True,
            }
            for name, at in _ROLES.items()
        ),
    ]


def member_rows(session: Session, database: Database) -> list[Row]:
    """sys.database_role_members."""
    del session
    ids = _user_ids(database)
    return [
        {"role_principal_id": _ROLES[role], "member_principal_id": ids[one.name]}
        for one in database.users
        for role in one.roles
    ]


def own_file_rows(session: Session, database: Database) -> list[Row]:
    """sys.database_files."""
    state = session.instance.state_of(database)
    return [file_row(database.database_id, state, one) for one in database.files]


LOGIN_VIEWS: Mapping[str, View] = {
    "server_principals": View({**_PRINCIPAL, "is_disabled": Bit()}, _login_rows),
}
DATABASE_VIEWS = {
    "database_files": (FILE_COLUMNS, own_file_rows),
    "database_principals": (
        {**_PRINCIPAL, "authentication_type": _INT, "is_fixed_role": Bit()},
        user_rows,
    ),
    "database_role_members": (
        {"role_principal_id": _INT, "member_principal_id": _INT},
        member_rows,
    ),
}
