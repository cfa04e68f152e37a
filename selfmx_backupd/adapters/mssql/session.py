"""One connection to SQL Server, and how a statement is run to its true end.

Every message of BACKUP and RESTORE is a result of its own. `execute` returns at the
first one, while the server still works; closing the cursor then sends an attention and
the server gives the backup up, without an error anywhere. So every statement is drained
with `nextset` to the end, and errors are caught from both (seen with Driver 18 and
FreeTDS; pyodbc issues 471, 795 and 851).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from selfmx_backupd.adapters.mssql import failures, numbers, statements
from selfmx_backupd.adapters.mssql.odbc import pyodbc
from selfmx_backupd.adapters.mssql.watch import Stall, Watch
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import PermissionMissing, ServerRefused
from selfmx_backupd.model import Server

# A hung server must not hang us: no short statement takes so long on a healthy one.
_SHORT_STATEMENT_S = 300
_NO_TIMEOUT_S = 0

_NUMBER = re.compile(r"\((\d+)\)")
_PERCENT = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Message:
    """What the server says while it works: its number and its text."""

    number: int
    text: str

    @property
    def percent(self) -> int | None:
        """The progress that a message 3211 reports."""
        found = _PERCENT.search(self.text)
        return int(found[1]) if self.number == numbers.PERCENT_PROCESSED and found else None


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Whom we reached.

    Attributes:
        server: As the manifest names it.
        session_id: Of this session.
        compresses: Whether the edition can compress backups (not Express, not Web).
        sees_all: Whether our login sees what other sessions do.
    """

    server: Server
    session_id: int
    compresses: bool
    sees_all: bool


# EngineEdition 3 is Enterprise, Developer and Evaluation, 8 a managed instance; Standard
# shares its 2 with Web and is told by its EditionID. Source: SERVERPROPERTY and BACKUP
# COMPRESSION in Microsoft's reference.
_COMPRESSING_ENGINES = frozenset({3, 8})
_STANDARD = frozenset({-1534726760, -1785266663})


class Session:
    """A connection in master, in autocommit, used by one thread."""

    def __init__(self, connection: pyodbc.Connection, *, address: str, driver: str) -> None:
        self._connection = connection
        self.address = address
        self.driver = driver

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session; a link that is already dead is no error."""
        with suppress(pyodbc.Error):
            self._connection.close()

    def rows(self, sql: str, doing: str) -> list[dict[str, Any]]:
        """Run a short statement that answers with one set of rows, each by column name.

        Late errors count: they come after the rows, from `nextset`.
        """
        with self._short(sql, doing) as cursor:
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute(self, sql: str, doing: str) -> None:
        """Run a short statement that answers with messages at most."""
        with self._short(sql, doing):
            pass

    @contextmanager
    def _short(self, sql: str, doing: str) -> Iterator[pyodbc.Cursor]:
        """A short statement, drained and freed at the end."""
        cursor = self._cursor(_SHORT_STATEMENT_S, doing)
        try:
            cursor.execute(sql)
            yield cursor
            while cursor.nextset():
                pass
        except pyodbc.Error as error:
            raise failures.while_running(error, doing) from error
        finally:
            _close(cursor)

    def run(
        self,
        sql: str,
        doing: str,
        *,
        cancel: Cancel,
        heard: Callable[[Message], None],
        stall: Stall | None,
        found: Callable[[dict[str, Any]], None] | None = None,
    ) -> frozenset[int]:
        """Run a long statement to its end.

        Args:
            sql: The statement; it answers with messages, and with rows where `found` is given.
            doing: What is being done, for errors: "the backup of SelfMX".
            cancel: Ends the statement on the server.
            heard: Told each message as it comes.
            stall: When to give up for want of progress; None never does.
            found: Told each row, by column name.

        Returns:
            The numbers of all messages, which are the evidence of success.

        Raises:
            Cancelled, Stalled: We ended it; the server tells no more than that.
            BackupdError: The server, or the link, ended it.
        """
        cursor = self._cursor(_NO_TIMEOUT_S, doing)
        seen: set[int] = set()
        try:
            with Watch(cursor.cancel, cancel, stall, doing) as watch:
                try:
                    cursor.execute(sql)
                    self._hear(cursor, seen, watch, heard)
                    _fetch(cursor, found)
                    while cursor.nextset():
                        self._hear(cursor, seen, watch, heard)
                        _fetch(cursor, found)
                except pyodbc.Error as error:
                    raise (watch.cause or failures.while_running(error, doing)) from error
            if watch.cause is not None:
                # A cancelled statement can also just end, without an error.
                raise watch.cause
        finally:
            # Not before the watch has ended: freeing a statement while another thread is
            # inside SQLCancel for it crashes the process (seen with Driver 18).
            _close(cursor)
        return frozenset(seen)

    @cached_property
    def facts(self) -> SessionFacts:
        """Whom we reached, and what it and our login can do; asked once."""
        row = self.rows(statements.server_facts(), "asking for the server's properties")[0]
        engine, edition = row["engine_edition"], row["edition_id"]
        return SessionFacts(
            server=Server(
                name=row["server_name"], version=row["product_version"], edition=row["edition"]
            ),
            session_id=row["session_id"],
            compresses=engine in _COMPRESSING_ENGINES or edition in _STANDARD,
            sees_all=bool(row["sees_all"]),
        )

    def raise_missing_right(self, database: str, error: ServerRefused) -> None:
        """Raise the reason behind a bare 3013, where it is a missing right; else return.

        FreeTDS shows the record of the highest severity first. So of "262 of severity 14,
        then 3013 of severity 16" only 3013 reaches us, and the reason has to be asked for
        (seen with FreeTDS 1.3.17).
        """
        if error.number != numbers.TERMINATED:
            return
        missing = self.missing_right(database)
        if missing is not None:
            sentence = f"{error.message}: {missing.message}"
            raise PermissionMissing(sentence, hint=missing.hint, number=error.number) from error

    def missing_right(self, database: str) -> PermissionMissing | None:
        """The right that our login lacks for a backup, as the error that it would give."""
        row = self.rows(statements.rights(database), "asking for our login's rights")[0]
        if row["may_read_backups"] == 0:
            lacking, hint = "CREATE DATABASE in master", failures.GRANT_READING
        elif row["may_back_up"] == 0:
            lacking, hint = f"BACKUP DATABASE in {database}", failures.GRANT_BACKUP
        else:
            return None
        return PermissionMissing(f"our login lacks the right to {lacking}", hint=hint)

    def _cursor(self, timeout_s: int, doing: str) -> pyodbc.Cursor:
        """A new cursor, which takes over the time-out that the connection has at that moment."""
        try:
            self._connection.timeout = timeout_s
            return self._connection.cursor()
        except pyodbc.Error as error:
            raise failures.while_running(error, doing) from error

    @staticmethod
    def _hear(
        cursor: pyodbc.Cursor, seen: set[int], watch: Watch, heard: Callable[[Message], None]
    ) -> None:
        # Collected after each step: `nextset` replaces them, and its last call empties them.
        for head, body in cursor.messages or ():
            found = _NUMBER.search(head)
            message = Message(int(found[1]) if found else 0, failures.without_prefixes(body))
            seen.add(message.number)
            watch.moved()
            heard(message)


def _fetch(cursor: pyodbc.Cursor, found: Callable[[dict[str, Any]], None] | None) -> None:
    if found is None or cursor.description is None:
        return
    names = [column[0] for column in cursor.description]
    for row in cursor:
        found(dict(zip(names, row, strict=True)))


def _close(cursor: pyodbc.Cursor) -> None:
    with suppress(pyodbc.Error):
        cursor.close()
