"""BACKUP DATABASE and BACKUP LOG."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.access import may_back_up, state_refusal
from tests.standin.database import Database, RecoveryModel
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Refused, message
from tests.standin.options import Edition
from tests.standin.session import Session
from tests.standin.statements import backup_run
from tests.standin.statements.abnormal import outside_of_transactions, terminating
from tests.standin.statements.backup_run import BackupOptions
from tests.standin.statements.pattern import WithOptions, known, with_options
from tests.standin.statements.progress import DEFAULT_STATS, Course, stats_of
from tests.standin.statements.target import opened
from tests.standin.tsql import Found, Kind

_OPTIONS: dict[str, Kind | None] = {
    "COPY_ONLY": None,
    "FORMAT": None,
    "NOFORMAT": None,
    "INIT": None,
    "NOINIT": None,
    "SKIP": None,
    "NOSKIP": None,
    "CHECKSUM": None,
    "NO_CHECKSUM": None,
    "COMPRESSION": None,
    "NO_COMPRESSION": None,
    "NAME": Kind.TEXT,
    "DESCRIPTION": Kind.TEXT,
    "STATS": Kind.NUMBER,
}


@dataclass(frozen=True, slots=True)
class BackupDatabase:
    """BACKUP DATABASE to one disk device."""

    command: ClassVar[int] = backup_run.COMMAND
    database: str
    device: str
    options: BackupOptions

    def run(self, session: Session) -> None:
        """Back up, with the checks that come first."""
        with terminating("BACKUP DATABASE"):
            outside_of_transactions(session)
            database = session.find_database(self.database)
            _may_back_up(session, database, "BACKUP DATABASE")
            _check_state(session, database)
            self._check_compression(session)
            with session.working_in(database), session.instance.backup_of(database):
                self._back_up(session, database)

    def _check_compression(self, session: Session) -> None:
        if self.options.compression and session.instance.options.edition is Edition.EXPRESS:
            edition = session.instance.edition.name
            raise Refused(message(1844, "BACKUP DATABASE WITH COMPRESSION", edition))

    def _back_up(self, session: Session, database: Database) -> None:
        options = self.options
        with session.requesting("BACKUP DATABASE") as request:
            stats = stats_of(session, options.stats)
            course = Course(session, request, self.command, stats, shows_percent=True)
            with opened(
                session,
                self.device,
                fresh=options.format_media,
                overwrite=options.overwrite,
                compression=options.compression,
            ) as target:
                backup = backup_run.start(session, database, target, options, course)
                backup.run()
            backup.tell()


@dataclass(frozen=True, slots=True)
class BackupLog:
    """BACKUP LOG, which the stand-in only refuses the way a real server does."""

    command: ClassVar[int] = 235  # capture
    database: str
    device: str

    def run(self, session: Session) -> None:
        """4208 in SIMPLE (capture), 4214 before the first full backup (docs)."""
        with terminating("BACKUP LOG"):
            outside_of_transactions(session)
            database = session.find_database(self.database)
            _may_back_up(session, database, "BACKUP LOG")
            if database.recovery_model is RecoveryModel.SIMPLE:
                raise Refused(message(4208, "BACKUP LOG"))
            if not database.last_full_lsn:
                raise Refused(message(4214))
            raise Refused(message(STAND_IN, "log backups are not made here"))


def _may_back_up(session: Session, database: Database, statement: str) -> None:
    """262 for everybody who is not in db_backupoperator (report)."""
    if not may_back_up(session.instance, session.login, database):
        raise Refused(message(262, statement, database.name))


def _check_state(session: Session, database: Database) -> None:
    if session.instance.state_of(database) == "EMERGENCY":
        raise Refused(message(3033, database.name))
    refusal = state_refusal(session.instance, database)
    if refusal is not None:
        raise Refused(refusal)


def _compression(options: WithOptions) -> bool | None:
    if options.has("COMPRESSION"):
        return True
    return False if options.has("NO_COMPRESSION") else None


def _database(found: Found) -> BackupDatabase:
    options = with_options(found.tokens("rest"), "BACKUP", _OPTIONS)
    chosen = BackupOptions(
        name=options.text("NAME"),
        description=options.text("DESCRIPTION"),
        copy_only=options.has("COPY_ONLY"),
        checksum=options.has("CHECKSUM"),
        compression=_compression(options),
        overwrite=options.has("INIT"),
        format_media=options.has("FORMAT"),
        stats=options.number("STATS", DEFAULT_STATS) if options.has("STATS") else None,
    )
    return BackupDatabase(found.value("database"), found.value("device"), chosen)


def _log(found: Found) -> BackupLog:
    with_options(found.tokens("rest"), "BACKUP", _OPTIONS)
    return BackupLog(found.value("database"), found.value("device"))


STATEMENTS = (
    known(
        "BACKUP DATABASE {database:name} TO DISK = {device:text} {rest:rest}",
        _database,
        source="capture",
    ),
    known("BACKUP LOG {database:name} TO DISK = {device:text} {rest:rest}", _log, source="capture"),
)
