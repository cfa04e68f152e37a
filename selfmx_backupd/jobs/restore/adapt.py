"""What a restored database lacks of the live one: owner, options, users with logins.

None of it makes the data worse or better, so nothing of it stops a restore: what cannot be
brought over is told at the end, and a person looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from selfmx_backupd.adapters.mssql import restore_statements as statements
from selfmx_backupd.adapters.mssql.catalog import Database
from selfmx_backupd.adapters.mssql.statements import rights
from selfmx_backupd.errors import BackupdError, Cancelled, ConnectionLost
from selfmx_backupd.jobs.restore.report import Notes
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy.adaptation import Principal, orphans

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

_MASTER = "master"


def adapt(
    world: World,
    run: Run,
    session: Session,
    live: Database | None,
    restored: Database,
    notes: Notes,
) -> None:
    """Bring over what the live database has, and let our own login back it up.

    Args:
        world: What it works with.
        run: Whom to tell.
        session: Of the login that restores.
        live: What was in service; None on a new server.
        restored: The database that shall be like it.
        notes: Gets what could not be brought over.

    Raises:
        ConnectionLost, Cancelled: Nothing else ends a restore here.
    """
    run.step("adapting", restored.name)
    if live is not None:
        _bring_over(session, live, restored, notes)
    let_in(world, session, restored.name, notes)


def let_in(world: World, session: Session, name: str, notes: Notes) -> None:
    """Give users their logins back, and let our own login back it up."""
    _map_users(session, name, notes)
    _let_us_back_up(world, session, name, notes)


def _bring_over(session: Session, live: Database, restored: Database, notes: Notes) -> None:
    name = restored.name
    if live.owner is not None and live.owner != restored.owner:
        with _told(notes, f"{live.owner} could not be made the owner of {name}"):
            session.execute(statements.give_to(name, live.owner), f"giving {name} to its owner")
    if live.recovery_model != restored.recovery_model:
        with _told(notes, f"{name} does not have the recovery model {live.recovery_model}"):
            sql = statements.set_recovery(name, live.recovery_model)
            session.execute(sql, f"setting the recovery model of {name}")
    if live.is_broker_enabled and not restored.is_broker_enabled:
        with _told(notes, f"Service Broker is off in {name}"):
            session.execute(statements.set_new_broker(name), f"switching on the broker of {name}")
    if live.is_trustworthy and not restored.is_trustworthy:
        with _told(notes, f"{name} is not TRUSTWORTHY, as it was before"):
            session.execute(statements.set_trustworthy(name), f"setting TRUSTWORTHY in {name}")


def _map_users(session: Session, name: str, notes: Notes) -> None:
    """Give users back to the logins of the same name."""
    with _told(notes, f"users of {name} may have lost their logins"):
        lost = orphans(_users(session, name), _logins(session))
        for user, login in lost.mapped:
            with _told(notes, f"the user {user} has no login"), _working_in(session, name):
                session.execute(statements.map_user(user, login), f"mapping the user {user}")
        if lost.left:
            notes.attention.append(
                f"users of {name} without a login on this server: {', '.join(lost.left)}"
            )


def _let_us_back_up(world: World, session: Session, name: str, notes: Notes) -> None:
    """The login that takes backups can do so, and has been asked itself."""
    login = world.settings.sqlserver.user
    complaint = (
        f"{login} may not be able to back up the restored database: selfmx-backup will tell, "
        "and README.md has the statements of its login"
    )
    with _told(notes, complaint):
        if _can_back_up(world, name):
            return
        _make_user(session, name, login)
        if not _can_back_up(world, name):
            notes.attention.append(complaint)


def _can_back_up(world: World, name: str) -> bool:
    """What the login itself says, in a session of its own."""
    with world.connect() as ours:
        row = ours.rows(rights(name), "asking for our login's rights")[0]
    return bool(row["may_back_up"] == 1)


def _make_user(session: Session, name: str, login: str) -> None:
    users, sids = _users(session, name), {each.name: each.sid for each in _logins(session)}
    mine = next((each for each in users if each.sid == sids.get(login)), None)
    namesake = next((each for each in users if each.name.casefold() == login.casefold()), None)
    with _working_in(session, name):
        if mine is None and namesake is None:
            session.execute(statements.create_user(login, login), f"making the user {login}")
        elif mine is None:
            session.execute(statements.map_user(login, login), f"mapping the user {login}")
        user = mine.name if mine else login
        session.execute(statements.let_back_up(user), f"letting {user} back up")


def _users(session: Session, name: str) -> list[Principal]:
    rows = session.rows(statements.users_of(name), f"listing the users of {name}")
    return [Principal(str(row["name"]), bytes(row["sid"] or b"")) for row in rows]


def _logins(session: Session) -> list[Principal]:
    rows = session.rows(statements.sql_logins(), "listing the logins")
    return [Principal(str(row["name"]), bytes(row["sid"] or b"")) for row in rows]


@contextmanager
def _working_in(session: Session, name: str) -> Iterator[None]:
    """Statements about users work in the present database; a swap wants us out of it again."""
    session.execute(statements.use(name), f"using {name}")
    try:
        yield
    finally:
        session.execute(statements.use(_MASTER), "leaving it again")


@contextmanager
def _told(notes: Notes, complaint: str) -> Iterator[None]:
    """What cannot be brought over is told, and the restore goes on."""
    try:
        yield
    except (ConnectionLost, Cancelled):
        raise
    except BackupdError as error:
        notes.attention.append(f"{complaint}: {error.message}")
