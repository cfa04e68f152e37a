"""What recipes work with: settings and opened adapters, passed on as one argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from selfmx_backupd import log
from selfmx_backupd.adapters.backup_dir import BackupDir
from selfmx_backupd.adapters.clock import Ticks
from selfmx_backupd.adapters.state import StateFile
from selfmx_backupd.config import Settings
from selfmx_backupd.events import SQLSERVER_CONNECTED
from selfmx_backupd.policy import inventory
from selfmx_backupd.policy.inventory import Inventory
from selfmx_backupd.policy.retention import Retention
from selfmx_backupd.policy.schedule import Schedule

if TYPE_CHECKING:
    # Commands that ask no server must work where no ODBC driver is installed.
    from selfmx_backupd.adapters.mssql.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything outside that a recipe may touch.

    Attributes:
        ticks: How the clock went; only the daemon takes them.
        connect: Opens a session; the password is read at that moment.
        connect_to_restore: The same, as the login that may restore, rename and drop.
        now: The time, UTC.
    """

    settings: Settings
    zone: ZoneInfo
    schedule: Schedule
    retention: Retention
    directory: BackupDir
    state: StateFile
    ticks: Ticks
    connect: Callable[[], Session]
    connect_to_restore: Callable[[], Session]
    now: Callable[[], datetime]

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for the length of a recipe; the log says with whom and by what driver."""
        with self.connect() as session:
            log.emit(
                SQLSERVER_CONNECTED,
                version=session.facts.server.version,
                edition=session.facts.server.edition,
                address=session.address,
                driver=session.driver,
            )
            yield session

    def for_restoring(self) -> World:
        """The same world with the other login's sessions."""
        return replace(self, connect=self.connect_to_restore)

    def inventory(self) -> Inventory:
        """Read the backup directory and make sense of it."""
        return inventory.take(self.directory.read(), self.directory.prefix, self.now())

    def guard(self) -> str | None:
        """Why nothing may be swept now; None where the clock can be trusted."""
        return self.ticks.guard(self.now())

    @property
    def database(self) -> str:
        """The database that we back up."""
        return self.settings.sqlserver.database


def program_name(prefix: str) -> str:
    """What SQL Server calls us: it tells our own sessions from others'."""
    return f"selfmx-backupd/{prefix}"
