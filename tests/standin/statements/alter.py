"""ALTER DATABASE: states, who may be in it, options, and another name."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from tests.standin.access import may_alter
from tests.standin.database import MULTI_USER, SINGLE_USER, Database, RecoveryModel
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Message, Refused, message
from tests.standin.session import Session
from tests.standin.statements.pattern import Known, known
from tests.standin.tsql import Found

_POLL_S = 0.02
_ALTER = "ALTER DATABASE"
# How 5052 spells states (report for Restoring; the others inferred from it).
_STATE_WORDS = {"RECOVERY_PENDING": "Recovery Pending"}
_USABLE = frozenset({"ONLINE"})


class Termination(Enum):
    """What becomes of other users of the database."""

    WAIT = auto()
    IMMEDIATE = auto()
    NO_WAIT = auto()


_TERMINATIONS = {
    "": Termination.WAIT,
    " WITH ROLLBACK IMMEDIATE": Termination.IMMEDIATE,
    " WITH NO_WAIT": Termination.NO_WAIT,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that ALTER DATABASE SET can do.

    Attributes:
        alone: Whether nobody else may be in the database meanwhile.
        states: In which states it is permitted; 5052 in others.
        refusal: What stands against this change of that database, or None; asked before
            anybody is thrown out (inferred).
    """

    apply: Callable[[Database], None]
    alone: bool = False
    states: frozenset[str] = _USABLE
    refusal: Callable[[Session, Database], Message | None] = lambda _session, _database: None


def failed(*messages: Message) -> Refused:
    """5069 comes last (capture25)."""
    return Refused(*messages, message(5069))


def found_to_alter(session: Session, name: str) -> Database:
    """The database; 226 in a transaction, 5011 where it is unknown or the right is missing."""
    if session.transactions:
        raise Refused(message(226, _ALTER))
    if session.instance.system_id(name) is not None:
        raise Refused(message(STAND_IN, f"ALTER DATABASE {name}"))
    database = session.instance.store.find(name)
    if database is None or not may_alter(session.instance, session.login, database):
        raise failed(message(5011, name))
    return database


def check_changeable(session: Session, database: Database, states: frozenset[str]) -> None:
    """5064 while somebody else holds the only slot (capture25), 5052 in a wrong state (docs)."""
    if not session.instance.sessions.may_enter(session.member, database.database_id):
        raise failed(message(5064, database.name))
    state = session.instance.state_of(database)
    if state not in states:
        word = _STATE_WORDS.get(state, state.capitalize())
        raise failed(message(5052, _ALTER, word))


@dataclass(frozen=True, slots=True)
class SetOption:
    """ALTER DATABASE name SET something [WITH termination]."""

    command: ClassVar[int] = 215  # capture
    name: str
    change: Change
    termination: Termination

    def run(self, session: Session) -> None:
        """Change it, alone where that is necessary."""
        database = found_to_alter(session, self.name)
        with session.instance.sessions.altering(session.member, database.database_id) as is_first:
            if not is_first:
                raise failed(message(5061, database.name))
            check_changeable(session, database, self.change.states)
            refusal = self.change.refusal(session, database)
            if refusal is not None:
                raise failed(refusal)
            if self.change.alone:
                self._clear(session, database)
            self.change.apply(database)
            session.instance.store.save(database)
            if database.user_access == MULTI_USER or database.state != "ONLINE":
                session.instance.sessions.release(database.database_id)
        session.reply.done(self.command)

    def _clear(self, session: Session, database: Database) -> None:
        """Have the database for this session alone; the slot is its own from then on."""
        sessions = session.instance.sessions
        others = sessions.seize(session.member, database.database_id)
        if not others:
            return
        if self.termination is Termination.NO_WAIT:
            raise failed(message(5070, database.name))
        # Without a termination clause it waits, perhaps for ever (docs).
        deadline = session.lock_deadline()
        while others:
            if self.termination is Termination.IMMEDIATE:
                sessions.doom(others)
            session.check_interrupts()
            if time.monotonic() > deadline:
                raise failed(message(5061, database.name))
            time.sleep(_POLL_S)
            others = sessions.seize(session.member, database.database_id)
        if self.termination is Termination.IMMEDIATE:
            # Only where there was somebody to throw out (capture25).
            session.reply.say(message(5060, 0, state=2))
            session.reply.say(message(5060, 100, state=1))


@dataclass(frozen=True, slots=True)
class Rename:
    """ALTER DATABASE name MODIFY NAME = other."""

    command: ClassVar[int] = 215  # capture25
    name: str
    other: str

    def run(self, session: Session) -> None:
        """5030 while somebody else is in it (docs); physical names stay (docs)."""
        database = found_to_alter(session, self.name)
        check_changeable(session, database, _USABLE)
        sessions, store = session.instance.sessions, session.instance.store
        if sessions.others_in(session.member, database.database_id):
            raise failed(message(5030))
        taken = store.find(self.other)
        is_taken = taken is not None and taken is not database
        if is_taken or session.instance.system_id(self.other) is not None:
            raise failed(message(1801, self.other))
        store.rename(database, self.other)
        session.reply.say(message(5021, "database", self.other))
        session.reply.done(self.command)


def _user_access(mode: str) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        database.user_access = mode

    return apply


def _state(state: str) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        database.state = state

    return apply


def _recovery(model: RecoveryModel) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        database.recovery_model = model
        if model is RecoveryModel.SIMPLE:
            # The log chain is broken (docs).
            database.last_full_lsn = 0

    return apply


def _broker(*, on: bool) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        database.is_broker_enabled = on

    return apply


def _new_broker(database: Database) -> None:
    """It is switched on with an identifier that no other database has (docs)."""
    database.broker_guid = str(uuid.uuid4())
    database.is_broker_enabled = True


def _same_broker(session: Session, database: Database) -> Message | None:
    """9772 while another database with the same identifier is enabled (docs)."""
    is_taken = any(
        one.is_broker_enabled and one.broker_guid == database.broker_guid
        for one in session.instance.store.all()
        if one is not database
    )
    return message(9772, database.name) if is_taken else None


def _trustworthy(*, on: bool) -> Callable[[Database], None]:
    def apply(database: Database) -> None:
        database.is_trustworthy = on

    return apply


def _trust_wants_sysadmin(session: Session, _database: Database) -> Message | None:
    """CONTROL SERVER (docs), which only sysadmins have here; the number is inferred."""
    return None if session.login.is_sysadmin else message(15247)


_ENDED = frozenset({"ONLINE", "OFFLINE", "SUSPECT", "RECOVERY_PENDING", "EMERGENCY"})
_CHANGES = {
    "SINGLE_USER": Change(_user_access(SINGLE_USER), alone=True),
    "MULTI_USER": Change(_user_access(MULTI_USER)),
    "OFFLINE": Change(_state("OFFLINE"), alone=True, states=_ENDED),
    "ONLINE": Change(_state("ONLINE"), states=frozenset({"ONLINE", "OFFLINE"})),
    "RECOVERY SIMPLE": Change(_recovery(RecoveryModel.SIMPLE)),
    "RECOVERY BULK_LOGGED": Change(_recovery(RecoveryModel.BULK_LOGGED)),
    "RECOVERY FULL": Change(_recovery(RecoveryModel.FULL)),
    # The broker is switched on by whoever is alone in the database (docs).
    "ENABLE_BROKER": Change(_broker(on=True), alone=True, refusal=_same_broker),
    "NEW_BROKER": Change(_new_broker, alone=True),
    "DISABLE_BROKER": Change(_broker(on=False), alone=True),
    "TRUSTWORTHY ON": Change(_trustworthy(on=True), refusal=_trust_wants_sysadmin),
    "TRUSTWORTHY OFF": Change(_trustworthy(on=False), refusal=_trust_wants_sysadmin),
}


def _set(option: str, clause: str, termination: Termination) -> Known:
    def build(found: Found) -> SetOption:
        return SetOption(found.value("database"), _CHANGES[option], termination)

    shape = f"ALTER DATABASE {{database:name}} SET {option}{clause}"
    return known(shape, build, source="capture, capture25; docs")


def _rename(found: Found) -> Rename:
    return Rename(found.value("database"), found.value("other"))


STATEMENTS = (
    *(
        _set(option, clause, termination)
        for option in _CHANGES
        for clause, termination in _TERMINATIONS.items()
    ),
    known(
        "ALTER DATABASE {database:name} MODIFY NAME = {other:name}",
        _rename,
        source="docs; report for 5021",
    ),
)
