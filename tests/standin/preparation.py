"""What is there before the first client comes: databases, their users, what faults did to them."""

from tests.standin.access import BACKUP_OPERATOR
from tests.standin.database import Database, DatabaseUser
from tests.standin.instance import Instance
from tests.standin.options import Login, Right


def prepare(instance: Instance) -> None:
    """Make what the command line names, where it is missing."""
    for name in instance.options.databases:
        database = instance.store.seed(name, instance.options.size_mib)
        if database is None:
            continue
        for login in instance.options.logins:
            _let_back_up(instance, database, login)
        instance.store.save(database)
    _apply_state(instance)
    instance.measure_files()


def _let_back_up(instance: Instance, database: Database, login: Login) -> None:
    """A user in db_backupoperator; one of that name is left as it is, orphaned or not."""
    wanted = login.rights is not None and Right.BACKUP in login.rights
    if wanted and all(one.name != login.name for one in database.users):
        sid = instance.store.sid_of(login.name)
        database.users.append(DatabaseUser(login.name, sid, [BACKUP_OPERATOR]))


def _apply_state(instance: Instance) -> None:
    """The fault state:NAME=STATE: that database is found so, until somebody changes it."""
    name, separator, state = (instance.faults.name_of("state") or "").partition("=")
    database = instance.store.find(name)
    if separator and database is not None:
        database.state = state.upper()
        instance.store.save(database)
