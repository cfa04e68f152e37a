"""DBCC CHECKDB: silent where all is well (report), errors where a fault put damage."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin import pages
from tests.standin.access import owns
from tests.standin.columns import Integer, NVarChar, RowSet, declare
from tests.standin.database import Database
from tests.standin.messages import Message, NotCompiled, Refused, message, unknown_statement
from tests.standin.reply import ERROR
from tests.standin.session import Session
from tests.standin.statements.fault_points import interruptions, points
from tests.standin.statements.pattern import known
from tests.standin.statements.progress import Course, Stats
from tests.standin.tsql import Found, Token, split, written

# What sys.dm_exec_requests shows (report).
_REQUEST = "DBCC TABLE CHECK"
_OPTIONS = {"NO_INFOMSGS", "ALL_ERRORMSGS", "PHYSICAL_ONLY", "TABLERESULTS"}
_OBJECT_ID, _PARTITION_ID, _FIRST_PAGE = 245575913, 72057594043105280, 312
_ERRORS_PER_PAGE = 2

_COLUMNS = (
    ("Error", Integer(4)),
    ("Level", Integer(4)),
    ("State", Integer(4)),
    ("MessageText", NVarChar(4000)),
    ("RepairLevel", NVarChar(22)),
    ("Status", Integer(4)),
    ("DbId", Integer(2)),
)


@dataclass(frozen=True, slots=True)
class CheckDatabase:
    """DBCC CHECKDB WITH NO_INFOMSGS."""

    command: ClassVar[int] = 230  # inferred: what ends row sets of the same family
    name: str
    as_rows: bool

    def run(self, session: Session) -> None:
        """Read every page; the database is in use meanwhile."""
        database = session.find_database(self.name)
        if not owns(session.instance, session.login, database):
            raise Refused(message(7983, session.login.name, "CHECKDB", database.name))
        with session.working_in(database), session.requesting(_REQUEST) as request:
            course = Course(
                session, request, self.command, Stats(None, rough=False), shows_percent=True
            )
            _read(course, database)
        damaged = _damaged_pages(session)
        if damaged:
            self._complain(session, database, damaged)
        else:
            session.reply.done(self.command)

    def _complain(self, session: Session, database: Database, damaged: int) -> None:
        """The errors, how many, and what repairs them; in this order (docs)."""
        found = _findings(database.name, damaged)
        if self.as_rows:
            columns = [declare(name, kind) for name, kind in _COLUMNS]
            rows = [_row(one, database) for one in found]
            session.reply.rows(RowSet(columns, rows))
            session.reply.done(self.command, count=len(rows))
            return
        for one in found:
            session.reply.say(one)
        session.reply.done(self.command, status=ERROR)


def _read(course: Course, database: Database) -> None:
    image = pages.image(database)
    course.total_pages = image.total_pages
    course.fault_points = points(course.session, interruptions(course.session, "-checkdb"))
    while course.pages < course.total_pages:
        course.meet_faults()
        count = min(image.run_pages, course.total_pages - course.pages)
        course.advance(count, count * pages.PAGE_BYTES)
    course.meet_faults()


def _damaged_pages(session: Session) -> int:
    faults = session.instance.faults
    return int(faults.name_of("checkdb") or 0) if faults.happens("checkdb") else 0


def _findings(name: str, damaged: int) -> list[Message]:
    found: list[Message] = []
    for page in range(_FIRST_PAGE, _FIRST_PAGE + damaged):
        where = (_OBJECT_ID, _PARTITION_ID, page)
        found += [message(8928, *where), message(8939, *where)]
    counts = message(8989, 0, _ERRORS_PER_PAGE * damaged, name)
    return [*found, counts, message(8958, name)]


def _row(one: Message, database: Database) -> list[object]:
    repair = "repair_allow_data_loss" if one.is_error else None
    level = one.severity if one.is_error else 10
    return [one.number, level, one.state, one.text, repair, 0, database.database_id]


def _check(found: Found) -> CheckDatabase:
    chosen = {_option(part) for part in split(found.tokens("options"), ",")}
    if "NO_INFOMSGS" not in chosen:
        # Pages of 2536, 2593 and Service Broker's lines, which nobody needs.
        raise unknown_statement("DBCC CHECKDB without NO_INFOMSGS")
    return CheckDatabase(found.value("database"), "TABLERESULTS" in chosen)


def _option(part: tuple[Token, ...]) -> str:
    option = written(part).upper()
    if option not in _OPTIONS:
        raise NotCompiled(*unknown_statement(f"DBCC CHECKDB WITH {option}").messages)
    return option


STATEMENTS = (
    known("DBCC CHECKDB({database:text}) WITH {options:rest}", _check, source="report; docs"),
    known("DBCC CHECKDB({database:name}) WITH {options:rest}", _check, source="docs"),
)
