"""What is asked before a backup begins, so that a wrong set-up costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfmx_backupd import log, text
from selfmx_backupd.adapters.mssql import numbers, statements
from selfmx_backupd.errors import (
    BackupUnusable,
    DatabaseUnavailable,
    DirectoriesDiffer,
    NotEnoughSpace,
    ServerCannotFindFile,
    ServerRefused,
)
from selfmx_backupd.events import BACKUP_NO_HISTORY
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import growth

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

_ONLINE = "ONLINE"


@dataclass(frozen=True, slots=True)
class Database:
    """The database as the server names it.

    `size_bytes` is what its data files occupy; None where our login may not see them.
    """

    name: str
    size_bytes: int | None


def find_database(world: World, session: Session) -> Database:
    """The database, which must exist and be ONLINE.

    Raises:
        DatabaseUnavailable: It does not, or is not.
    """
    wanted = world.database
    rows = session.rows(statements.database_facts(wanted), f"looking for {wanted}")
    if not rows:
        raise DatabaseUnavailable(
            f"SQL Server at {session.address} has no database {wanted}",
            hint="Set sqlserver.database. The databases there: docker exec -it "
            "selfmx-sqlserver /opt/mssql-tools18/bin/sqlcmd -C -U sa "
            "-Q 'SELECT name FROM sys.databases'",
        )
    row = rows[0]
    if str(row["name"]).casefold() != wanted.casefold():
        # Its collation may equate what we do not, and then no backup would ever count.
        raise DatabaseUnavailable(
            f"SQL Server calls the database {row['name']!r}, not {wanted!r}",
            hint=f"Set sqlserver.database to {row['name']!r}.",
        )
    if row["state"] != _ONLINE:
        raise DatabaseUnavailable(
            f"the database {wanted} is {row['state']}, only an ONLINE one can be backed up",
            hint="SQL Server's log tells why: docker logs --tail 50 selfmx-sqlserver",
        )
    return Database(str(row["name"]), row["size_bytes"])


def ensure_space(world: World, database: Database) -> None:
    """Enough free space for a backup a fifth larger than the last.

    Raises:
        NotEnoughSpace: There is not.
    """
    free = world.directory.space().free_bytes
    earlier = world.inventory().verified(world.database)
    if not earlier:
        known = database.size_bytes
        advice = f"its data files hold {text.size(known)}" if known else "trying all the same"
        log.emit(BACKUP_NO_HISTORY, free_bytes=free, advice=advice)
        return
    needed = growth.next_bytes(earlier[0])
    if free < needed:
        raise NotEnoughSpace(
            f"{text.size(free)} are free in {world.directory.path}, a backup needs about "
            f"{text.size(needed)} (the last one and a fifth)",
            hint=f"Free some space, then try again. Type: df -h {world.directory.path}",
        )


def prove_same_directory(world: World, session: Session) -> None:
    """SQL Server finds an empty file that we write: so a wrong mount never fills a disk.

    Of an empty file HEADERONLY says 3254, 3241 or 3203: whatever it finds wrong with the file,
    it has found it. Of a missing one it says 3201 with the operating system's error 2.

    Raises:
        DirectoriesDiffer: It does not find the file.
        ServerMayNotOpenFile: It finds the file or the directory closed.
        PermissionMissing: Our login may not read backups.
    """
    directory = world.directory
    directory.write_probe()
    try:
        sql = statements.header_only(directory.server_probe_path)
        session.rows(sql, f"looking for a file in {directory.server_path}")
    except BackupUnusable:
        return
    except ServerCannotFindFile as error:
        raise _differ(world) from error
    except ServerRefused as error:
        session.raise_missing_right(world.database, error)
        raise
    finally:
        directory.remove_probe()
    # Rows: what SQL Server read there is not the empty file that stands here.
    raise _differ(world)


def _differ(world: World) -> DirectoriesDiffer:
    here, there = world.directory.path, world.directory.server_path
    return DirectoriesDiffer(
        f"a file written to {here} is not found by SQL Server in {there}: "
        "they are not the same directory",
        hint="Compare backup.directory and backup.server_directory with the container's "
        "mounts: docker inspect -f '{{json .Mounts}}' selfmx-sqlserver",
        number=numbers.CANNOT_OPEN_DEVICE,
    )
