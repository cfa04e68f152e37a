"""What a RESTORE intends, checked against the server before anything is touched."""

from dataclasses import dataclass, replace

from tests.standin.access import may_restore_over
from tests.standin.database import Database, DatabaseFile, RecoveryModel
from tests.standin.instance import DATABASE_VERSION, Instance
from tests.standin.media import SetFile, SetHeader
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Message, Refused, message
from tests.standin.options import Right
from tests.standin.paths import MISSING_FILE, absolute, described, directory_exists
from tests.standin.session import Session


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What WITH says. `moves` are (logical name, physical name) in the order given."""

    position: int
    moves: tuple[tuple[str, str], ...]
    replace: bool
    recovery: bool
    checksum: bool
    stats: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A RESTORE that may go ahead. `existing` is the database that it overwrites."""

    name: str
    existing: Database | None
    header: SetHeader
    files: tuple[DatabaseFile, ...]


def find_target(session: Session, name: str) -> Database | None:
    """The database to overwrite, or None; raises where the session may not, or it is in use."""
    instance = session.instance
    if instance.system_id(name) is not None:
        raise Refused(message(STAND_IN, f"RESTORE of {name}"))
    database = instance.store.find(name)
    if database is None:
        session.require(Right.CREATE_DATABASE, "CREATE DATABASE", "master")
        return None
    if session.member.database_id == database.database_id:
        raise Refused(message(3102, "RESTORE", database.name))
    if not may_restore_over(instance, session.login, database):
        raise Refused(message(3110, database.name))
    # One idle session is enough, and so is the holder of a single-user slot (capture).
    if instance.sessions.others_in(session.member, database.database_id):
        raise Refused(message(3101))
    return database


def plan(
    instance: Instance,
    name: str,
    existing: Database | None,
    header: SetHeader,
    options: RestoreOptions,
) -> Plan:
    """Check the backup against the target and find a place for every file."""
    if header.database_version > DATABASE_VERSION:
        raise Refused(message(3169, header.database_version, DATABASE_VERSION))
    if options.checksum and not header.checksums:
        raise Refused(message(3187))
    if existing is not None and not options.replace:
        _may_overwrite(instance, existing, header)
    target_name = name if existing is None else existing.name
    files = _places(target_name, existing, header, options)
    problems = [
        *_claims(files),
        *(
            problem
            for one in files
            for problem in _file_problems(instance, existing, one, overwrite=options.replace)
        ),
    ]
    if problems:
        raise Refused(*problems, message(3119))
    return Plan(target_name, existing, header, files)


def _may_overwrite(instance: Instance, existing: Database, header: SetHeader) -> None:
    """Without REPLACE: the same family (capture), and no log that would be lost (docs).

    A database whose log chain never began has no tail [inferred].
    """
    if existing.family_guid != header.family_guid:
        raise Refused(message(3154, existing.name))
    is_online = instance.state_of(existing) == "ONLINE"
    keeps_log = existing.recovery_model is not RecoveryModel.SIMPLE
    if is_online and keeps_log and existing.last_full_lsn:
        raise Refused(message(3159, existing.name))


def _places(
    name: str, existing: Database | None, header: SetHeader, options: RestoreOptions
) -> tuple[DatabaseFile, ...]:
    """Where MOVE says; else where the existing database of that family has the file; else
    where the backup says (docs).
    """
    logical = {one.logical_name.casefold() for one in header.files}
    for moved, _ in options.moves:
        if moved.casefold() not in logical:
            raise Refused(message(3234, moved, name))
    moves = {moved.casefold(): place for moved, place in options.moves}
    own = {}
    if existing is not None and existing.family_guid == header.family_guid:
        own = {one.file_id: one.physical_name for one in existing.files}
    return tuple(
        _file(one, moves.get(one.logical_name.casefold(), own.get(one.file_id)))
        for one in header.files
    )


def _file(file: SetFile, place: str | None) -> DatabaseFile:
    found = DatabaseFile(
        file_id=file.file_id,
        logical_name=file.logical_name,
        physical_name=file.physical_name,
        type=file.type,
        guid=file.guid,
        size_bytes=file.size_bytes,
    )
    return found if place is None else replace(found, physical_name=place)


def _claims(files: tuple[DatabaseFile, ...]) -> list[Message]:
    """3176 where two files want the same place (docs)."""
    first: dict[str, DatabaseFile] = {}
    found = []
    for one in files:
        other = first.setdefault(absolute(one.physical_name), one)
        if other is not one:
            claims = (one.logical_name, one.file_id, other.logical_name, other.file_id)
            found.append(message(3176, one.physical_name, *claims))
    return found


def _file_problems(
    instance: Instance, existing: Database | None, file: DatabaseFile, *, overwrite: bool
) -> list[Message]:
    place = file.physical_name
    elsewhere = message(3156, file.logical_name, place)
    if not directory_exists(place, instance.options.mounts):
        return [message(5133, place, described(MISSING_FILE)), elsewhere]
    owner = instance.store.owner_of_file(place)
    if owner is not None and owner is not existing:
        if instance.state_of(owner) != "OFFLINE":
            return [message(1834, place, owner.name), elsewhere]
        # The files of an OFFLINE database only exist; REPLACE destroys them (docs).
        return [] if overwrite else [message(3142, place, place)]
    if instance.store.is_stray(place) and not overwrite:
        return [message(3142, place, place)]
    return []
