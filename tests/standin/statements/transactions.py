"""BEGIN, COMMIT, ROLLBACK and SET IMPLICIT_TRANSACTIONS: what makes a BACKUP get 3021."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.session import Session
from tests.standin.statements.pattern import known
from tests.standin.tsql import Found

# CurCmd of SET was not captured; no client reads it.
_SET = 0


@dataclass(frozen=True, slots=True)
class Begin:
    """BEGIN TRAN."""

    command: ClassVar[int] = 212  # capture

    def run(self, session: Session) -> None:
        """Count it."""
        session.begin_transaction()
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class Commit:
    """COMMIT."""

    command: ClassVar[int] = 213  # inferred from its neighbours
    begins_another: bool = False

    def run(self, session: Session) -> None:
        """Count it; a driver may ask for the next transaction in the same request."""
        session.commit_transaction()
        if self.begins_another:
            session.begin_transaction()
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class RollBack:
    """ROLLBACK."""

    command: ClassVar[int] = 210  # capture
    begins_another: bool = False

    def run(self, session: Session) -> None:
        """End it; a driver may ask for the next transaction in the same request."""
        session.roll_back()
        if self.begins_another:
            session.begin_transaction()
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class SetImplicitTransactions:
    """SET IMPLICIT_TRANSACTIONS."""

    command: ClassVar[int] = _SET
    on: bool

    def run(self, session: Session) -> None:
        """Remember it."""
        session.implicit_transactions = self.on
        session.reply.done(self.command)


def _begin(_found: Found) -> Begin:
    return Begin()


def _commit(_found: Found) -> Commit:
    return Commit()


def _roll_back(_found: Found) -> RollBack:
    return RollBack()


STATEMENTS = (
    known("BEGIN TRAN", _begin, source="capture"),
    known("BEGIN TRANSACTION", _begin, source="capture"),
    known("COMMIT", _commit, source="docs"),
    known("COMMIT TRAN", _commit, source="docs"),
    known("COMMIT TRANSACTION", _commit, source="docs"),
    known("ROLLBACK", _roll_back, source="capture"),
    known("ROLLBACK TRAN", _roll_back, source="capture"),
    known("ROLLBACK TRANSACTION", _roll_back, source="capture"),
    known(
        "SET IMPLICIT_TRANSACTIONS ON",
        lambda _: SetImplicitTransactions(on=True),
        source="docs",
    ),
    known(
        "SET IMPLICIT_TRANSACTIONS OFF",
        lambda _: SetImplicitTransactions(on=False),
        source="docs",
    ),
)
