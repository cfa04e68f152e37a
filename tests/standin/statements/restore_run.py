"""The work of one RESTORE DATABASE: rows out of a set, messages to the client."""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Never

from tests.standin import clock
from tests.standin.database import (
    EMPTY_FILE_BYTES,
    MIB,
    MULTI_USER,
    SINGLE_USER,
    Database,
    RecoveryModel,
)
from tests.standin.media import BackupSet, EndOfFile, blocks
from tests.standin.messages import Message, Refused, message
from tests.standin.pages import PAGE_BYTES, are_in_order, rows_in
from tests.standin.paths import END_OF_FILE, VOLUME_FULL_IN_RESTORE, described
from tests.standin.session import Session
from tests.standin.statements.device import failed_read
from tests.standin.statements.fault_points import Effect, interruptions, points
from tests.standin.statements.progress import Course
from tests.standin.statements.restore_plan import Plan

COMMAND = 229  # capture
_FIRST_DATA_FILE = 1


@dataclass(slots=True)
class RestoreRun:
    """One RESTORE. From `run` on the target is RESTORING until all of it was read."""

    session: Session
    device: str
    plan: Plan
    course: Course
    recovery: bool
    began: float

    def run(self, file: BinaryIO, found: BackupSet) -> None:
        """Overwrite or make the database, then say what was done."""
        sessions = self.session.instance.sessions
        database = self._begin()
        with sessions.visiting(self.session.member, database.database_id):
            self.course.total_pages = found.header.total_pages
            self.course.fault_points = points(self.session, self._effects())
            self._make_room()
            try:
                rows = b"".join(self._pieces(file, found))
            except EndOfFile as error:
                raise Refused(failed_read(self.device, END_OF_FILE)) from error
            self._finish(database, rows[: found.header.rows_bytes])
        self._tell(found.header.position)

    def _begin(self) -> Database:
        """What was there is gone; a server that dies now finds it RESTORING (docs)."""
        store, plan = self.session.instance.store, self.plan
        database = plan.existing
        if database is None:
            database = store.create(plan.name, owner_sid=store.sid_of(self.session.login.name))
        database.state, database.is_whole = "RESTORING", False
        database.tables, database.files = {}, plan.files
        database.family_guid = plan.header.family_guid
        for one in plan.files:
            store.overwrite_stray(one.physical_name)
        store.save(database)
        return database

    def _effects(self) -> dict[str, Effect]:
        def fail() -> Never:
            raise Refused(self._damage())

        return {**interruptions(self.session, "-restore"), "fail-restore": fail}

    def _make_room(self) -> None:
        """Files are made in full size; Linux has no check before (report): OS error 31."""
        if self.session.instance.volume_free_bytes < 0:
            largest = max(self.plan.files, key=lambda one: one.size_bytes)
            reason = described(VOLUME_FULL_IN_RESTORE)
            raise Refused(message(5149, reason, largest.physical_name))

    def _pieces(self, file: BinaryIO, found: BackupSet) -> Iterator[bytes]:
        """The rows in each run of pages; stops at the first bad one (docs)."""
        for block in blocks(file, found):
            self.course.meet_faults()
            if block is None or not are_in_order(block, self.course.pages):
                raise Refused(self._damage())
            yield rows_in(block)
            self.course.advance(len(block) // PAGE_BYTES, len(block))
            self.course.report()
        self.course.meet_faults()

    def _damage(self) -> Message:
        return message(3183, _FIRST_DATA_FILE, self.course.pages, self.plan.name)

    def _finish(self, database: Database, rows: bytes) -> None:
        """The database as it was backed up; its options too (docs)."""
        header = self.plan.header
        database.take_rows(rows)
        database.recovery_model = RecoveryModel(header.recovery_model)
        database.user_access = SINGLE_USER if header.is_single_user else MULTI_USER
        database.broker_guid = header.broker_guid
        # Both are off after a RESTORE (docs for TRUSTWORTHY; inferred for the broker).
        database.is_broker_enabled = database.is_trustworthy = False
        database.database_guid, database.fork_guid = str(uuid.uuid4()), str(uuid.uuid4())
        database.filler_mib = (database.files[0].size_bytes - EMPTY_FILE_BYTES) // MIB
        database.created_at = clock.now()
        database.last_full_lsn = 0
        database.is_whole = True
        database.state = "ONLINE" if self.recovery else "RESTORING"
        if database.user_access == MULTI_USER:
            self.session.instance.sessions.release(database.database_id)
        self.session.instance.store.save(database)

    def _tell(self, position: int) -> None:
        """4035 for each file with the target's name, then 3014 (capture)."""
        reply, header = self.session.reply, self.plan.header
        for one in header.files:
            where = (self.plan.name, one.logical_name, position)
            reply.announce(message(4035, one.pages, *where), COMMAND)
        tell_end(self.session, header.total_pages, self.began)


def tell_end(session: Session, pages: int, began: float) -> None:
    """3014 and the last DONE."""
    seconds = max(0.001, time.monotonic() - began)
    rate = pages * PAGE_BYTES / MIB / seconds
    session.reply.say(message(3014, "RESTORE DATABASE", pages, f"{seconds:.3f}", f"{rate:.3f}"))
    session.reply.done(COMMAND)
