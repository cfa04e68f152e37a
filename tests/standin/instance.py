"""What all sessions share: databases, each other, which backups run, the SQL log."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.standin import clock
from tests.standin.database import Database
from tests.standin.faults import Faults
from tests.standin.messages import Refused, message
from tests.standin.options import Edition, Options
from tests.standin.paths import on_host
from tests.standin.sessions import Member, Sessions
from tests.standin.store import SYSTEM_DATABASES, Store

# The container's hostname, everywhere the same with SelfMX's Compose file.
SERVER_NAME = "sqlserver"
PRODUCT_VERSION = "16.0.4236.2"  # capture
DATABASE_VERSION = 957  # capture
VERSION = (16, 0, 4236)
# SQL Server 2025.
NEWER_DATABASE_VERSION = 998  # report
NEWER_VERSION = (17, 0, 4065)  # capture25


@dataclass(frozen=True, slots=True)
class EditionFacts:
    """What SERVERPROPERTY says about an edition (docs)."""

    name: str
    engine_edition: int
    edition_id: int


EDITIONS = {
    Edition.DEVELOPER: EditionFacts("Developer Edition (64-bit)", 3, -2117995310),
    Edition.EXPRESS: EditionFacts("Express Edition (64-bit)", 4, -1592396055),
}


@dataclass(slots=True)
class Instance:
    """The server behind all sessions."""

    options: Options
    store: Store
    faults: Faults
    sql_log: TextIO | None
    started: float = field(default_factory=time.monotonic)
    sessions: Sessions = field(default_factory=Sessions)
    _files_at_start: int = 0
    _backups: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def volume_bytes(self) -> int:
        """The size of the volume that holds all database files."""
        return self._files_at_start + self.options.volume_free_bytes

    @property
    def volume_free_bytes(self) -> int:
        """What is left of it."""
        return self.volume_bytes - self.store.files_bytes()

    def measure_files(self) -> None:
        """Take what the files need now as what they needed at the start."""
        self._files_at_start = self.store.files_bytes()

    @property
    def edition(self) -> EditionFacts:
        """What this server says that it is."""
        return EDITIONS[self.options.edition]

    def state_of(self, database: Database) -> str:
        """The database's state_desc, which a fault may say is another."""
        forced = self.faults.name_of("state")
        if forced is not None and "=" in forced:
            # That one database was put into the state when the server started.
            forced = None
        if self.faults.name_of("offline") is not None:
            forced = "OFFLINE"
        return database.state if forced is None else forced.upper()

    def system_id(self, name: str) -> int | None:
        """A system database's id, or None."""
        return SYSTEM_DATABASES.get(name.casefold())

    def id_of(self, name: str) -> int | None:
        """A database's id, or None where it is unknown."""
        database = self.store.find(name)
        return self.system_id(name) if database is None else database.database_id

    def name_of(self, database_id: int) -> str | None:
        """A database's name as it was created, or None where it is unknown."""
        names = {at: name for name, at in SYSTEM_DATABASES.items()}
        names |= {one.database_id: one.name for one in self.store.all()}
        return names.get(database_id)

    def login_with(self, sid: str) -> str | None:
        """The name of the login with that sid, or None."""
        names = [one.name for one in self.options.logins]
        return next((one for one in names if self.store.sid_of(one) == sid), None)

    def host_path(self, server_path: str) -> Path | None:
        """Where a server's path is on this host, or None where no mount holds it."""
        return on_host(server_path, self.options.mounts)

    @contextmanager
    def backup_of(self, database: Database) -> Iterator[None]:
        """One backup of a database at a time: 3023 (docs)."""
        key = database.name.casefold()
        with self._lock:
            if key in self._backups:
                raise Refused(message(3023))
            self._backups.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._backups.discard(key)

    def log_batch(self, member: Member, database: str, sql: str) -> None:
        """One JSON line for a batch, before it runs."""
        if self.sql_log is None:
            return
        entry = {
            "at": clock.now().isoformat(timespec="milliseconds"),
            "spid": member.spid,
            "login": member.login_name,
            "program": member.program_name,
            "database": database,
            "sql": sql,
        }
        with self._lock:
            self.sql_log.write(json.dumps(entry) + "\n")
            self.sql_log.flush()
