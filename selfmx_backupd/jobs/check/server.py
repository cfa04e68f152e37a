"""What SQL Server says of itself, of the database, and of our two logins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from selfmx_backupd.adapters import lock
from selfmx_backupd.adapters.mssql import catalog, statements
from selfmx_backupd.adapters.mssql.catalog import Rights
from selfmx_backupd.errors import (
    BackupdError,
    Busy,
    ConfigError,
    DirectoryUnusable,
    LoginRefused,
    ServerNotReached,
)
from selfmx_backupd.jobs import preflight
from selfmx_backupd.jobs.preflight import Database
from selfmx_backupd.jobs.restore import survey
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import growth, restore, traps
from selfmx_backupd.policy.traps import Check, Subject
from selfmx_backupd.restoration import Kind

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

Judge = Callable[[Subject, str, str | None], Check]

_AS_ROOT = "Type: sudo selfmx-backupd check"
# Any that no restore has used: only directories and sizes count.
_STAMP = "00000000_000000"


def look_as_backup_login(world: World) -> Iterator[Check]:
    """Log in as the daemon does, and look at everything that a backup needs."""
    try:
        session = world.connect()
    except BackupdError as error:
        yield _failed(Subject.SERVER, error)
        return
    with session:
        yield _server(session)
        try:
            database = preflight.find_database(world, session)
        except BackupdError as error:
            yield _failed(Subject.DATABASE, error)
            return
        yield traps.well(Subject.DATABASE, f"{database.name} is ONLINE")
        rights = catalog.rights(session, world.database)
        yield _of(Subject.BACKUP_RIGHTS, lambda: _rights(world, session, rights))
        if world.directory.path.is_dir():  # otherwise the look at this host has told it
            yield _of(Subject.SAME_DIRECTORY, lambda: _same_directory(world, session))
            yield _of(Subject.BACKUP_SPACE, lambda: _space(world, database))
        yield traps.compression(
            world.settings.backup.compression,
            session.facts.server.edition,
            edition_compresses=session.facts.compresses,
        )
        yield from _options(world, session)
        yield traps.stalls(rights.login, sees_all=session.facts.sees_all)


def look_as_restore_login(world: World) -> Iterator[Check]:
    """Log in as `selfmx-restore` does, before the night in which it must."""
    try:
        session = world.connect_to_restore()
    except (ConfigError, LoginRefused) as error:
        yield _failed(Subject.RESTORE_RIGHTS, error, traps.warning)
        return
    except ServerNotReached:
        return  # the other login has told it
    with session:
        rights = catalog.rights(session, world.database)
        live = catalog.find(catalog.databases(session), world.database)
        try:
            survey.ensure_rights(rights, Kind.BESIDE, live)
        except BackupdError as error:
            yield _failed(Subject.RESTORE_RIGHTS, error, traps.warning)
            return
        yield traps.well(Subject.RESTORE_RIGHTS, f"{rights.login} may restore")
        if live is not None:
            yield _restore_space(session, live)


def _of(subject: Subject, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except BackupdError as error:
        return _failed(subject, error)


def _failed(subject: Subject, error: BackupdError, judge: Judge = traps.critical) -> Check:
    """A backup or restore would fail in the same way; but what only root may see is no trap."""
    is_closed = isinstance(error, ConfigError | DirectoryUnusable) and os.geteuid() != 0
    if is_closed:
        return traps.unseen(subject, error.message, _AS_ROOT)
    return judge(subject, error.message, error.hint)


def _server(session: Session) -> Check:
    server = session.facts.server
    return traps.well(
        Subject.SERVER,
        f"{server.version}, {server.edition}, at {session.address} by {Path(session.driver).name}",
    )


def _rights(world: World, session: Session, rights: Rights) -> Check:
    missing = session.missing_right(world.database)
    if missing is not None:
        raise missing
    return traps.rights(rights.login, is_sysadmin=rights.is_sysadmin)


def _same_directory(world: World, session: Session) -> Check:
    directory = world.directory
    try:
        # A backup asks with the same file.
        with lock.hold(directory.lock_path, "a check", world.now()):
            preflight.prove_same_directory(world, session)
    except Busy as error:
        return traps.unseen(
            Subject.SAME_DIRECTORY, error.message, "Wait for its end, then type it again."
        )
    sentence = f"SQL Server finds a file of {directory.path} in {directory.server_path}"
    return traps.well(Subject.SAME_DIRECTORY, sentence)


def _space(world: World, database: Database) -> Check:
    free_bytes = world.directory.space().free_bytes
    earlier = world.inventory().verified(world.database)
    needed = growth.next_bytes(earlier[0]) if earlier else database.size_bytes
    return traps.space(free_bytes, needed, is_known=bool(earlier))


def _options(world: World, session: Session) -> Iterator[Check]:
    sql = statements.database_options(world.database)
    for row in session.rows(sql, "asking for the database's options"):
        yield traps.log(world.database, str(row["recovery_model"]), str(row["log_waits_for"]))
        yield traps.pages(world.database, str(row["page_verify"]))
        yield traps.encryption(is_encrypted=bool(row["is_encrypted"]))


def _restore_space(session: Session, live: catalog.Database) -> Check:
    into = restore.directories_of(live.files, catalog.default_directories(session))
    places = restore.place(live.files, live.name, _STAMP, into)
    room = restore.room(places, catalog.volumes(session))
    return traps.restore_space(room.shortage, room.unknown)
