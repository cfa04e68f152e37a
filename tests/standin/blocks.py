"""The shape of a batch: statements one after another, and TRY ... CATCH around some of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.standin.messages import unknown_statement
from tests.standin.tsql import Token, written

Part = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class TryParts:
    """BEGIN TRY body END TRY BEGIN CATCH handler END CATCH."""

    body: tuple["Part | TryParts", ...]
    handler: tuple["Part | TryParts", ...]


Parts = tuple[Part | TryParts, ...]


def parts_of(found: Sequence[Token]) -> Parts:
    """All parts of a batch, in order; raises NotCompiled where a block is not closed."""
    parts, _ = _read(found, 0, None)
    return parts


def _read(found: Sequence[Token], at: int, block: str | None) -> tuple[Parts, int]:
    """Parts from `at` on, up to and past END of `block`, or to the end of the batch."""
    parts: list[Part | TryParts] = []
    while at < len(found):
        if found[at].is_sign(";"):
            at += 1
        elif block is not None and _words(found, at, "END", block):
            return tuple(parts), at + 2
        elif _words(found, at, "BEGIN", "TRY"):
            body, at = _read(found, at + 2, "TRY")
            if not _words(found, at, "BEGIN", "CATCH"):
                raise unknown_statement("BEGIN TRY without BEGIN CATCH")
            handler, at = _read(found, at + 2, "CATCH")
            parts.append(TryParts(body, handler))
        else:
            end = _end_of_statement(found, at)
            parts.append(tuple(found[at:end]))
            at = end
    if block is not None:
        raise unknown_statement(f"BEGIN {block} without END {block}: {written(found[-8:])}")
    return tuple(parts), at


def _end_of_statement(found: Sequence[Token], at: int) -> int:
    """Where a statement ends: at a semicolon outside of parentheses, or at a block's edge."""
    depth = 0
    for index in range(at, len(found)):
        if found[index].is_sign("("):
            depth += 1
        elif found[index].is_sign(")"):
            depth -= 1
        edge = found[index].is_sign(";") or _is_edge(found, index)
        if depth == 0 and index > at and edge:
            return index
    return len(found)


def _is_edge(found: Sequence[Token], at: int) -> bool:
    return any(
        _words(found, at, first, second)
        for first, second in (("BEGIN", "TRY"), ("END", "TRY"), ("END", "CATCH"))
    )


def _words(found: Sequence[Token], at: int, first: str, second: str) -> bool:
    pair = found[at : at + 2]
    return len(pair) == 2 and pair[0].is_word(first) and pair[1].is_word(second)
