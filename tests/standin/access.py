"""Who may enter a database and what a login may do in it."""

from tests.standin.database import SINGLE_USER, Database
from tests.standin.instance import Instance
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Message, Refused, message
from tests.standin.options import Login, Right
from tests.standin.sessions import Member

BACKUP_OPERATOR, OWNER_ROLE = "db_backupoperator", "db_owner"

# What a server says about a database that is not ONLINE (docs). EMERGENCY is not here: it
# lets a sysadmin in, which nobody has observed for this server.
_STATE_ERRORS = {
    "OFFLINE": 942,
    "RESTORING": 927,
    "RECOVERING": 922,
    "RECOVERY_PENDING": 945,
    "SUSPECT": 926,
}


def state_refusal(instance: Instance, database: Database) -> Message | None:
    """Why a database cannot be used, or None where it is ONLINE."""
    state = instance.state_of(database)
    if state == "ONLINE":
        return None
    number = _STATE_ERRORS.get(state)
    if number is None:
        return message(STAND_IN, f"nothing is known about the state {state}")
    return message(number, database.name)


def owns(instance: Instance, login: Login, database: Database) -> bool:
    """Whether the login is the database's owner, a member of db_owner, or a sysadmin (docs)."""
    if login.is_sysadmin or database.owner_sid == instance.store.sid_of(login.name):
        return True
    return has_role(instance, login, database, OWNER_ROLE)


def may_alter(instance: Instance, login: Login, database: Database) -> bool:
    """ALTER on the database: its owner, or ALTER ANY DATABASE (docs)."""
    return owns(instance, login, database) or login.may(Right.ALTER_ANY_DATABASE)


def may_restore_over(instance: Instance, login: Login, database: Database) -> bool:
    """RESTORE over a database: sysadmin, dbcreator, its owner; not db_owner (docs)."""
    is_owner = database.owner_sid == instance.store.sid_of(login.name)
    return login.is_sysadmin or is_owner or Right.DB_CREATOR in (login.rights or ())


def may_back_up(instance: Instance, login: Login, database: Database) -> bool:
    """BACKUP DATABASE: db_backupoperator or an owner (docs)."""
    return owns(instance, login, database) or has_role(instance, login, database, BACKUP_OPERATOR)


def has_role(instance: Instance, login: Login, database: Database, role: str) -> bool:
    """Whether the user that the login is mapped to is a member of that role."""
    user = database.user_with(instance.store.sid_of(login.name))
    return user is not None and role in user.roles


def is_known_in(instance: Instance, login: Login, database: Database) -> bool:
    """Whether the login can be anybody in that database: 916 where it cannot (docs)."""
    if owns(instance, login, database):
        return True
    return database.user_with(instance.store.sid_of(login.name)) is not None


def use_database(instance: Instance, member: Member, login: Login, database: Database) -> None:
    """Raise what stands against using that database: its state, its users, its only slot."""
    refusal = state_refusal(instance, database)
    if refusal is not None:
        raise Refused(refusal)
    if not instance.sessions.may_enter(member, database.database_id):
        raise Refused(message(924, database.name))
    if not is_known_in(instance, login, database):
        raise Refused(message(916, login.name, database.name))


def enter(instance: Instance, member: Member, login: Login, name: str) -> str:
    """Make a database the session's context; returns its name as it was created.

    Raises 911 (capture), 924 (capture25), 916 or what its state says.
    """
    system_id = instance.system_id(name)
    if system_id is not None:
        instance.sessions.enter(member, system_id, is_single_user=False)
        return name.lower()
    database = instance.store.find(name)
    if database is None:
        raise Refused(message(911, name))
    use_database(instance, member, login, database)
    single = database.user_access == SINGLE_USER
    if not instance.sessions.enter(member, database.database_id, is_single_user=single):
        raise Refused(message(924, database.name))
    return database.name
