"""SELECT of scalar expressions without FROM: a list of items, each of a known shape."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.standin.access import may_alter, may_back_up, owns
from tests.standin.columns import COMPUTED, NULLABLE, Integer, NVarChar, RowSet, WireType, declare
from tests.standin.instance import PRODUCT_VERSION, SERVER_NAME
from tests.standin.messages import unknown_statement
from tests.standin.options import Right
from tests.standin.paths import DATA_DIRECTORY
from tests.standin.session import Session
from tests.standin.statements.catalog import Query
from tests.standin.tsql import Found, Pattern, Token, split, tokens, written

Value = Callable[[Session, Found], object]


@dataclass(frozen=True, slots=True)
class _Scalar:
    pattern: Pattern
    type: WireType
    value: Value


def _property(session: Session, found: Found) -> object:
    """SERVERPROPERTY (docs); NULL for a name that the server does not know (docs)."""
    edition = session.instance.edition
    known_properties: dict[str, object] = {
        "productversion": PRODUCT_VERSION,  # capture
        "edition": edition.name,
        "engineedition": edition.engine_edition,
        "editionid": edition.edition_id,
        "servername": SERVER_NAME,
        "machinename": SERVER_NAME,
        # With the slash at their end (inferred from the documented settings).
        "instancedefaultdatapath": f"{DATA_DIRECTORY}/",
        "instancedefaultlogpath": f"{DATA_DIRECTORY}/",
        "instancedefaultbackuppath": f"{DATA_DIRECTORY}/",
    }
    return known_properties.get(found.value("name").casefold())


# Permissions on the server, by name (docs); db_backupoperator's is on the database.
_SERVER_PERMISSIONS = {
    "VIEW SERVER STATE": Right.VIEW_STATE,
    "VIEW SERVER PERFORMANCE STATE": Right.VIEW_STATE,
    "CREATE ANY DATABASE": Right.CREATE_DATABASE,
    "ALTER ANY DATABASE": Right.ALTER_ANY_DATABASE,
    "ALTER ANY CONNECTION": Right.ALTER_ANY_CONNECTION,
}
# Permissions on a database, by name, and who has them (docs).
_DATABASE_PERMISSIONS = {
    "BACKUP DATABASE": may_back_up,
    "ALTER": may_alter,
    "CONTROL": owns,
    "TAKE OWNERSHIP": owns,
}


def _server_permission(session: Session, found: Found) -> object:
    """HAS_PERMS_BY_NAME: 1 or 0, NULL for a permission that the server does not know (docs)."""
    right = _SERVER_PERMISSIONS.get(found.value("permission").upper())
    return None if right is None else int(session.login.may(right))


def _database_permission(session: Session, found: Found) -> object:
    """NULL where the database or the permission is unknown (docs: the query fails)."""
    (name, *more) = tokens(found.value("database"))
    database = session.instance.store.find(name.value)
    has = _DATABASE_PERMISSIONS.get(found.value("permission").upper())
    if more or database is None or has is None:
        return None
    return int(has(session.instance, session.login, database))


def _is_server_role_member(session: Session, found: Found) -> object:
    """IS_SRVROLEMEMBER: NULL for a role that the server does not know (docs)."""
    role, login = found.value("role").casefold(), session.login
    if role == "sysadmin":
        return int(login.is_sysadmin)
    if role == "dbcreator":
        return int(login.may(Right.DB_CREATOR))
    return None


def _error_number(session: Session, _found: Found) -> object:
    return session.caught[-1].number if session.caught else None


def _error_message(session: Session, _found: Found) -> object:
    """Of several errors the last one (docs)."""
    return session.caught[-1].text if session.caught else None


def _sees_all(session: Session, _found: Found) -> object:
    return int(session.login.may(Right.VIEW_STATE))


def _database_id(session: Session, found: Found) -> object:
    return session.instance.id_of(found.value("name"))


def _database_name(session: Session, found: Found) -> object:
    return session.instance.name_of(found.number("id"))


def _scalar(shape: str, kind: WireType, value: Value) -> _Scalar:
    return _Scalar(Pattern.of(shape), kind, value)


_SCALARS = (
    _scalar("CAST(SERVERPROPERTY({name:text}) AS nvarchar(128))", NVarChar(128), _property),
    _scalar("CAST(SERVERPROPERTY({name:text}) AS nvarchar(260))", NVarChar(260), _property),
    _scalar("CAST(SERVERPROPERTY({name:text}) AS int)", Integer(4), _property),
    _scalar("CAST(SERVERPROPERTY({name:text}) AS bigint)", Integer(8), _property),
    _scalar("CAST(@@SPID AS int)", Integer(4), lambda session, _: session.member.spid),
    _scalar("@@SPID", Integer(2), lambda session, _: session.member.spid),
    _scalar("@@TRANCOUNT", Integer(4), lambda session, _: session.transactions),
    _scalar("DB_NAME()", NVarChar(128), lambda session, _: session.database),
    _scalar("DB_NAME({id:number})", NVarChar(128), _database_name),
    _scalar("DB_ID({name:text})", Integer(2), _database_id),
    _scalar("HAS_PERMS_BY_NAME(NULL, NULL, {permission:text})", Integer(4), _server_permission),
    _scalar(
        "HAS_PERMS_BY_NAME({database:text}, 'DATABASE', {permission:text})",
        Integer(4),
        _database_permission,
    ),
    _scalar("IS_SRVROLEMEMBER({role:text})", Integer(4), _is_server_role_member),
    _scalar("SUSER_SNAME()", NVarChar(128), lambda session, _: session.login.name),
    _scalar("ORIGINAL_LOGIN()", NVarChar(128), lambda session, _: session.login.name),
    _scalar("ERROR_NUMBER()", Integer(4), _error_number),
    _scalar("ERROR_MESSAGE()", NVarChar(4000), _error_message),
    _scalar("{number:number}", Integer(4), lambda _, found: found.number("number")),
    _scalar(
        "CASE WHEN 1 IN (HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE')) THEN 1 ELSE 0 END",
        Integer(4),
        _sees_all,
    ),
)


@dataclass(frozen=True, slots=True)
class FoundScalar:
    """A scalar expression, ready to be worked out."""

    type: WireType
    value: Callable[[Session], object]


def scalar(part: Sequence[Token]) -> FoundScalar | None:
    """The expression that these tokens are, or None."""
    for one in _SCALARS:
        found = one.pattern.match(part)
        if found is not None:
            return FoundScalar(one.type, partial(_value, one, found))
    return None


def _value(one: _Scalar, found: Found, session: Session) -> object:
    return one.value(session, found)


def _item(part: Sequence[Token]) -> tuple[str, FoundScalar]:
    """One item of the list, with or without `AS name`."""
    expression, name = part, ""
    if len(part) > 2 and part[-2].is_word("AS"):
        expression, name = part[:-2], part[-1].value
    found = scalar(expression)
    if found is None:
        raise unknown_statement("SELECT " + written(part))
    return name, found


def select_scalars(items: Sequence[Token]) -> Query:
    """A SELECT without FROM: one row."""
    found = [_item(part) for part in split(items, ",")]

    def answer(session: Session) -> RowSet:
        columns = [declare(name, one.type, NULLABLE | COMPUTED) for name, one in found]
        return RowSet(columns, [[one.value(session) for _, one in found]])

    return Query(answer)
