"""What all sessions share: databases, who is connected, which backups run, the SQL log."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from pysqlbridge.tds.packet import next_session_id

from tests.standin import clock
from tests.standin.database import Database
from tests.standin.faults import Faults
from tests.standin.messages import Refused, message
from tests.standin.options import Edition, Options
from tests.standin.paths import on_host
from tests.standin.store import SYSTEM_DATABASES, Store

# The container's hostname, everywhere the same with SelfMX's Compose file.
SERVER_NAME = "sqlserver"
PRODUCT_VERSION = "16.0.4236.2"  # capture
VERSION = (16, 0, 4236)


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
class Request:
    """A row of sys.dm_exec_requests; its own session writes it, others read it."""

    command: str
    percent_complete: float = 0.0
    cpu_time_ms: int = 0
    reads: int = 0


@dataclass(slots=True)
class Member:
    """A row of sys.dm_exec_sessions."""

    spid: int
    login_name: str
    program_name: str
    request: Request | None = None


@dataclass(slots=True)
class Instance:
    """The server behind all sessions."""

    options: Options
    store: Store
    faults: Faults
    sql_log: TextIO | None
    started: float = field(default_factory=time.monotonic)
    _members: dict[int, Member] = field(default_factory=dict)
    _backups: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def edition(self) -> EditionFacts:
        """What this server says that it is."""
        return EDITIONS[self.options.edition]

    def state_of(self, database: Database) -> str:
        """The database's state_desc, which a fault may say is another."""
        forced = self.faults.name_of("state")
        if self.faults.name_of("offline") is not None:
            forced = "OFFLINE"
        return database.state if forced is None else forced.upper()

    def is_usable(self, name: str) -> bool:
        """Whether a session may have that database as its context."""
        if name.casefold() in SYSTEM_DATABASES:
            return True
        database = self.store.find(name)
        return database is not None and self.state_of(database) == "ONLINE"

    def spelled(self, name: str) -> str:
        """A database's name as it was created."""
        database = self.store.find(name)
        return name.lower() if database is None else database.name

    def host_path(self, server_path: str) -> Path | None:
        """Where a server's path is on this host, or None where no mount holds it."""
        return on_host(server_path, self.options.mounts)

    def join(self, login_name: str, program_name: str) -> Member:
        """A new session."""
        member = Member(next_session_id(), login_name, program_name)
        with self._lock:
            self._members[member.spid] = member
        return member

    def leave(self, member: Member) -> None:
        """A session's end."""
        with self._lock:
            self._members.pop(member.spid, None)

    def members(self) -> list[Member]:
        """All sessions, by their ids."""
        with self._lock:
            return sorted(self._members.values(), key=lambda one: one.spid)

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
            "database": database,
            "sql": sql,
        }
        with self._lock:
            self.sql_log.write(json.dumps(entry) + "\n")
            self.sql_log.flush()
