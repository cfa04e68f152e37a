"""SELECT over catalog views: one source, perhaps joined by others, conditions and an order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.standin.columns import COMPUTED, NULLABLE, RowSet, WireType, declare
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import NotCompiled, unknown_statement
from tests.standin.session import Session
from tests.standin.statements.aggregates import Aggregate, aggregate
from tests.standin.statements.catalog import Query
from tests.standin.statements.expressions import (
    Condition,
    Expression,
    Rows,
    Scope,
    conditions,
    expression,
)
from tests.standin.statements.pattern import known
from tests.standin.statements.scalars import select_scalars
from tests.standin.statements.sources import Source, read_source
from tests.standin.tsql import Found, Kind, Token, split, written

_JOINS = (
    (("LEFT", "OUTER", "JOIN"), True),
    (("LEFT", "JOIN"), True),
    (("INNER", "JOIN"), False),
    (("JOIN",), False),
    (("CROSS", "APPLY"), False),
)
_CLAUSES = {"FROM", "WHERE", "ORDER", "ON", "LEFT", "INNER", "JOIN", "CROSS"}


@dataclass(frozen=True, slots=True)
class _Joined:
    source: Source
    on: Condition
    is_outer: bool


@dataclass(slots=True)
class _From:
    """What stands between FROM and WHERE."""

    joined: list[_Joined] = field(default_factory=list)
    scope: dict[str, dict[str, WireType]] = field(default_factory=dict)

    def rows(self, session: Session) -> Iterator[Rows]:
        """Every combination of rows that the joins let through."""
        found: list[Rows] = [{}]
        for one in self.joined:
            found = [more for rows in found for more in _with(session, rows, one)]
        yield from found


def _with(session: Session, rows: Rows, joined: _Joined) -> Iterator[Rows]:
    name = joined.source.name
    matching = [
        more
        for row in joined.source.rows(session, rows)
        if joined.on(session, more := {**rows, name: row})
    ]
    if not matching and joined.is_outer:
        matching = [{**rows, name: None}]
    yield from matching


def _clauses(found: Sequence[Token]) -> list[tuple[Token, ...]]:
    """Cut in front of every word that begins a clause."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += token.is_sign("(") - token.is_sign(")")
        begins = depth == 0 and token.kind is Kind.WORD and token.value.upper() in _CLAUSES
        if begins and not _continues(pieces[-1], token):
            pieces.append([])
        pieces[-1].append(token)
    return [tuple(one) for one in pieces if one]


def _continues(piece: list[Token], token: Token) -> bool:
    """LEFT JOIN and INNER JOIN are one clause."""
    return token.is_word("JOIN") and all(
        one.value.upper() in {"LEFT", "OUTER", "INNER"} for one in piece
    )


def _join(clause: tuple[Token, ...]) -> tuple[tuple[Token, ...], bool] | None:
    """The source behind a word that joins, and whether rows without a match stay."""
    for words, is_outer in _JOINS:
        head = clause[: len(words)]
        if len(head) == len(words) and all(
            token.is_word(word) for token, word in zip(head, words, strict=True)
        ):
            return clause[len(words) :], is_outer
    return None


def _add(found: _From, tokens: tuple[Token, ...], on: tuple[Token, ...], *, outer: bool) -> None:
    source = read_source(tokens, found.scope)
    if source.name in found.scope:
        raise unknown_statement(written(tokens))
    found.scope[source.name] = dict(source.columns)
    condition = conditions(on, found.scope) if on else _always
    found.joined.append(_Joined(source, condition, outer))


def _always(_session: Session, _rows: Rows) -> bool:
    return True


def _from_clauses(clauses: list[tuple[Token, ...]]) -> tuple[_From, list[tuple[Token, ...]]]:
    """The sources, and the clauses that come after them."""
    found = _From()
    _add(found, clauses[0][1:], (), outer=False)
    at = 1
    while at < len(clauses) and (join := _join(clauses[at])) is not None:
        tokens, is_outer = join
        has_on = at + 1 < len(clauses) and clauses[at + 1][0].is_word("ON")
        if has_on is clauses[at][0].is_word("CROSS"):
            raise unknown_statement(written(clauses[at]))
        _add(found, tokens, clauses[at + 1][1:] if has_on else (), outer=is_outer)
        at += 2 if has_on else 1
    return found, clauses[at:]


def _item(part: tuple[Token, ...], scope: Scope) -> tuple[str, Expression]:
    if len(part) > 2 and part[-2].is_word("AS"):
        return part[-1].value, expression(part[:-2], scope)
    found = expression(part, scope)
    return found.name, found


def _order(clause: tuple[Token, ...], scope: Scope) -> list[tuple[Expression, bool]]:
    """ORDER BY: expressions and whether each goes down."""
    if len(clause) < 3 or not clause[1].is_word("BY"):
        raise unknown_statement(written(clause))
    keys = []
    for part in split(clause[2:], ","):
        has_direction = len(part) > 1 and (part[-1].is_word("DESC") or part[-1].is_word("ASC"))
        key = expression(part[:-1] if has_direction else part, scope)
        keys.append((key, part[-1].is_word("DESC")))
    return keys


def _sort_key(value: object) -> tuple[bool, int, str]:
    """NULL comes first (docs)."""
    number = value if isinstance(value, int) else 0
    text = "" if isinstance(value, int) else str(value).casefold()
    return value is not None, number, text


def _summed(items: tuple[Token, ...], scope: Scope) -> list[tuple[str, Aggregate]]:
    """The list where all of its items are aggregates, otherwise nothing."""
    found = []
    for part in split(items, ","):
        has_name = len(part) > 2 and part[-2].is_word("AS")
        one = aggregate(part[:-2] if has_name else part, scope)
        if one is None:
            return []
        found.append((part[-1].value if has_name else "", one))
    return found


def _one_row(session: Session, items: list[tuple[str, Aggregate]], rows: Sequence[Rows]) -> RowSet:
    columns = [declare(name, one.type, NULLABLE | COMPUTED) for name, one in items]
    return RowSet(columns, [[one.value(session, rows) for _, one in items]])


def _query(clauses: list[tuple[Token, ...]]) -> Query:
    source, rest = _from_clauses(clauses[1:])
    where: Condition = _always
    order: list[tuple[Expression, bool]] = []
    if rest and rest[0][0].is_word("WHERE"):
        where = conditions(rest.pop(0)[1:], source.scope)
    if rest and rest[0][0].is_word("ORDER"):
        order = _order(rest.pop(0), source.scope)
    if rest:
        raise unknown_statement(written(rest[0]))

    def found(session: Session) -> list[Rows]:
        rows = [one for one in source.rows(session) if where(session, one)]
        for key, is_down in reversed(order):
            keyed = [(_sort_key(key.value(session, one)), one) for one in rows]
            rows = [one for _, one in sorted(keyed, key=lambda pair: pair[0], reverse=is_down)]
        return rows

    summed = _summed(clauses[0], source.scope)
    if summed:
        return Query(lambda session: _one_row(session, summed, found(session)))
    items = [_item(part, source.scope) for part in split(clauses[0], ",")]

    def answer(session: Session) -> RowSet:
        columns = [declare(name, one.type) for name, one in items]
        rows = [[one.value(session, row) for _, one in items] for row in found(session)]
        return RowSet(columns, rows)

    return Query(answer)


def _select(found: Found) -> Query:
    clauses = _clauses(found.tokens("rest"))
    if len(clauses) > 1 and clauses[1][0].is_word("FROM"):
        try:
            return _query(clauses)
        except NotCompiled as error:
            if error.messages[0].number != STAND_IN:
                raise
            # The whole statement, so that whoever reads it sees what was asked.
            raise unknown_statement("SELECT " + written(found.tokens("rest"))) from error
    return select_scalars(found.tokens("rest"))


STATEMENTS = (known("SELECT {rest:rest}", _select, source="docs: the views' reference pages"),)
