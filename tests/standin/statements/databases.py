"""CREATE, ALTER and DROP DATABASE, and USE, as far as the capture and set-up need them."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.database import RecoveryModel
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Refused, message
from tests.standin.options import Right
from tests.standin.session import Session
from tests.standin.statements.pattern import known
from tests.standin.store import SYSTEM_DATABASES
from tests.standin.tsql import Found


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
class SetRecovery:
    """ALTER DATABASE name SET RECOVERY model."""

    command: ClassVar[int] = 215  # capture
    name: str
    model: RecoveryModel

    def run(self, session: Session) -> None:
        """5011 and 5069 where the database is unknown or the right is missing (capture25)."""
        _outside_of_transactions(session, "ALTER DATABASE")
        database = session.instance.store.find(self.name)
        if database is None or not session.login.is_sysadmin:
            raise Refused(message(5011, self.name), message(5069))
        database.recovery_model = self.model
        session.instance.store.save(database)
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """DROP DATABASE of a system database, which nobody may."""

    command: ClassVar[int] = 253  # capture
    name: str

    def run(self, session: Session) -> None:
        """3708 (capture)."""
        _outside_of_transactions(session, "DROP DATABASE")
        if self.name.casefold() in SYSTEM_DATABASES:
            raise Refused(message(3708, self.name))
        raise Refused(message(STAND_IN, f"unknown statement: DROP DATABASE {self.name}"))


@dataclass(frozen=True, slots=True)
class Use:
    """USE name."""

    command: ClassVar[int] = 226  # capture
    name: str

    def run(self, session: Session) -> None:
        """911 where the database is unknown (capture); see `access.enter`."""
        session.use(self.name)
        session.reply.done(self.command)


def _set_recovery(model: RecoveryModel, found: Found) -> SetRecovery:
    return SetRecovery(found.value("database"), model)


STATEMENTS = (
    known(
        "CREATE DATABASE {database:name}",
        lambda found: CreateDatabase(found.value("database")),
        source="capture",
    ),
    known(
        "ALTER DATABASE {database:name} SET RECOVERY SIMPLE",
        lambda found: _set_recovery(RecoveryModel.SIMPLE, found),
        source="capture",
    ),
    known(
        "ALTER DATABASE {database:name} SET RECOVERY FULL",
        lambda found: _set_recovery(RecoveryModel.FULL, found),
        source="capture",
    ),
    known(
        "DROP DATABASE {database:name}",
        lambda found: DropDatabase(found.value("database")),
        source="capture",
    ),
    known("USE {database:name}", lambda found: Use(found.value("database")), source="capture"),
)
