"""RESTORE VERIFYONLY, which reads a whole backup set."""

from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from tests.standin.media import BackupSet, EndOfFile, blocks
from tests.standin.messages import Refused, message
from tests.standin.pages import PAGE_BYTES, are_in_order
from tests.standin.paths import DATA_DIRECTORY, END_OF_FILE
from tests.standin.session import Session
from tests.standin.statements.abnormal import terminating
from tests.standin.statements.device import (
    failed_read,
    may_read,
    open_for_reading,
    read_media,
    read_set,
)
from tests.standin.statements.fault_points import interruptions, points
from tests.standin.statements.pattern import known, with_options
from tests.standin.statements.progress import DEFAULT_STATS, Course, stats_of
from tests.standin.tsql import Found, Kind

_OPTIONS: dict[str, Kind | None] = {
    "FILE": Kind.NUMBER,
    "STATS": Kind.NUMBER,
    "CHECKSUM": None,
    "NO_CHECKSUM": None,
}
# sys.dm_exec_requests shows 16 characters (report; not verified on 2022).
_REQUEST = "RESTORE VERIFYON"


@dataclass(frozen=True, slots=True)
class VerifyOnly:
    """RESTORE VERIFYONLY of one set."""

    command: ClassVar[int] = 377  # capture
    device: str
    position: int
    checksum: bool
    stats: int | None

    def run(self, session: Session) -> None:
        """Read everything, then say that the set is valid; 3013 says VERIFY DATABASE (report)."""
        with terminating("VERIFY DATABASE"), session.requesting(_REQUEST) as request:
            may_read(session)
            # The documentation does not name VERIFYONLY among what fills percent_complete.
            course = Course(
                session, request, self.command, stats_of(session, self.stats), shows_percent=False
            )
            with open_for_reading(session, self.device) as file:
                self._verify(course, file)
        if session.instance.faults.happens("space-note"):
            session.reply.announce(message(3181), self.command)
            session.reply.announce(message(3257, DATA_DIRECTORY, 1048576, 4096), self.command)
        session.reply.say(message(3262, self.position))
        session.reply.done(self.command)

    def _verify(self, course: Course, file: BinaryIO) -> None:
        found = read_set(read_media(file, self.device), self.device, self.position)
        if self.checksum and not found.header.checksums:
            raise Refused(message(3187))
        course.fault_points = points(course.session, interruptions(course.session, "-verify"))
        course.total_pages = found.header.total_pages
        try:
            sound = _all_sound(course, file, found)
        except EndOfFile as error:
            raise Refused(failed_read(self.device, END_OF_FILE)) from error
        if not sound:
            raise Refused(message(3189))


def _all_sound(course: Course, file: BinaryIO, found: BackupSet) -> bool:
    """Whether every page is good; goes on after a bad one and reports at the end (docs)."""
    sound = True
    for block in blocks(file, found):
        course.meet_faults()
        left = course.total_pages - course.pages
        if block is None or not are_in_order(block, course.pages):
            sound = False
            count = min(found.header.run_pages, left)
        else:
            count = len(block) // PAGE_BYTES
        course.advance(count, count * PAGE_BYTES)
        course.report()
    course.meet_faults()
    return sound and course.pages == course.total_pages


def _verify_only(found: Found) -> VerifyOnly:
    options = with_options(found.tokens("rest"), "RESTORE", _OPTIONS)
    return VerifyOnly(
        device=found.value("device"),
        position=options.number("FILE", 1),
        checksum=options.has("CHECKSUM"),
        stats=options.number("STATS", DEFAULT_STATS) if options.has("STATS") else None,
    )


STATEMENTS = (
    known(
        "RESTORE VERIFYONLY FROM DISK = {device:text} {rest:rest}", _verify_only, source="capture"
    ),
)
