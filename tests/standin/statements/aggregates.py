"""COUNT(*), SUM, MIN and MAX over all rows of a SELECT, without GROUP BY."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.standin.columns import Integer, WireType
from tests.standin.session import Session
from tests.standin.statements.expressions import Expression, Rows, Scope, arguments, expression
from tests.standin.tsql import Kind, Pattern, Token, split

_COUNT = Pattern.of("COUNT(*)")
_FUNCTIONS: dict[str, Callable[[list[int]], int]] = {"SUM": sum, "MIN": min, "MAX": max}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value for all rows."""

    type: WireType
    value: Callable[[Session, Sequence[Rows]], object]


def aggregate(part: Sequence[Token], scope: Scope) -> Aggregate | None:
    """The aggregate that these tokens are, perhaps times a number, or None."""
    if _COUNT.match(part) is not None:
        return Aggregate(Integer(4), lambda _, rows: len(rows))
    factors = split(part, "*")
    times = 1
    if len(factors) == 2 and len(factors[1]) == 1 and factors[1][0].kind is Kind.NUMBER:
        part, times = factors[0], int(factors[1][0].value)
    for name, function in _FUNCTIONS.items():
        found = arguments(part, name)
        if found is not None and len(found) == 1:
            return _over(expression(found[0], scope), function, times)
    return None


def _over(operand: Expression, function: Callable[[list[int]], int], times: int) -> Aggregate:
    """NULL where there is no value (docs); only whole numbers are understood."""

    def value(session: Session, rows: Sequence[Rows]) -> object:
        values = [one for each in rows if isinstance(one := operand.value(session, each), int)]
        return function(values) * times if values else None

    return Aggregate(operand.type, value)
