"""CREATE and DROP DATABASE, and USE."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.access import may_alter
from tests.standin.database import Database
from tests.standin.messages import Refused, message
from tests.standin.options import Right
from tests.standin.reply import COMMAND_NONE
from tests.standin.session import Session
from tests.standin.statements.pattern import known
from tests.standin.store import SYSTEM_DATABASES

_DROPPED = 204  # CurCmd (capture25)


def _outside_of_transactions(session: Session, statement: str) -> None:
    """226 (capture25)."""
    if session.transactions:
        raise Refused(message(226, statement))


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """CREATE DATABASE name."""

    command: ClassVar[int] = 203  # capture
    name: str

    def run(self, session: Session) -> None:
        """A new, empty database in the FULL recovery model (that of `model`; docs)."""
        _outside_of_transactions(session, "CREATE DATABASE")
        session.require(Right.CREATE_DATABASE, "CREATE DATABASE", "master")
        store = session.instance.store
        if self.name.casefold() in SYSTEM_DATABASES or store.find(self.name) is not None:
            raise Refused(message(1801, self.name))
        store.create(self.name, owner_sid=store.sid_of(session.login.name))
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """DROP DATABASE [IF EXISTS]."""

    # Of a DROP that fails (capture for 3708; inferred for the other refusals).
    command: ClassVar[int] = COMMAND_NONE
    name: str
    if_exists: bool

    def run(self, session: Session) -> None:
        """3708 (capture), 3701 and 3702; the files of an OFFLINE database stay (docs)."""
        _outside_of_transactions(session, "DROP DATABASE")
        instance = session.instance
        if instance.system_id(self.name) is not None:
            raise Refused(message(3708, self.name))
        database = instance.store.find(self.name)
        if database is not None:
            self._drop(session, database)
        elif not self.if_exists:
            raise Refused(message(3701, self.name))
        session.reply.done(_DROPPED)

    def _drop(self, session: Session, database: Database) -> None:
        instance, at = session.instance, database.database_id
        if not may_alter(instance, session.login, database):
            raise Refused(message(3701, self.name))
        if session.member.is_in(at) or instance.sessions.others_in(session.member, at):
            raise Refused(message(3702, database.name))
        instance.store.drop(database)
        instance.sessions.release(at)


@dataclass(frozen=True, slots=True)
class Use:
    """USE name."""

    command: ClassVar[int] = 226  # capture
    name: str

    def run(self, session: Session) -> None:
        """911 where the database is unknown (capture); see `access.enter`."""
        session.use(self.name)
        session.reply.done(self.command)


STATEMENTS = (
    known(
        "CREATE DATABASE {database:name}",
        lambda found: CreateDatabase(found.value("database")),
        source="capture",
    ),
    known(
        "DROP DATABASE IF EXISTS {database:name}",
        lambda found: DropDatabase(found.value("database"), if_exists=True),
        source="docs",
    ),
    known(
        "DROP DATABASE {database:name}",
        lambda found: DropDatabase(found.value("database"), if_exists=False),
        source="capture",
    ),
    known("USE {database:name}", lambda found: Use(found.value("database")), source="capture"),
)
