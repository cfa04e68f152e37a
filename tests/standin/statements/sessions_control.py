"""KILL and the SET options that a client may send around other statements."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.messages import Refused, message
from tests.standin.options import Right
from tests.standin.session import Session
from tests.standin.statements.pattern import known
from tests.standin.tsql import Found

_LARGEST_SESSION_ID = 32767


@dataclass(frozen=True, slots=True)
class Kill:
    """KILL of a session."""

    command: ClassVar[int] = 0  # not captured; no client reads it
    spid: int

    def run(self, session: Session) -> None:
        """End it: 596 for what it runs, a lost socket where it is idle (capture25)."""
        if not session.login.may(Right.ALTER_ANY_CONNECTION):
            raise Refused(message(6102))
        if not 0 < self.spid <= _LARGEST_SESSION_ID:
            raise Refused(message(6101, self.spid))
        if self.spid == session.member.spid:
            raise Refused(message(6104))
        victim = session.instance.sessions.find(self.spid)
        if victim is None:
            raise Refused(message(6106, self.spid))
        session.instance.sessions.doom([victim])
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class SetLockTimeout:
    """SET LOCK_TIMEOUT, in milliseconds; -1 waits for ever (docs)."""

    command: ClassVar[int] = 0  # not captured; no client reads it
    timeout_ms: int

    def run(self, session: Session) -> None:
        """Remember it."""
        session.lock_timeout_ms = self.timeout_ms
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class SetWithoutEffect:
    """A SET option that changes nothing here: no statement counts rows or is rolled back."""

    command: ClassVar[int] = 0  # not captured; no client reads it

    def run(self, session: Session) -> None:
        """Say that it is done."""
        session.reply.done(self.command)


def _nothing(_found: Found) -> SetWithoutEffect:
    return SetWithoutEffect()


STATEMENTS = (
    known("KILL {session:number}", lambda found: Kill(found.number("session")), source="docs"),
    known(
        "SET LOCK_TIMEOUT {ms:number}",
        lambda found: SetLockTimeout(found.number("ms")),
        source="docs",
    ),
    known("SET LOCK_TIMEOUT - 1", lambda _: SetLockTimeout(-1), source="docs"),
    known("SET XACT_ABORT ON", _nothing, source="docs"),
    known("SET XACT_ABORT OFF", _nothing, source="docs"),
)
