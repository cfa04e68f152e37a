"""What a file holds, as SQL Server says without reading the whole of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from selfmx_backupd.adapters.mssql import headers, statements
from selfmx_backupd.adapters.mssql.headers import Header
from selfmx_backupd.adapters.mssql.statements import Description
from selfmx_backupd.jobs.prove import ensure_not_newer
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import DatabaseFile
from selfmx_backupd.policy import adoption, inventory

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


@dataclass(frozen=True, slots=True)
class Contents:
    """The header of the only backup set, and the files that a restore would make."""

    header: Header
    files: tuple[DatabaseFile, ...]

    @property
    def told(self) -> Description | None:
        """What its DESCRIPTION says; None where that is not ours."""
        return statements.parse_description(self.header.description)

    def begun_at(self, world: World, file: str) -> datetime | None:
        """When the backup was begun, UTC, by itself or by its name; None where neither tells."""
        told_at = self.told.started_at if self.told else None
        return adoption.begun(told_at, inventory.dated(file, world.zone), self.header.clock_at)


def read_contents(world: World, session: Session, file: str) -> Contents:
    """Read header and file list of a full backup of our database, which this server can read.

    Raises:
        BackupUnusable: It holds something else.
        UnreadableHere: It was taken from a newer server than this one.
    """
    path = world.directory.server_path_of(file)
    rows = session.rows(statements.header_only(path), f"reading the header of {file}")
    header = headers.the_only_set(rows, file, world.database)
    ensure_not_newer(session, file, header.server_version)
    files = session.rows(statements.file_list_only(path), f"reading the files of {file}")
    return Contents(header, headers.read_files(files))
