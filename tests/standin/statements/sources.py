"""What may stand behind FROM and JOIN: catalog views, those of one database, and functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.standin.columns import WireType
from tests.standin.messages import unknown_statement
from tests.standin.session import Session
from tests.standin.statements.expressions import Rows, Scope, expression
from tests.standin.statements.file_rows import FILE_VIEWS, FUNCTIONS
from tests.standin.statements.principal_rows import DATABASE_VIEWS, LOGIN_VIEWS
from tests.standin.statements.view_rows import SERVER_VIEWS, Row, View
from tests.standin.tsql import Token, split, written

_OF_SERVER: Mapping[str, View] = {**SERVER_VIEWS, **FILE_VIEWS, **LOGIN_VIEWS}


@dataclass(frozen=True, slots=True)
class Source:
    """A source by the name under which its columns are known."""

    name: str
    columns: Mapping[str, WireType]
    rows: Callable[[Session, Rows], list[Row]]


def read_source(part: tuple[Token, ...], scope: Scope) -> Source:
    """`[database.]sys.view [AS alias]` or `sys.function(a, b) AS alias`."""
    opened = next((at for at, one in enumerate(part) if one.is_sign("(")), None)
    if opened is not None:
        # Arguments may have parentheses of their own: DB_ID(N'...').
        closed = max((at for at, one in enumerate(part) if one.is_sign(")")), default=len(part))
        name, alias = _split_name(part[:opened]), _alias(part[closed + 1 :])
        return _function(name, alias, part[opened + 1 : closed], scope)
    end = _end_of_name(part)
    return _view(_split_name(part[:end]), _alias(part[end:]))


def _end_of_name(part: tuple[Token, ...]) -> int:
    """Names and dots in turn."""
    at = 1
    while at + 1 < len(part) and part[at].is_sign("."):
        at += 2
    return at


def _split_name(part: Sequence[Token]) -> tuple[str, str]:
    """The database, or nothing, and the view."""
    names = [one.value for one in part[::2]]
    if not 2 <= len(names) <= 3 or names[-2].casefold() != "sys":
        raise unknown_statement("FROM " + written(part))
    return ("" if len(names) == 2 else names[0]), names[-1].casefold()


def _alias(part: Sequence[Token]) -> str:
    names = part[1:] if part and part[0].is_word("AS") else part
    if len(names) > 1:
        raise unknown_statement(written(part))
    return names[0].value.casefold() if names else ""


def _function(
    name: tuple[str, str], alias: str, arguments: tuple[Token, ...], scope: Scope
) -> Source:
    view = FUNCTIONS.get(name[1])
    if view is None or name[0]:
        raise unknown_statement(f"the function sys.{name[1]}")
    values = [expression(one, scope) for one in split(arguments, ",")]

    def rows(session: Session, outer: Rows) -> list[Row]:
        return view.rows(session, [one.value(session, outer) for one in values])

    return Source(alias or name[1], view.columns, rows)


def _view(name: tuple[str, str], alias: str) -> Source:
    database, view_name = name
    of_database = DATABASE_VIEWS.get(view_name)
    if of_database is not None:
        columns, read = of_database

        def own_rows(session: Session, _rows: Rows) -> list[Row]:
            found = session.find_database(database or session.database)
            with session.working_in(found):
                return read(session, found)

        return Source(alias or view_name, columns, own_rows)
    view = _OF_SERVER.get(view_name)
    if view is None:
        raise unknown_statement(f"the view sys.{view_name}")
    return Source(alias or view_name, view.columns, lambda session, _: view.rows(session, ()))
