"""An installation with a backup to restore, and a look at everything that a restore may touch."""

import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyodbc

from tests.installation import Installation

# How many e-mails the backup holds, and how many there are in service when it is restored.
IN_BACKUP, IN_SERVICE = 240, 0
# The backup directory as the server sees it.
DEVICE = "/var/opt/mssql/backup"
SYSTEM = {"master", "tempdb", "model", "msdb"}

_STAMP = re.compile(r"_\d{8}_\d{6}(?!\d)")

# A database is (state, user access, e-mails); None where it cannot be read.
Database = tuple[str, str, int | None]
OLD: Database = ("ONLINE", "MULTI_USER", IN_SERVICE)
NEW: Database = ("ONLINE", "MULTI_USER", IN_BACKUP)
# A database that somebody else made, under a name much like those that a restore gives.
STRANGERS = {"SelfMX_before_migration": ("ONLINE", "MULTI_USER", 3)}


@dataclass(frozen=True)
class Seen:
    """What is true at a moment. Stamps in names are written `_STAMP`."""

    databases: dict[str, Database]
    app_runs: bool


class RestoreSite(Installation):
    """An installation whose database lost its e-mails after the backup.

    Attributes:
        file: The backup's name.
        driver: By its short name.
    """

    def __init__(self, root: Path, *, driver: str, **more: Any) -> None:  # noqa: ANN401  # passed on
        super().__init__(root, driver=driver, **more)
        self.driver = driver
        self.file = ""

    def __enter__(self) -> Self:
        super().__enter__()
        self.file = self.back_up()
        self.sql("DELETE FROM SelfMX.dbo.SentEmails")
        return self

    def back_up(self) -> str:
        """Take a backup; its name."""
        before = self.files()
        done = self.run("selfmx-backup")
        assert done.returncode == 0, done.stderr
        (name,) = {each for each in self.files() - before if each.endswith(".bak")}
        return name

    def make_strangers(self) -> None:
        """Make the database that somebody else made."""
        (name,) = STRANGERS
        columns = "id int IDENTITY(1,1) PRIMARY KEY, v nvarchar(20) NOT NULL"
        self.sql(f"CREATE DATABASE {name}")
        self.sql(
            f"CREATE TABLE dbo.SentEmails({columns})",
            "INSERT dbo.SentEmails(v) VALUES (N'a'), (N'b'), (N'c')",
            database=name,
        )

    def restart_server(self, *arguments: str) -> None:
        """The same server again, with other arguments, for example faults."""
        self.server.stop()
        self.server.args = (*self.arguments, *arguments)
        self.server.start()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The server's arguments but for faults, which are those of one start."""
        given = self.server.args
        pairs = zip(given[::2], given[1::2], strict=True)
        return tuple(word for pair in pairs if pair[0] != "--fault" for word in pair)

    def restore(self, *words: str, yes: bool = True) -> subprocess.CompletedProcess[str]:
        """`selfmx-restore` with these words."""
        return self.run("selfmx-restore", *words, *(["--yes"] if yes else []), timeout_s=110)

    def sql(self, *statements: str, database: str = "master") -> list[pyodbc.Row]:
        """Run statements as `sa`; the rows of the last one."""
        connection = self.server.connect(self.driver, database=database)
        try:
            rows: list[pyodbc.Row] = []
            for each in statements:
                cursor = connection.execute(each)
                rows = cursor.fetchall() if cursor.description else []
                while cursor.nextset():
                    pass
            return rows
        finally:
            connection.close()

    def seen(self) -> Seen:
        """Every database with its state, user access and rows; and the application."""
        listed = self.sql(
            "SELECT name AS name, state_desc AS state, user_access_desc AS access "
            "FROM sys.databases"
        )
        found = {
            _STAMP.sub("_STAMP", row.name): (row.state, row.access, self._emails(row))
            for row in listed
            if row.name not in SYSTEM
        }
        return Seen(found, self.app.is_running)

    def _emails(self, row: pyodbc.Row) -> int | None:
        if row.state != "ONLINE":
            return None
        name = row.name.replace("]", "]]")
        try:
            return int(self.sql(f"SELECT COUNT(*) FROM [{name}].dbo.SentEmails")[0][0])
        except pyodbc.Error:
            return None

    def names(self) -> list[str]:
        """The databases' names as they are."""
        rows = self.sql("SELECT name AS name FROM sys.databases ORDER BY name")
        return [row.name for row in rows if row.name not in SYSTEM]

    @property
    def plan(self) -> dict[str, Any] | None:
        """The last restore's plan in `state.json`; None where there is none."""
        if not (self.state / "state.json").exists():
            return None
        plan: dict[str, Any] | None = self.outcomes()["restore"]
        return plan

    def statements(self) -> list[str]:
        """Every batch that the server was sent, in order."""
        lines = self.server.sql_log.read_text(encoding="utf-8").splitlines()
        return [str(json.loads(line)["sql"]) for line in lines]

    def backup_is_intact(self) -> bool:
        """Whether the backup that was restored is what its manifest says."""
        path = self.backups / self.file
        manifest = json.loads(path.with_suffix(".json").read_text())
        return bool(manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest())


def told(done: subprocess.CompletedProcess[str], kind: str) -> Sequence[str]:
    """The lines on standard error that begin with `error: `, `hint: ` or `note: `."""
    return [
        line.removeprefix(f"{kind}: ")
        for line in done.stderr.splitlines()
        if line.startswith(f"{kind}: ")
    ]
