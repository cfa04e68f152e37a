"""A row of the table of statements: what it looks like, and how to make it runnable."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.standin.messages import NotCompiled, message, unknown_statement
from tests.standin.session import Statement
from tests.standin.tsql import Found, Kind, Pattern, Token, split, written


@dataclass(frozen=True, slots=True)
class Known:
    """A statement that the stand-in knows.

    Attributes:
        pattern: What it looks like.
        build: From what the pattern found to something that runs; raises NotCompiled.
        source: Who says that a real server answers so.
    """

    pattern: Pattern
    build: Callable[[Found], Statement]
    source: str


def known(shape: str, build: Callable[[Found], Statement], *, source: str) -> Known:
    """A row of the table."""
    return Known(Pattern.of(shape), build, source)


# Options that a real server knows (docs): here they are unknown statements, not error 155.
_NOT_ACTED_UPON = frozenset(
    {
        "BLOCKSIZE",
        "BUFFERCOUNT",
        "CONTINUE_AFTER_ERROR",
        "DIFFERENTIAL",
        "ENCRYPTION",
        "EXPIREDATE",
        "LOADHISTORY",
        "MAXTRANSFERSIZE",
        "MEDIADESCRIPTION",
        "MEDIANAME",
        "MEDIAPASSWORD",
        "MOVE",
        "NORECOVERY",
        "NO_TRUNCATE",
        "PASSWORD",
        "RESTART",
        "RETAINDAYS",
        "REWIND",
        "STANDBY",
        "STOP_ON_ERROR",
        "UNLOAD",
    }
)


@dataclass(frozen=True, slots=True)
class WithOptions:
    """What stands behind WITH, by upper-case name; a bare option's value is None."""

    values: dict[str, str | None]

    def has(self, name: str) -> bool:
        """Whether the option is there."""
        return name in self.values

    def text(self, name: str) -> str | None:
        """An option's value as text."""
        return self.values.get(name)

    def number(self, name: str, default: int) -> int:
        """An option's value as a number; `default` where it is absent or bare."""
        value = self.values.get(name)
        return default if value is None else int(value)


def with_options(
    rest: tuple[Token, ...], statement: str, allowed: dict[str, Kind | None]
) -> WithOptions:
    """Read `WITH a, b = 'text', c = 1`.

    `allowed` says which options are acted upon and what kind of value each wants; None
    means that it has none. Raises 155 for an option that does not exist (capture).
    """
    return options_in(with_parts(rest), statement, allowed)


def with_parts(rest: tuple[Token, ...]) -> list[tuple[Token, ...]]:
    """What stands behind WITH, cut at its commas."""
    if not rest:
        return []
    parts = split(rest[1:], ",")
    if not rest[0].is_word("WITH") or not all(parts):
        raise unknown_statement(written(rest))
    return parts


def options_in(
    parts: list[tuple[Token, ...]], statement: str, allowed: dict[str, Kind | None]
) -> WithOptions:
    """The options that these parts spell; see `with_options`."""
    values: dict[str, str | None] = {}
    for part in parts:
        name = part[0].value.upper()
        if name not in allowed and name in _NOT_ACTED_UPON:
            raise unknown_statement(written(part))
        if name not in allowed:
            raise NotCompiled(message(155, part[0].value, statement))
        values[name] = _value(part, allowed[name])
    return WithOptions(values)


def _value(part: tuple[Token, ...], wanted: Kind | None) -> str | None:
    if len(part) == 1 and wanted is not Kind.TEXT:
        return None
    if len(part) == 3 and part[1].is_sign("=") and part[2].kind is wanted:
        return part[2].value
    raise unknown_statement(written(part))
