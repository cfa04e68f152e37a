"""What the server says of its databases, their files, and the space around them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfmx_backupd.adapters.mssql import restore_statements as statements
from selfmx_backupd.model import DatabaseFile
from selfmx_backupd.policy.restore import Directories, Volume, directory_of

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

# sys.master_files.type: 0 rows, 1 log, 2 FILESTREAM, 4 full-text; and how backups call them.
_TYPES = {0: "D", 1: "L", 2: "S", 4: "F"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of the server.

    Attributes:
        state: ONLINE, RESTORING, RECOVERING, RECOVERY_PENDING, SUSPECT, EMERGENCY, OFFLINE.
        user_access: MULTI_USER, SINGLE_USER or RESTRICTED_USER.
        recovery_model: FULL, BULK_LOGGED or SIMPLE.
        owner: A login's name; None where no login has the owner's sid.
        bound_by: What stands against renaming it, in words; None where nothing does.
    """

    name: str
    state: str
    user_access: str
    recovery_model: str
    is_broker_enabled: bool
    is_trustworthy: bool
    owner: str | None
    bound_by: str | None
    files: tuple[DatabaseFile, ...]

    @property
    def is_online(self) -> bool:
        """Whether it can be used, and renamed."""
        return self.state == "ONLINE"

    @property
    def physical_names(self) -> tuple[str, ...]:
        """The names of its files, which no rename changes."""
        return tuple(file.physical_name for file in self.files)


@dataclass(frozen=True, slots=True)
class Rights:
    """What our login may do.

    Attributes:
        login: Its name.
        is_sysadmin: It may do everything.
        is_dbcreator: It may restore over any database.
        missing: Each right that a restore needs and the login lacks, as GRANT names it.
    """

    login: str
    is_sysadmin: bool
    is_dbcreator: bool
    missing: tuple[str, ...]


def databases(session: Session) -> tuple[Database, ...]:
    """Every database of the server."""
    rows = session.rows(statements.every_database(), "listing the databases")
    files = _files(session)
    snapshots = {row["source_database_id"] for row in rows}
    return tuple(
        Database(
            name=str(row["name"]),
            state=str(row["state"]),
            user_access=str(row["user_access"]),
            recovery_model=str(row["recovery_model"]),
            is_broker_enabled=bool(row["is_broker_enabled"]),
            is_trustworthy=bool(row["is_trustworthy_on"]),
            owner=row["owner"],
            bound_by=_bound_by(row, has_snapshot=row["database_id"] in snapshots),
            files=tuple(files[row["database_id"]]),
        )
        for row in rows
    )


def _files(session: Session) -> defaultdict[int, list[DatabaseFile]]:
    files: defaultdict[int, list[DatabaseFile]] = defaultdict(list)
    rows = session.rows(statements.every_file(), "listing the databases' files")
    for row in sorted(rows, key=lambda each: int(each["file_id"])):
        file = DatabaseFile(
            logical_name=str(row["logical_name"]),
            type=_TYPES.get(int(row["type"]), "D"),
            physical_name=str(row["physical_name"]),
            size_bytes=int(row["size_bytes"]),
        )
        files[row["database_id"]].append(file)
    return files


def _bound_by(row: dict[str, object], *, has_snapshot: bool) -> str | None:
    if row["replica_id"] is not None:
        return "it belongs to an availability group"
    if row["mirroring_guid"] is not None:
        return "it is mirrored"
    if row["source_database_id"] is not None:
        return "it is a snapshot"
    if row["is_in_standby"]:
        return "it is in standby, between two restores of its log"
    return "it has a snapshot" if has_snapshot else None


def find(found: tuple[Database, ...], name: str) -> Database | None:
    """A database by its name, in any case."""
    return next((each for each in found if each.name.casefold() == name.casefold()), None)


def volumes(session: Session) -> tuple[Volume, ...]:
    """The space in each directory that holds a file of an open database."""
    rows = session.rows(statements.volumes(), "asking for the space on the data volumes")
    found = {
        directory_of(str(row["physical_name"])): (row["total_bytes"], row["available_bytes"])
        for row in rows
    }
    return tuple(Volume(name, int(total), int(free)) for name, (total, free) in found.items())


def default_directories(session: Session) -> Directories:
    """Where the server puts new databases."""
    row = session.rows(statements.default_directories(), "asking where new databases go")[0]
    data = str(row["data"]).rstrip("/")
    return Directories(data, str(row["log"] or data).rstrip("/"))


def rights(session: Session, database: str) -> Rights:
    """What our login may do, and what it lacks for a restore into that database."""
    sql = statements.rights_to_restore(database)
    row = session.rows(sql, "asking for our login's rights")[0]
    lacking = {
        "CREATE ANY DATABASE": row["may_create"],
        "ALTER ANY DATABASE": 1 if row["may_alter"] == 1 else row["may_alter_any"],
        "ALTER ANY CONNECTION": row["may_kill"],
        "VIEW SERVER STATE": 1 if row["may_view_performance"] == 1 else row["may_view_state"],
    }
    is_sysadmin = row["is_sysadmin"] == 1
    missing = () if is_sysadmin else tuple(right for right, has in lacking.items() if has != 1)
    return Rights(str(row["login"]), is_sysadmin, row["is_dbcreator"] == 1, missing)
