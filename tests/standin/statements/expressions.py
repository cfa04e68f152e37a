"""What may stand in the list and the conditions of a SELECT over views: a small part of T-SQL.

Columns, literals, CAST, ISNULL, multiplication, a few functions, and comparisons that are
joined by AND. Everything else is unknown.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.standin.columns import Bit, Integer, NVarChar, VarBinary, WireType
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import NotCompiled, Refused, message, unknown_statement
from tests.standin.session import Session
from tests.standin.statements.scalars import scalar
from tests.standin.statements.view_rows import Row
from tests.standin.tsql import Found, Kind, Pattern, Token, split, written

# The rows that are being looked at, by the names of their sources; None behind a LEFT JOIN.
Rows = Mapping[str, Row | None]
Value = Callable[[Session, Rows], object]
Condition = Callable[[Session, Rows], bool]
Scope = Mapping[str, Mapping[str, WireType]]

_TYPES = {"bigint": Integer(8), "int": Integer(4), "smallint": Integer(2), "bit": Bit()}
_TEXT_TYPE = Pattern.of("nvarchar({chars:number})")


@dataclass(frozen=True, slots=True)
class Expression:
    """A value for each combination of rows; `name` is a bare column's."""

    type: WireType
    value: Value
    name: str = ""


def expression(part: Sequence[Token], scope: Scope) -> Expression:
    """Compile one expression; raises NotCompiled."""
    if not part:
        raise unknown_statement("an expression is missing")
    factors = split(part, "*")
    if len(factors) == 2 and all(factors):
        return _product(expression(factors[0], scope), expression(factors[1], scope))
    for read in (_literal, _column, _call, _scalar):
        found = read(part, scope)
        if found is not None:
            return found
    raise unknown_statement(written(part))


def _product(left: Expression, right: Expression) -> Expression:
    def value(session: Session, rows: Rows) -> object:
        first, second = left.value(session, rows), right.value(session, rows)
        if isinstance(first, int) and isinstance(second, int):
            return first * second
        return None

    return Expression(left.type, value)


def _literal(part: Sequence[Token], _scope: Scope) -> Expression | None:
    if len(part) != 1 or part[0].kind not in {Kind.TEXT, Kind.NUMBER}:
        return None
    text = part[0].value
    if part[0].kind is Kind.TEXT:
        return Expression(NVarChar(max(1, len(text))), lambda *_: text)
    return Expression(Integer(4), lambda *_: int(text))


def _column(part: Sequence[Token], scope: Scope) -> Expression | None:
    """`column` or `source.column`; 207 where no source has it, or more than one (docs)."""
    names = [one.value.casefold() for one in part if one.kind in {Kind.WORD, Kind.NAME}]
    dotted = len(part) == 3 and part[1].is_sign(".") and len(names) == 2
    if not (dotted or (len(part) == 1 and len(names) == 1)) or part[0].value.startswith("@"):
        return None
    column = names[-1]
    sources = [
        source
        for source, columns in scope.items()
        if column in columns and (not dotted or source == names[0])
    ]
    if len(sources) != 1:
        raise NotCompiled(message(207, part[-1].value))
    (source,) = sources

    def value(_session: Session, rows: Rows) -> object:
        row = rows[source]
        return None if row is None else row.get(column)

    return Expression(scope[source][column], value, part[-1].value)


def arguments(part: Sequence[Token], name: str) -> list[tuple[Token, ...]] | None:
    """The arguments of a call of that function, or None."""
    if len(part) < 4 or not part[0].is_word(name):
        return None
    if not part[1].is_sign("(") or not part[-1].is_sign(")"):
        return None
    return split(part[2:-1], ",")


def _call(part: Sequence[Token], scope: Scope) -> Expression | None:
    """The functions of a column that the stand-in knows."""
    cast = arguments(part, "CAST")
    if cast is not None and len(cast) == 1:
        return _cast(cast[0], scope)
    pair = arguments(part, "ISNULL")
    if pair is not None and len(pair) == 2:
        return _is_null(*(expression(one, scope) for one in pair))
    for name, kind, function in _FUNCTIONS:
        given = arguments(part, name)
        if given is not None and len(given) == 1:
            return _of(expression(given[0], scope), kind, function)
    return None


def _cast(inner: Sequence[Token], scope: Scope) -> Expression | None:
    """CAST(expression AS type), of values that the type can hold as they are."""
    at = next((at for at, one in enumerate(inner) if one.is_word("AS")), 0)
    try:
        operand = expression(inner[:at], scope)
    except NotCompiled:
        return None
    wanted = inner[at + 1 :]
    text = _TEXT_TYPE.match(wanted)
    kind = NVarChar(text.number("chars")) if text else _TYPES.get(written(wanted).casefold())
    return None if kind is None else Expression(kind, operand.value)


def _is_null(first: Expression, second: Expression) -> Expression:
    def value(session: Session, rows: Rows) -> object:
        found = first.value(session, rows)
        return second.value(session, rows) if found is None else found

    return Expression(first.type, value)


def _of(
    argument: Expression, kind: WireType, function: Callable[[Session, object], object]
) -> Expression:
    return Expression(kind, lambda session, rows: function(session, argument.value(session, rows)))


def _login_name(session: Session, sid: object) -> object:
    """SUSER_SNAME: NULL where no login has the sid (docs)."""
    return session.instance.login_with(sid.hex()) if isinstance(sid, bytes) else None


def _login_sid(session: Session, name: object) -> object:
    names = {one.name.casefold() for one in session.instance.options.logins}
    known = str(name).casefold() in names
    return bytes.fromhex(session.instance.store.sid_of(str(name))) if known else None


def _database_name(session: Session, number: object) -> object:
    return session.instance.name_of(number) if isinstance(number, int) else None


_FUNCTIONS: tuple[tuple[str, WireType, Callable[[Session, object], object]], ...] = (
    ("SUSER_SNAME", NVarChar(128), _login_name),
    ("SUSER_SID", VarBinary(85), _login_sid),
    ("DB_NAME", NVarChar(128), _database_name),
)


def _scalar(part: Sequence[Token], _scope: Scope) -> Expression | None:
    """What a SELECT without FROM knows too: @@SPID, DB_ID(N'...'), SERVERPROPERTY ..."""
    found = scalar(part)
    if found is None:
        return None
    return Expression(found.type, lambda session, _: found.value(session))


_LIKE = Pattern.of("LIKE {pattern:text}")
_NOT_LIKE = Pattern.of("NOT LIKE {pattern:text}")
_NULL = Pattern.of("IS NULL")
_NOT_NULL = Pattern.of("IS NOT NULL")
_OPERATORS: Mapping[str, Callable[[bool, bool], bool]] = {
    "=": lambda is_same, _: is_same,
    "<>": lambda is_same, _: not is_same,
    "<": lambda is_same, is_less: is_less and not is_same,
    ">": lambda is_same, is_less: not is_less and not is_same,
    "<=": lambda is_same, is_less: is_less or is_same,
    ">=": lambda is_same, is_less: not is_less or is_same,
}

_ANY_TYPE = {"=", "<>"}


def conditions(part: Sequence[Token], scope: Scope) -> Condition:
    """Comparisons joined by AND."""
    found = [_condition(one, scope) for one in _split_at(part, "AND")]
    return lambda session, rows: all(one(session, rows) for one in found)


def _split_at(part: Sequence[Token], word: str) -> list[tuple[Token, ...]]:
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in part:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_word(word):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [tuple(one) for one in pieces]


def _condition(part: tuple[Token, ...], scope: Scope) -> Condition:
    for at in range(1, len(part)):
        tail = part[at:]
        if part[at].kind is Kind.SIGN and part[at].value in _OPERATORS:
            return _comparison(part[at].value, (part[:at], part[at + 1 :]), scope)
        if part[at].is_word("IN") or (part[at].is_word("NOT") and part[at + 1].is_word("IN")):
            return _membership(part, at, scope)
        for pattern, wants in ((_LIKE, True), (_NOT_LIKE, False)):
            found = pattern.match(tail)
            if found is not None:
                return _likeness(expression(part[:at], scope), found, wants=wants)
        for pattern, wants in ((_NULL, True), (_NOT_NULL, False)):
            if pattern.match(tail) is not None:
                return _nullness(expression(part[:at], scope), wants=wants)
    raise unknown_statement(written(part))


def _nullness(operand: Expression, *, wants: bool) -> Condition:
    return lambda session, rows: (operand.value(session, rows) is None) is wants


def _comparison(
    operator: str, sides: tuple[Sequence[Token], Sequence[Token]], scope: Scope
) -> Condition:
    left, right = (expression(one, scope) for one in sides)

    def holds(session: Session, rows: Rows) -> bool:
        first, second = _folded(left.value(session, rows)), _folded(right.value(session, rows))
        if first is None or second is None:
            return False
        if operator not in _ANY_TYPE and not (isinstance(first, int) and isinstance(second, int)):
            raise Refused(message(STAND_IN, f"{operator} between what are no whole numbers"))
        is_less = isinstance(first, int) and isinstance(second, int) and first < second
        return _OPERATORS[operator](first == second, is_less)

    return holds


def _folded(value: object) -> object:
    """Texts are equal in any case, as in the server's collation (capture)."""
    return value.casefold() if isinstance(value, str) else value


def _membership(part: tuple[Token, ...], at: int, scope: Scope) -> Condition:
    """column [NOT] IN (a, b)."""
    wants = part[at].is_word("IN")
    items = arguments(part[at if wants else at + 1 :], "IN")
    if items is None:
        raise unknown_statement(written(part))
    operand = expression(part[:at], scope)
    values = [expression(one, scope) for one in items]

    def holds(session: Session, rows: Rows) -> bool:
        value = _folded(operand.value(session, rows))
        among = value in [_folded(one.value(session, rows)) for one in values]
        return value is not None and among is wants

    return holds


def _likeness(operand: Expression, found: Found, *, wants: bool) -> Condition:
    """LIKE with %, _ and [characters] (docs)."""
    pieces = re.findall(r"\[[^\]]+\]|.", found.value("pattern"), re.DOTALL)
    spelled = "".join(_like_piece(one) for one in pieces)
    matcher = re.compile(spelled, re.IGNORECASE | re.DOTALL)

    def holds(session: Session, rows: Rows) -> bool:
        value = operand.value(session, rows)
        return value is not None and (matcher.fullmatch(str(value)) is not None) is wants

    return holds


def _like_piece(piece: str) -> str:
    if len(piece) > 1:
        return "[" + re.escape(piece[1:-1]) + "]"
    return {"%": ".*", "_": "."}.get(piece, re.escape(piece))
