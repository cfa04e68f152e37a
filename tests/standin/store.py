"""The databases of one server and the backup history, kept in a directory between starts."""

import json
import threading
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.standin import clock, seed
from tests.standin.database import Database, DatabaseUser, Table, from_json, new_files, to_json

# master, tempdb, model, msdb (capture for 1 and 4; docs for the rest).
SYSTEM_DATABASES = {"master": 1, "tempdb": 2, "model": 3, "msdb": 4}
_FIRST_USER_ID = 5
_SA_SID = "01"  # docs


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
        self._history: list[dict[str, Any]] = _read(self._history_path, [])
        self._stray_files: dict[str, int] = _read(self._stray_path, {})
        self._seeded: list[str] = _read(self._seeded_path, [])
        identity: str = _read(self._identity_path, str(uuid.uuid4()))
        _replace(self._identity_path, identity)
        self._identity = uuid.UUID(identity)

    @property
    def _history_path(self) -> Path:
        return self._directory / "msdb.json"

    @property
    def _stray_path(self) -> Path:
        return self._directory / "stray_files.json"

    @property
    def _seeded_path(self) -> Path:
        return self._directory / "seeded.json"

    @property
    def _identity_path(self) -> Path:
        return self._directory / "server.json"

    def sid_of(self, login_name: str) -> str:
        """A login's sid as hex; another server's login of the same name has another (docs)."""
        if login_name.casefold() == "sa":
            return _SA_SID
        return uuid.uuid5(self._identity, login_name.casefold()).hex

    def all(self) -> Iterable[Database]:
        """Every user database, oldest first."""
        with self._lock:
            return sorted(self._databases.values(), key=lambda one: one.database_id)

    def find(self, name: str) -> Database | None:
        """A user database, or None."""
        with self._lock:
            return self._databases.get(name.casefold())

    def create(
        self,
        name: str,
        *,
        owner_sid: str = _SA_SID,
        filler_mib: int = 0,
        tables: dict[str, Table] | None = None,
    ) -> Database:
        """A new database; its owner is its dbo."""
        with self._lock:
            used = {one.database_id for one in self._databases.values()}
            database = Database(
                name=name,
                database_id=max(used, default=_FIRST_USER_ID - 1) + 1,
                created_at=clock.now(),
                files=new_files(name, filler_mib),
                tables={} if tables is None else tables,
                owner_sid=owner_sid,
                users=[DatabaseUser("dbo", owner_sid, ["db_owner"])],
                filler_mib=filler_mib,
            )
            self._databases[name.casefold()] = database
            self.save(database)
            return database

    def seed(self, name: str, filler_mib: int) -> Database | None:
        """The database with SelfMX's tables, once: None where somebody took the name away."""
        found = self.find(name)
        if found is not None or name in self._seeded:
            return found
        self._seeded.append(name)
        _replace(self._seeded_path, self._seeded)
        return self.create(name, filler_mib=filler_mib, tables=seed.tables())

    def save(self, database: Database) -> None:
        """Write one database down."""
        with self._lock:
            _replace(self._path(database), to_json(database))

    def _path(self, database: Database) -> Path:
        return self._directory / f"{database.database_id}.database.json"

    def rename(self, database: Database, name: str) -> None:
        """Give a database another name; its files keep theirs (docs)."""
        with self._lock:
            del self._databases[database.name.casefold()]
            database.name = name
            self._databases[name.casefold()] = database
            self.save(database)

    def drop(self, database: Database) -> None:
        """Forget a database; the files of one that is OFFLINE stay on disk (docs)."""
        with self._lock:
            if database.state == "OFFLINE":
                sizes = {one.physical_name: one.size_bytes for one in database.files}
                self._stray_files |= sizes
                _replace(self._stray_path, self._stray_files)
            del self._databases[database.name.casefold()]
            self._path(database).unlink(missing_ok=True)

    def owner_of_file(self, physical_name: str) -> Database | None:
        """The database that has this file, or None."""
        with self._lock:
            return next(
                (
                    database
                    for database in self._databases.values()
                    if any(one.physical_name == physical_name for one in database.files)
                ),
                None,
            )

    def is_stray(self, physical_name: str) -> bool:
        """Whether the file is on disk though no database has it."""
        with self._lock:
            return physical_name in self._stray_files

    def overwrite_stray(self, physical_name: str) -> None:
        """A database took the file over."""
        with self._lock:
            if self._stray_files.pop(physical_name, None) is not None:
                _replace(self._stray_path, self._stray_files)

    def files_bytes(self) -> int:
        """What all database files take on disk."""
        with self._lock:
            files = [one.size_bytes for each in self._databases.values() for one in each.files]
            return sum(files) + sum(self._stray_files.values())

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


def _read(path: Path, default: Any) -> Any:  # noqa: ANN401 - what JSON holds
    return json.loads(path.read_text()) if path.exists() else default


def _replace(path: Path, content: object) -> None:
    """Write all or nothing: the server may be made to die at any moment."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)
