"""The few statements about rows that tests need to see that the data are really there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tests.standin.columns import COMPUTED, INT, NULLABLE, Integer, NVarChar, RowSet, declare
from tests.standin.database import Database, Table
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Refused, message, unknown_statement
from tests.standin.session import Session
from tests.standin.statements.catalog import SELECT
from tests.standin.statements.pattern import known
from tests.standin.tsql import Found, Kind, Token, split, written


@dataclass(frozen=True, slots=True)
class Place:
    """A table in schema dbo; `database` None is the present context."""

    database: str | None
    table: str

    def find(self, session: Session, right: str) -> tuple[Database, Table]:
        """The database and its table; only a sysadmin has rights on tables (229)."""
        database = session.find_database(self.database or session.database)
        with session.working_in(database):
            table = database.table(self.table)
        if table is None:
            raise Refused(message(208, f"dbo.{self.table}"))
        if not session.login.is_sysadmin:
            raise Refused(message(229, right, self.table, database.name))
        return database, table


def _place(found: Found) -> Place:
    database = found.value("database") if "database" in found.values else None
    return Place(database, found.value("table"))


@dataclass(frozen=True, slots=True)
class CreateTable:
    """The capture's own table: an identity and a text."""

    command: ClassVar[int] = 198  # capture
    table: str

    def run(self, session: Session) -> None:
        """Make it in the present database."""
        database = session.find_database(session.database)
        if database.table(self.table) is not None:
            raise Refused(message(STAND_IN, f"table {self.table} exists"))
        database.tables[self.table] = Table(("id", "v"), [])
        session.instance.store.save(database)
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT of texts into the capture's table."""

    command: ClassVar[int] = 195  # capture
    place: Place
    texts: tuple[str, ...]

    def run(self, session: Session) -> None:
        """Append rows; the identity counts on."""
        database, table = self.place.find(session, "INSERT")
        for text in self.texts:
            table.rows.append([len(table.rows) + 1, text])
        session.instance.store.save(database)
        session.reply.done(self.command, count=len(self.texts))


@dataclass(frozen=True, slots=True)
class SelectRows:
    """SELECT id, v, in the order in which the rows came."""

    command: ClassVar[int] = SELECT
    place: Place

    def run(self, session: Session) -> None:
        """Send them."""
        _, table = self.place.find(session, "SELECT")
        if table.columns != ("id", "v"):
            raise Refused(message(STAND_IN, f"columns of table {self.place.table}"))
        columns = [declare("id", INT), declare("v", NVarChar(20), NULLABLE)]
        session.reply.rows(RowSet(columns, table.rows))
        session.reply.done(SELECT, count=len(table.rows))


@dataclass(frozen=True, slots=True)
class Count:
    """SELECT COUNT(*)."""

    command: ClassVar[int] = SELECT
    place: Place

    def run(self, session: Session) -> None:
        """Send the number."""
        _, table = self.place.find(session, "SELECT")
        columns = [declare("", Integer(4), NULLABLE | COMPUTED)]
        session.reply.rows(RowSet(columns, [[len(table.rows)]]))
        session.reply.done(SELECT, count=1)


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE of all rows."""

    command: ClassVar[int] = 196  # inferred from its neighbours
    place: Place

    def run(self, session: Session) -> None:
        """Empty the table."""
        database, table = self.place.find(session, "DELETE")
        count = len(table.rows)
        table.rows.clear()
        session.instance.store.save(database)
        session.reply.done(self.command, count=count)


def _texts(rest: Sequence[Token]) -> tuple[str, ...]:
    """The texts of `(N'a'), (N'b')`."""
    texts = []
    for row in split(rest, ","):
        if len(row) != 3 or not row[0].is_sign("(") or row[1].kind is not Kind.TEXT:
            raise unknown_statement("INSERT ... VALUES " + written(rest))
        texts.append(row[1].value)
    return tuple(texts)


def _insert(found: Found) -> Insert:
    return Insert(_place(found), _texts(found.tokens("rows")))


def _select(found: Found) -> SelectRows:
    return SelectRows(_place(found))


def _count(found: Found) -> Count:
    return Count(_place(found))


def _delete(found: Found) -> Delete:
    return Delete(_place(found))


_HERE, _THERE = "dbo.{table:name}", "{database:name}.dbo.{table:name}"

STATEMENTS = (
    known(
        "CREATE TABLE dbo.{table:name}(id int IDENTITY(1,1) PRIMARY KEY, v nvarchar(20) NOT NULL)",
        lambda found: CreateTable(found.value("table")),
        source="capture",
    ),
    known("INSERT dbo.{table:name}(v) VALUES {rows:rest}", _insert, source="capture"),
    *(
        known(f"SELECT id, v FROM {place}{order}", _select, source="capture")
        for place in (_HERE, _THERE)
        for order in ("", " ORDER BY id")
    ),
    *(known(f"SELECT COUNT(*) FROM {place}", _count, source="docs") for place in (_HERE, _THERE)),
    *(known(f"DELETE FROM {place}", _delete, source="docs") for place in (_HERE, _THERE)),
)
