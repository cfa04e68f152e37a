"""The databases of one server and the backup history, kept in a directory between starts."""

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.standin import clock, seed
from tests.standin.database import Database, Table, from_json, new_files, to_json

# master, tempdb, model, msdb (capture for 1 and 4; docs for the rest).
SYSTEM_DATABASES = {"master": 1, "tempdb": 2, "model": 3, "msdb": 4}
_FIRST_USER_ID = 5


class Store:
    """Databases by name, in any case; every change is on disk before it is answered."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.RLock()
        directory.mkdir(parents=True, exist_ok=True)
        self._databases: dict[str, Database] = {}
        for path in sorted(directory.glob("*.database.json")):
            database = from_json(json.loads(path.read_text()))
            self._databases[database.name.casefold()] = database
        self._history: list[dict[str, Any]] = []
        if self._history_path.exists():
            self._history = json.loads(self._history_path.read_text())

    @property
    def _history_path(self) -> Path:
        return self._directory / "msdb.json"

    def all(self) -> Iterable[Database]:
        """Every user database, oldest first."""
        with self._lock:
            return sorted(self._databases.values(), key=lambda one: one.database_id)

    def find(self, name: str) -> Database | None:
        """A user database, or None."""
        with self._lock:
            return self._databases.get(name.casefold())

    def create(
        self, name: str, *, filler_mib: int = 0, tables: dict[str, Table] | None = None
    ) -> Database:
        """A new database."""
        with self._lock:
            used = {one.database_id for one in self._databases.values()}
            database = Database(
                name=name,
                database_id=max(used, default=_FIRST_USER_ID - 1) + 1,
                created_at=clock.now(),
                files=new_files(name, filler_mib),
                tables={} if tables is None else tables,
                filler_mib=filler_mib,
            )
            self._databases[name.casefold()] = database
            self.save(database)
            return database

    def seed(self, name: str, filler_mib: int) -> Database:
        """The database with SelfMX's tables; an existing one is left as it is."""
        found = self.find(name)
        if found is not None:
            return found
        return self.create(name, filler_mib=filler_mib, tables=seed.tables())

    def save(self, database: Database) -> None:
        """Write one database down."""
        with self._lock:
            path = self._directory / f"{database.database_id}.database.json"
            _replace(path, to_json(database))

    def remember_backup(self, server_path: str, media_family_guid: str) -> None:
        """A row of msdb..backupmediafamily (docs: one for each device of a media set)."""
        with self._lock:
            if any(row["media_family_id"] == media_family_guid for row in self._history):
                return
            self._history.append(
                {
                    "media_set_id": len(self._history) + 1,
                    "media_family_id": media_family_guid,
                    "physical_device_name": server_path,
                }
            )
            _replace(self._history_path, self._history)

    def media_families(self) -> list[dict[str, Any]]:
        """The rows of msdb..backupmediafamily, oldest first."""
        with self._lock:
            return list(self._history)


def _replace(path: Path, content: object) -> None:
    """Write all or nothing: the server may be made to die at any moment."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)
