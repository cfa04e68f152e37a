"""One session's state, and what a running statement may ask of it."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from pysqlbridge.tds.token import EnvChangeType

from tests.standin.access import enter, use_database
from tests.standin.database import Database
from tests.standin.instance import Instance
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Message, Refused, message
from tests.standin.options import Login, Right
from tests.standin.reply import Reply
from tests.standin.sessions import Member, Request
from tests.standin.store import SYSTEM_DATABASES
from tests.standin.wire import Wire

_HANG_POLL_S = 0.05


class Cancelled(Exception):
    """The client sent an Attention while a statement ran; `messages` is what it is told."""

    def __init__(self, *messages: Message, command: int = 0) -> None:
        super().__init__("cancelled by the client")
        self.messages = messages
        self.command = command


class Thrown(Refused):
    """THROW: the rest of the batch does not run (docs)."""


class Killed(Exception):
    """Somebody ended this session with KILL."""


@dataclass(slots=True)
class Session:
    """One logged-in client.

    Attributes:
        transactions: @@TRANCOUNT.
        implicit_transactions: SET IMPLICIT_TRANSACTIONS is ON.
        lock_timeout_ms: SET LOCK_TIMEOUT; -1 waits for ever.
        try_depth: How many TRY blocks the present statement is in.
        caught: What the innermost CATCH block caught.
    """

    instance: Instance
    member: Member
    login: Login
    wire: Wire
    reply: Reply
    transactions: int = 0
    implicit_transactions: bool = False
    lock_timeout_ms: int = -1
    try_depth: int = 0
    caught: tuple[Message, ...] = ()
    _descriptors: int = 0
    _descriptor: bytes = b""

    @property
    def database(self) -> str:
        """The present database context."""
        return self.instance.name_of(self.member.database_id) or ""

    def check_interrupts(self) -> None:
        """Look for who ends this: raises Killed, Cancelled or ClientLost."""
        if self.member.is_doomed:
            raise Killed
        if self.wire.attention_arrived():
            raise Cancelled

    def lock_deadline(self) -> float:
        """Until when, on the monotonic clock, a statement waits for others to leave."""
        if self.lock_timeout_ms < 0:
            return math.inf
        return time.monotonic() + self.lock_timeout_ms / 1000

    def hang(self) -> None:
        """Make no progress until somebody interrupts."""
        while True:
            self.check_interrupts()
            time.sleep(_HANG_POLL_S)

    def require(self, right: Right, refusal: str, database: str) -> None:
        """Raise 262 where the login lacks the right (report: class 14, state 1)."""
        if not self.login.may(right):
            raise Refused(message(262, refusal, database))

    def find_database(self, name: str) -> Database:
        """A user database; raises 911 (capture)."""
        if name.casefold() in SYSTEM_DATABASES:
            raise Refused(message(STAND_IN, f"nothing is known about {name} itself"))
        found = self.instance.store.find(name)
        if found is None:
            raise Refused(message(911, name))
        return found

    def use(self, name: str) -> None:
        """Change the database context and tell the client (docs: 5701)."""
        before = self.database
        entered = enter(self.instance, self.member, self.login, name)
        self.reply.changed(EnvChangeType.DATABASE, entered, before)
        self.reply.say(message(5701, entered))

    def begin_transaction(self) -> None:
        """Count a transaction; the outermost one is announced with its descriptor."""
        self.transactions += 1
        if self.transactions == 1:
            self._descriptors += 1
            self._descriptor = self._descriptors.to_bytes(8, "little")
            self.reply.changed(EnvChangeType.BEGIN_TRAN, self._descriptor, b"")

    def commit_transaction(self) -> None:
        """Count a commit; only the outermost one ends the transaction."""
        if not self.transactions:
            raise Refused(message(3902))
        if self.transactions == 1:
            self.reply.changed(EnvChangeType.COMMIT_TRAN, b"", self._descriptor)
        self.transactions -= 1

    def roll_back(self) -> None:
        """End the transaction. Nothing that the stand-in changes can be undone."""
        if not self.transactions:
            raise Refused(message(3903))
        self.reply.changed(EnvChangeType.ROLLBACK_TRAN, b"", self._descriptor)
        self.transactions = 0

    @contextmanager
    def working_in(self, database: Database) -> Iterator[None]:
        """Use a database for one statement, wherever the context is."""
        use_database(self.instance, self.member, self.login, database)
        with self.instance.sessions.visiting(self.member, database.database_id):
            yield

    @contextmanager
    def requesting(self, command: str) -> Iterator[Request]:
        """Be a row of sys.dm_exec_requests meanwhile."""
        self.member.request = Request(command)
        try:
            yield self.member.request
        finally:
            self.member.request = None


class Statement(Protocol):
    """A statement that was understood and may run."""

    @property
    def command(self) -> int:
        """CurCmd of the DONE that ends it."""
        ...

    def run(self, session: Session) -> None:
        """Do it and say everything, the last DONE included; raises Refused."""
        ...
