"""Users of a database, members of its roles, and its owner."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.access import BACKUP_OPERATOR, OWNER_ROLE, owns
from tests.standin.database import Database, DatabaseUser
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Refused, message
from tests.standin.session import Session
from tests.standin.statements.pattern import known
from tests.standin.tsql import Found

_COMMAND = 0  # CurCmd of these was not captured; no client reads it
_ROLES = {BACKUP_OPERATOR, OWNER_ROLE}


def _no(verb: str, kind: str, name: str) -> Refused:
    return Refused(message(15151, verb, kind, name))


def _own_database(session: Session, verb: str, name: str) -> Database:
    """The present database, where the session may change its users."""
    database = session.find_database(session.database)
    if not owns(session.instance, session.login, database):
        raise _no(verb, "user", name)
    return database


def _login_sid(session: Session, name: str) -> str:
    """A login's sid; 15007 where there is none (docs)."""
    if all(one.name.casefold() != name.casefold() for one in session.instance.options.logins):
        raise Refused(message(15007, name))
    return session.instance.store.sid_of(name)


def _user(database: Database, name: str) -> DatabaseUser | None:
    wanted = name.casefold()
    return next((one for one in database.users if one.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class CreateUser:
    """CREATE USER name FOR LOGIN login."""

    command: ClassVar[int] = _COMMAND
    name: str
    login: str

    def run(self, session: Session) -> None:
        """15023 for a name, 15063 for a login that is there already (docs)."""
        database = _own_database(session, "create", self.name)
        sid = _login_sid(session, self.login)
        if _user(database, self.name) is not None:
            raise Refused(message(15023, self.name))
        if database.user_with(sid) is not None:
            raise Refused(message(15063))
        database.users.append(DatabaseUser(self.name, sid, []))
        session.instance.store.save(database)
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class MapUser:
    """ALTER USER name WITH LOGIN = login."""

    command: ClassVar[int] = _COMMAND
    name: str
    login: str

    def run(self, session: Session) -> None:
        """Give the user the login's sid (docs)."""
        database = _own_database(session, "alter", self.name)
        user = _user(database, self.name)
        if user is None:
            raise _no("alter", "user", self.name)
        sid = _login_sid(session, self.login)
        if database.user_with(sid) not in (None, user):
            raise Refused(message(15063))
        user.sid = sid
        session.instance.store.save(database)
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class AddMember:
    """ALTER ROLE role ADD MEMBER user."""

    command: ClassVar[int] = _COMMAND
    role: str
    name: str

    def run(self, session: Session) -> None:
        """A user that is a member already stays one, without a word (docs)."""
        if self.role not in _ROLES:
            raise Refused(message(STAND_IN, f"the role {self.role}"))
        database = _own_database(session, "alter", self.role)
        user = _user(database, self.name)
        if user is None:
            raise _no("add", "principal", self.name)
        if self.role not in user.roles:
            user.roles.append(self.role)
        session.instance.store.save(database)
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class ChangeOwner:
    """ALTER AUTHORIZATION ON DATABASE::name TO login."""

    command: ClassVar[int] = _COMMAND
    name: str
    login: str

    def run(self, session: Session) -> None:
        """15110 where the new owner is a user of it (docs); others than sysadmins only
        take what is theirs: they cannot impersonate another login (docs).
        """
        instance = session.instance
        database = instance.store.find(self.name)
        if database is None or not owns(instance, session.login, database):
            raise _no("find", "database", self.name)
        logins = {one.name.casefold() for one in instance.options.logins}
        is_own = self.login.casefold() == session.login.name.casefold()
        if self.login.casefold() not in logins or not (session.login.is_sysadmin or is_own):
            raise _no("find", "principal", self.login)
        sid = instance.store.sid_of(self.login)
        user = database.user_with(sid)
        if user is not None and user.name != "dbo":
            raise Refused(message(15110))
        with session.working_in(database):
            database.owner_sid = sid
            for one in database.users:
                if one.name == "dbo":
                    one.sid = sid
            instance.store.save(database)
        session.reply.done(self.command)


def _create(found: Found) -> CreateUser:
    return CreateUser(found.value("user"), found.value("login"))


STATEMENTS = (
    known("CREATE USER {user:name} FOR LOGIN {login:name}", _create, source="docs"),
    known(
        "ALTER USER {user:name} WITH LOGIN = {login:name}",
        lambda found: MapUser(found.value("user"), found.value("login")),
        source="docs",
    ),
    known(
        "ALTER ROLE {role:name} ADD MEMBER {user:name}",
        lambda found: AddMember(found.value("role"), found.value("user")),
        source="docs",
    ),
    known(
        "ALTER AUTHORIZATION ON DATABASE::{database:name} TO {login:name}",
        lambda found: ChangeOwner(found.value("database"), found.value("login")),
        source="docs",
    ),
)
