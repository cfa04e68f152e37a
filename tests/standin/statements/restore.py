"""RESTORE DATABASE, from a device and without one."""

import time
from dataclasses import dataclass
from typing import ClassVar

from tests.standin.database import Database
from tests.standin.messages import Refused, message, unknown_statement
from tests.standin.session import Session
from tests.standin.statements.abnormal import outside_of_transactions, terminating
from tests.standin.statements.device import open_for_reading, read_media, read_set
from tests.standin.statements.pattern import known, options_in, with_parts
from tests.standin.statements.progress import DEFAULT_STATS, Course, stats_of
from tests.standin.statements.restore_plan import RestoreOptions, find_target, plan
from tests.standin.statements.restore_run import COMMAND, RestoreRun, tell_end
from tests.standin.tsql import Found, Kind, Pattern, Token, written

_OPTIONS: dict[str, Kind | None] = {
    "REPLACE": None,
    "RECOVERY": None,
    "NORECOVERY": None,
    "CHECKSUM": None,
    "NO_CHECKSUM": None,
    "STOP_ON_ERROR": None,
    "STATS": Kind.NUMBER,
    "FILE": Kind.NUMBER,
}
_MOVE = Pattern.of("MOVE {logical:text} TO {physical:text}")
_NAME = "RESTORE DATABASE"


@dataclass(frozen=True, slots=True)
class RestoreDatabase:
    """RESTORE DATABASE from one disk device."""

    command: ClassVar[int] = COMMAND
    database: str
    device: str
    options: RestoreOptions

    def run(self, session: Session) -> None:
        """Check first; what fails then leaves the target as it was."""
        began = time.monotonic()
        with terminating(_NAME), session.requesting(_NAME) as request:
            outside_of_transactions(session)
            existing = find_target(session, self.database)
            with open_for_reading(session, self.device) as file:
                media = read_media(file, self.device)
                found = read_set(media, self.device, self.options.position)
                stats = stats_of(session, self.options.stats)
                course = Course(session, request, COMMAND, stats, shows_percent=True)
                intended = plan(
                    session.instance, self.database, existing, found.header, self.options
                )
                recovery = self.options.recovery
                run = RestoreRun(session, self.device, intended, course, recovery, began)
                run.run(file, found)


@dataclass(frozen=True, slots=True)
class Recover:
    """RESTORE DATABASE without FROM: the end of a sequence of RESTOREs (docs)."""

    command: ClassVar[int] = COMMAND
    database: str

    def run(self, session: Session) -> None:
        """Bring a whole one ONLINE; 3014 says 0 pages [inferred]."""
        began = time.monotonic()
        with terminating(_NAME):
            outside_of_transactions(session)
            database = find_target(session, self.database)
            if database is None:
                raise Refused(message(911, self.database))
            self._recover(session, database)
        tell_end(session, 0, began)

    def _recover(self, session: Session, database: Database) -> None:
        if session.instance.state_of(database) != "RESTORING":
            raise Refused(message(3153))
        if not database.is_whole:
            raise Refused(message(4333))
        database.state = "ONLINE"
        session.instance.store.save(database)


def _options(rest: tuple[Token, ...]) -> RestoreOptions:
    parts = with_parts(rest)
    moves = [found for part in parts if (found := _MOVE.match(part)) is not None]
    others = [part for part in parts if _MOVE.match(part) is None]
    options = options_in(others, "RESTORE", _OPTIONS)
    if options.has("RECOVERY") and options.has("NORECOVERY"):
        raise unknown_statement(written(rest))
    return RestoreOptions(
        position=options.number("FILE", 1),
        moves=tuple((one.value("logical"), one.value("physical")) for one in moves),
        replace=options.has("REPLACE"),
        recovery=not options.has("NORECOVERY"),
        checksum=options.has("CHECKSUM"),
        stats=options.number("STATS", DEFAULT_STATS) if options.has("STATS") else None,
    )


def _restore(found: Found) -> RestoreDatabase:
    options = _options(found.tokens("rest"))
    return RestoreDatabase(found.value("database"), found.value("device"), options)


def _recover(found: Found) -> Recover:
    return Recover(found.value("database"))


STATEMENTS = (
    known(
        "RESTORE DATABASE {database:name} FROM DISK = {device:text} {rest:rest}",
        _restore,
        source="capture",
    ),
    known("RESTORE DATABASE {database:name} WITH RECOVERY", _recover, source="docs"),
    known("RESTORE DATABASE {database:name}", _recover, source="docs"),
)
