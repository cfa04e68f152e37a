"""SELECT of scalar expressions without FROM: a list of items, each of a known shape."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.standin.access import may_back_up
from tests.standin.columns import COMPUTED, NULLABLE, Integer, NVarChar, RowSet, WireType, declare
from tests.standin.instance import PRODUCT_VERSION, SERVER_NAME
from tests.standin.messages import unknown_statement
from tests.standin.options import Right
from tests.standin.session import Session
from tests.standin.statements.catalog import Query
from tests.standin.statements.pattern import known
from tests.standin.tsql import Found, Pattern, Token, split, tokens, written

Value = Callable[[Session, Found], object]


@dataclass(frozen=True, slots=True)
class _Scalar:
    pattern: Pattern
    type: WireType
    value: Value


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    scalar: _Scalar
    found: Found


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
    }
    return known_properties.get(found.value("name").casefold())


# Permissions on the server, by name (docs); db_backupoperator's is on the database.
_SERVER_PERMISSIONS = {
    "VIEW SERVER STATE": Right.VIEW_STATE,
    "VIEW SERVER PERFORMANCE STATE": Right.VIEW_STATE,
    "CREATE ANY DATABASE": Right.CREATE_DATABASE,
}


def _server_permission(session: Session, found: Found) -> object:
    """HAS_PERMS_BY_NAME: 1 or 0, NULL for a permission that the server does not know (docs)."""
    right = _SERVER_PERMISSIONS.get(found.value("permission").upper())
    return None if right is None else int(session.login.may(right))


def _may_back_up(session: Session, found: Found) -> object:
    """NULL where the database is unknown (docs: the query fails)."""
    (name, *more) = tokens(found.value("database"))
    database = session.instance.store.find(name.value)
    if more or database is None:
        return None
    return int(may_back_up(session.instance, session.login, database))


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
        "HAS_PERMS_BY_NAME({database:text}, 'DATABASE', 'BACKUP DATABASE')",
        Integer(4),
        _may_back_up,
    ),
    _scalar("{number:number}", Integer(4), lambda _, found: found.number("number")),
    _scalar(
        "CASE WHEN 1 IN (HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE')) THEN 1 ELSE 0 END",
        Integer(4),
        _sees_all,
    ),
)


def _item(part: Sequence[Token]) -> _Item:
    """One item of the list, with or without `AS name`."""
    expression, name = part, ""
    if len(part) > 2 and part[-2].is_word("AS"):
        expression, name = part[:-2], part[-1].value
    for scalar in _SCALARS:
        found = scalar.pattern.match(expression)
        if found is not None:
            return _Item(name, scalar, found)
    raise unknown_statement("SELECT " + written(part))


def _select(found: Found) -> Query:
    items = [_item(part) for part in split(found.tokens("items"), ",")]

    def answer(session: Session) -> RowSet:
        columns = [declare(one.name, one.scalar.type, NULLABLE | COMPUTED) for one in items]
        return RowSet(columns, [[one.scalar.value(session, one.found) for one in items]])

    return Query(answer)


STATEMENTS = (known("SELECT {items:rest}", _select, source="capture; docs: SERVERPROPERTY"),)
