"""Just enough T-SQL to tell one known statement from another: tokens, batches, patterns.

A pattern is a piece of T-SQL with placeholders, `{database:name}`; it matches token by
token, so spacing, comments and the case of words do not matter. Nothing here
understands an expression: what no pattern matches is unknown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    NAME = auto()
    TEXT = auto()
    NUMBER = auto()
    SIGN = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its meaning (`value`, unquoted), as it was written, and its line from 1."""

    kind: Kind
    value: str
    written: str
    line: int

    def is_sign(self, sign: str) -> bool:
        """Whether it is that sign."""
        return self.kind is Kind.SIGN and self.value == sign

    def is_word(self, word: str) -> bool:
        """Whether it is that word, in any case, and not delimited."""
        return self.kind is Kind.WORD and self.value.upper() == word.upper()


class Unreadable(ValueError):
    """Text that is not even tokens: a quote or bracket left open."""


_TOKEN = re.compile(
    r"""
      (?P<skip> \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<text> [Nn]?'(?:[^']|'')*' )
    | (?P<name> \[(?:[^\]]|\]\])*\] | "(?:[^"]|"")*" )
    | (?P<word> [^\W\d][\w@\#$]* | [@\#][\w@\#$]* )
    | (?P<number> \d+ )
    | (?P<sign> <> | >= | <= | [^\s'"\[\]] )
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "text": Kind.TEXT,
    "name": Kind.NAME,
    "word": Kind.WORD,
    "number": Kind.NUMBER,
    "sign": Kind.SIGN,
}


def tokens(sql: str) -> tuple[Token, ...]:
    """All tokens of a text, without spaces and comments."""
    found: list[Token] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise Unreadable(sql[at : at + 40])
        group, written = str(match.lastgroup), match.group()
        if group != "skip":
            line = sql.count("\n", 0, at) + 1
            found.append(Token(_KINDS[group], _meaning(group, written), written, line))
        at = match.end()
    return tuple(found)


def _meaning(group: str, written: str) -> str:
    if group == "text":
        return written[written.index("'") + 1 : -1].replace("''", "'")
    if group == "name":
        close = written[-1]
        return written[1:-1].replace(close * 2, close)
    return written


def split(found: Iterable[Token], separator: str) -> list[tuple[Token, ...]]:
    """Cut at every `separator` that stands outside of parentheses; empty parts stay."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        if token.is_sign("("):
            depth += 1
        elif token.is_sign(")"):
            depth -= 1
        if depth == 0 and token.is_sign(separator):
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts]


def written(found: Sequence[Token]) -> str:
    """Tokens as text again, for an error message."""
    return " ".join(token.written for token in found).replace(" . ", ".")


@dataclass(frozen=True, slots=True)
class Found:
    """What a pattern's placeholders matched."""

    values: Mapping[str, tuple[Token, ...]]

    def value(self, key: str) -> str:
        """A name's or a text's meaning."""
        return self.values[key][0].value

    def number(self, key: str) -> int:
        """A number."""
        return int(self.values[key][0].value)

    def tokens(self, key: str) -> tuple[Token, ...]:
        """What `{key:rest}` took."""
        return self.values[key]


@dataclass(frozen=True, slots=True)
class _Placeholder:
    key: str
    kind: str

    def takes(self, token: Token) -> bool:
        if self.kind == "name":
            return token.kind in {Kind.WORD, Kind.NAME}
        return token.kind is {"text": Kind.TEXT, "number": Kind.NUMBER}[self.kind]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A statement's shape, compiled from T-SQL with placeholders.

    `{key:name}` takes an identifier, `{key:text}` a literal, `{key:number}` a number and
    `{key:rest}`, at the end only, everything that is left, perhaps nothing.
    """

    shape: str
    parts: tuple[Token | _Placeholder, ...]

    @classmethod
    def of(cls, shape: str) -> "Pattern":
        """Compile a shape."""
        parts: list[Token | _Placeholder] = []
        for piece in re.split(r"(\{\w+:\w+\})", shape):
            if piece.startswith("{"):
                key, kind = piece[1:-1].split(":")
                parts.append(_Placeholder(key, kind))
            else:
                parts.extend(tokens(piece))
        return cls(shape, tuple(parts))

    def match(self, found: Sequence[Token]) -> Found | None:
        """The placeholders' values, or None where the tokens have another shape."""
        values: dict[str, tuple[Token, ...]] = {}
        for at, part in enumerate(self.parts):
            if isinstance(part, _Placeholder) and part.kind == "rest":
                values[part.key] = tuple(found[at:])
                return Found(values)
            if at >= len(found):
                return None
            token = found[at]
            if isinstance(part, _Placeholder):
                if not part.takes(token):
                    return None
                values[part.key] = (token,)
            elif not _same(part, token):
                return None
        return Found(values) if len(found) == len(self.parts) else None


def _same(wanted: Token, token: Token) -> bool:
    """Words match in any case and also where they are delimited; everything else exactly."""
    if wanted.kind is Kind.WORD:
        return token.kind in {Kind.WORD, Kind.NAME} and (
            token.value.upper() == wanted.value.upper()
        )
    return token.kind is wanted.kind and token.value == wanted.value
