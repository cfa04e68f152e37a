"""What a restore meets: looked at before a person is asked, and once more under the lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from selfmx_backupd.adapters.mssql import catalog
from selfmx_backupd.adapters.mssql.catalog import Database, Rights
from selfmx_backupd.errors import (
    DatabaseUnavailable,
    GuardRefused,
    NotEnoughSpace,
    PermissionMissing,
    ServerRefused,
    UsageError,
)
from selfmx_backupd.jobs.restore import application
from selfmx_backupd.jobs.restore.source import Source, read_source
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import restore
from selfmx_backupd.policy.restore import Placement
from selfmx_backupd.restoration import Kind

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

_SYSTEM = ("master", "tempdb", "model", "msdb")
# Nothing in it can be used, so there is nothing to save: an interrupted RESTORE left it.
_RESTORING = "RESTORING"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. `name` is that of a copy."""

    kind: Kind
    file: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is there, and where everything will go.

    Attributes:
        kind: As wanted; a restore in place where there is nothing is an ordinary one.
        live: The database in service; None where there is none.
        service_name: The name that is in service, as the server spells it.
        database: The name that the restored one gets in the end: that one, or a copy's own.
        incoming: Its name until then.
        aside: What the live one will be called.
        placements: Where each file goes.
        remarks: What could not be looked at, for the report.
    """

    kind: Kind
    source: Source
    live: Database | None
    service_name: str
    database: str
    incoming: str
    aside: str
    placements: tuple[Placement, ...]
    remarks: tuple[str, ...] = ()


def look(world: World, session: Session, wanted: Wanted) -> Survey:
    """Look at everything that a restore depends on; nothing is changed.

    Raises:
        BackupdError: Why it cannot be done.
    """
    found = catalog.databases(session)
    live = catalog.find(found, world.database)
    # Where there is nothing to overwrite, a restore in place is an ordinary one.
    kind = Kind.BESIDE if wanted.kind is Kind.IN_PLACE and live is None else wanted.kind
    if kind is Kind.COPY:
        _ensure_free(found, wanted.name or "")
    else:
        _ensure_replaceable(kind, live)
        application.ensure_commands(world.settings.application)
    # Before the file is read: FreeTDS tells a missing right only as "terminating abnormally".
    ensure_rights(catalog.rights(session, world.database), kind, live)
    source = read_source(world, session, wanted.file)
    return _with_room(session, _name(world, session, source, found, kind, wanted.name))


def free_stamp(world: World, found: Sequence[Database], database: str, *roles: str) -> str:
    """The local time, or the first second after it whose names no database has."""
    return next(_free_stamps(world, found, database, roles))


def _free_stamps(
    world: World, found: Sequence[Database], database: str, roles: Sequence[str]
) -> Iterator[str]:
    taken = {each.name.casefold() for each in found}
    local = world.now().astimezone(world.zone)
    while True:
        stamp = f"{local:%Y%m%d_%H%M%S}"
        names = {restore.derived_name(database, role, stamp).casefold() for role in roles}
        if not names & taken:
            yield stamp
        local += timedelta(seconds=1)


def _name(
    world: World,
    session: Session,
    source: Source,
    found: tuple[Database, ...],
    kind: Kind,
    copy_name: str | None,
) -> Survey:
    """Give names to the databases and places to the files."""
    live = catalog.find(found, world.database)
    service_name = live.name if live else world.database
    database = copy_name if kind is Kind.COPY and copy_name else service_name
    live_files = live.files if live else ()
    into = restore.directories_of(live_files, catalog.default_directories(session))
    used = {name for each in found for name in each.physical_names}
    stamps = _free_stamps(world, found, database, ("restore", "before"))
    # The live database may have been restored in this very second.
    stamp, placements = next(
        (stamp, places)
        for stamp in stamps
        if not restore.taken(places := restore.place(source.files, database, stamp, into), used)
    )
    if kind is Kind.IN_PLACE:
        placements = restore.place_over(source.files, live_files, placements)
    is_beside = kind is Kind.BESIDE
    return Survey(
        kind=kind,
        source=source,
        live=live,
        service_name=service_name,
        database=database,
        incoming=restore.derived_name(database, "restore", stamp) if is_beside else database,
        aside=restore.derived_name(database, "before", stamp),
        placements=placements,
    )


def _with_room(session: Session, survey: Survey) -> Survey:
    """The database files have room.

    Raises:
        NotEnoughSpace: They have not; a restore in place needs less.
    """
    freed = survey.live.files if survey.kind is Kind.IN_PLACE and survey.live else ()
    room = restore.room(survey.placements, catalog.volumes(session), freed)
    if room.shortage is not None:
        raise NotEnoughSpace(
            f"{survey.source.file} does not fit beside what is there: {room.shortage}"
            if survey.kind is not Kind.IN_PLACE
            else f"{survey.source.file} does not fit: {room.shortage}",
            hint=None if survey.kind is Kind.IN_PLACE else _instead(survey),
        )
    remarks = tuple(
        f"SQL Server does not tell how much space is free in {name}" for name in room.unknown
    )
    return replace(survey, remarks=remarks)


def _instead(survey: Survey) -> str:
    return (
        "Free some space on SQL Server's data volume, or restore over the live database, after "
        f"a safety backup of it: selfmx-restore --in-place {survey.source.file}"
    )


def _ensure_free(found: tuple[Database, ...], name: str) -> None:
    """A copy never goes over a database that is there."""
    if not name or restore.name_is_too_long(name):
        raise UsageError(
            f"--as wants the name of a database, 1 to {restore.LONGEST_NAME} long",
            hint="Type: selfmx-restore --as NAME FILE",
        )
    there = catalog.find(found, name)
    if there is not None or name.casefold() in _SYSTEM:
        raise GuardRefused(
            f"there is a database {there.name if there else name} already, and a copy never "
            "replaces one",
            hint="Choose another name: selfmx-restore --as NAME FILE",
        )


def _ensure_replaceable(kind: Kind, live: Database | None) -> None:
    """What is in service can be replaced.

    Raises:
        ServerRefused: Something holds on to it.
        DatabaseUnavailable: It is coming up at this moment.
        GuardRefused: In place, and no safety backup could be taken of what is there.
    """
    if live is None:
        return
    if live.bound_by is not None:
        raise ServerRefused(
            f"{live.name} cannot be replaced: {live.bound_by}",
            hint=f"Restore a copy beside it: selfmx-restore --as {live.name}_copy FILE",
        )
    if live.state == "RECOVERING":
        raise DatabaseUnavailable(
            f"{live.name} is RECOVERING, which ends by itself",
            hint="Wait a moment, then try again. Type: docker logs --tail 20 selfmx-sqlserver",
        )
    if kind is Kind.IN_PLACE and not live.is_online and live.state != _RESTORING:
        raise GuardRefused(
            f"{live.name} is {live.state}: no safety backup can be taken of it, and in place "
            "its files would be overwritten",
            hint="Restore beside it, which keeps its files: selfmx-restore FILE",
        )


def ensure_rights(rights: Rights, kind: Kind, live: Database | None) -> None:
    """Every right that will be needed, before anything is touched.

    Raises:
        PermissionMissing: Names each one that is missing.
    """
    # A copy is its maker's, and nobody is in it yet.
    for_copies = ("CREATE ANY DATABASE", "VIEW SERVER STATE")
    missing = [it for it in rights.missing if kind is not Kind.COPY or it in for_copies]
    if live is not None and kind is not Kind.COPY and not rights.is_sysadmin:
        owns = live.owner is None or live.owner.casefold() == rights.login.casefold()
        if not owns:
            missing.append(f"IMPERSONATE ON LOGIN::[{live.owner}], the owner of {live.name}")
        if live.is_trustworthy:
            missing.append("CONTROL SERVER, because the database is TRUSTWORTHY")
        if kind is Kind.IN_PLACE and not owns and not rights.is_dbcreator:
            missing.append(f"the role dbcreator, to restore over {live.name}")
    if missing:
        raise PermissionMissing(
            f"the login {rights.login} lacks what a restore needs: {'; '.join(missing)}",
            hint="Set sqlserver.restore_user and sqlserver.restore_password_file to a login that "
            "may do all of it, such as sa.",
        )
