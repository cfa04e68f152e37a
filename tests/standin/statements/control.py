"""THROW, and IF around one statement."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Refused, message
from tests.standin.reply import COMMAND_NONE
from tests.standin.session import Session, Statement, Thrown
from tests.standin.tsql import Pattern, Token

_THROW = Pattern.of("THROW")
_IF_MISSING = Pattern.of("IF DB_ID({name:text}) IS NULL {then:rest}")
_IF_THERE = Pattern.of("IF DB_ID({name:text}) IS NOT NULL {then:rest}")


@dataclass(frozen=True, slots=True)
class Throw:
    """THROW without arguments: what was caught, again."""

    command: ClassVar[int] = COMMAND_NONE

    def run(self, session: Session) -> None:
        """End the batch (docs) with every message that was caught [inferred: all of them]."""
        if not session.caught:
            raise Refused(message(STAND_IN, "THROW outside of a CATCH block"))
        raise Thrown(*session.caught)


@dataclass(frozen=True, slots=True)
class If:
    """IF a database is there, or is not."""

    name: str
    wants_it: bool
    then: Statement

    @property
    def command(self) -> int:
        """That of the statement behind it."""
        return self.then.command

    def run(self, session: Session) -> None:
        """Run the statement or pass it over."""
        if (session.instance.id_of(self.name) is not None) is self.wants_it:
            self.then.run(session)
        else:
            session.reply.done(COMMAND_NONE)


def controlled(
    part: tuple[Token, ...], understand: Callable[[tuple[Token, ...]], Statement]
) -> Statement | None:
    """A statement of this topic, or None; `understand` reads what stands behind IF."""
    if _THROW.match(part) is not None:
        return Throw()
    for pattern, wants_it in ((_IF_MISSING, False), (_IF_THERE, True)):
        found = pattern.match(part)
        if found is not None:
            return If(found.value("name"), wants_it, understand(found.tokens("then")))
    return None
