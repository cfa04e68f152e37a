"""The work of one BACKUP DATABASE: pages into a set, messages to the client."""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tests.standin import clock, media, pages
from tests.standin.database import SINGLE_USER, Database
from tests.standin.instance import DATABASE_VERSION, NEWER_DATABASE_VERSION, SERVER_NAME
from tests.standin.messages import Refused, message
from tests.standin.paths import DISK_FULL, described
from tests.standin.reply import ERROR
from tests.standin.session import Session
from tests.standin.statements.device import failed_write
from tests.standin.statements.fault_points import interruptions, points
from tests.standin.statements.progress import Course
from tests.standin.statements.target import Target

COMMAND = 228  # capture
_LOG_BLOCKS_PER_BACKUP = 24


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """What WITH says, with the defaults of the documentation."""

    name: str | None
    description: str | None
    copy_only: bool
    checksum: bool
    compression: bool | None
    overwrite: bool
    format_media: bool
    stats: int | None


@dataclass(slots=True)
class BackupRun:
    """One BACKUP: `run` while the device is open, `tell` once it is closed."""

    session: Session
    database: Database
    target: Target
    options: BackupOptions
    checksums: bool
    course: Course
    image: pages.Image
    began: float
    middle_at: int = 0

    def run(self) -> None:
        """Write the set, and apply what the faults do to the file."""
        file = self.target.file
        writer = media.Writer(file, checksums=self.checksums, compressed=self.target.compressed)
        database = self.database
        first_lsn = database.advance_log(_LOG_BLOCKS_PER_BACKUP)
        with _as_write_error(self.target.device):
            if self.target.is_new_media:
                writer.start_media(self.target.header)
            writer.start_set(self._header(first_lsn))
            self._write_pages(writer, file)
            last_lsn = database.advance_log(1)
            finished_at = clock.server_local(clock.now()).isoformat()
            writer.end_set(last_lsn=last_lsn, finished_at=finished_at)
            file.flush()
        if not self.options.copy_only:
            database.last_full_lsn = first_lsn
        self.session.instance.store.save(database)
        self._damage(file)

    def _write_pages(self, writer: media.Writer, file: BinaryIO) -> None:
        between = self.session.instance.faults.name_of("order") == "between"
        for run in pages.runs(self.image):
            self.course.meet_faults()
            writer.pages(run)
            file.flush()
            if not self.middle_at and self.course.percent >= 50:
                self.middle_at = file.tell() - 1
            self.course.advance(len(run) // pages.PAGE_BYTES, len(run))
            self.course.report(up_to=99 if between else 100)
        self.course.meet_faults()

    def tell(self) -> None:
        """4035 for the data file and the log file, then 3014 (capture).

        The file is complete and closed: whoever leaves now does not undo it.
        """
        reply, position = self.session.reply, self.target.position
        data, log = (one.logical_name for one in self.database.files)
        name = self.database.name
        processed = message(4035, self.image.data_pages, name, data, position)
        reply.announce(processed, COMMAND)
        # Already said, unless 100 percent comes between the two (docs show both orders).
        self.course.report()
        reply.announce(message(4035, pages.LOG_PAGES, name, log, position), COMMAND)
        seconds = max(0.001, time.monotonic() - self.began)
        rate = self.image.total_pages * pages.PAGE_BYTES / 2**20 / seconds
        end = ("BACKUP DATABASE", self.image.total_pages, f"{seconds:.3f}", f"{rate:.3f}")
        reply.say(message(3014, *end))
        if self.session.instance.faults.happens("history"):
            # An error after success: no 3013, and the file stays (docs).
            reply.done(COMMAND, more=True)
            reply.say(message(3009))
            reply.done(COMMAND, status=ERROR)
            return
        family = self.target.header.media_family_guid
        self.session.instance.store.remember_backup(self.target.device, family)
        reply.done(COMMAND)

    def _header(self, first_lsn: int) -> media.SetHeader:
        database, options = self.database, self.options
        return media.SetHeader(
            position=self.target.position,
            name=options.name,
            description=options.description,
            compressed=self.target.compressed,
            checksums=self.checksums,
            copy_only=options.copy_only,
            user_name=self.session.login.name,
            server_name=SERVER_NAME,
            database_name=database.name,
            database_created_at=clock.server_local(database.created_at).isoformat(),
            recovery_model=database.recovery_model,
            family_guid=database.family_guid,
            database_guid=database.database_guid,
            fork_guid=database.fork_guid,
            broker_guid=database.broker_guid,
            set_guid=str(uuid.uuid4()),
            first_lsn=first_lsn,
            checkpoint_lsn=first_lsn,
            database_backup_lsn=database.last_full_lsn,
            started_at=clock.server_local(clock.now()).isoformat(),
            database_version=self._version(),
            is_single_user=database.user_access == SINGLE_USER,
            rows_bytes=len(self.image.rows),
            run_pages=self.image.run_pages,
            files=self._files(),
        )

    def _files(self) -> tuple[media.SetFile, ...]:
        page_counts = (self.image.data_pages, pages.LOG_PAGES)
        return tuple(
            media.SetFile(
                file_id=one.file_id,
                logical_name=one.logical_name,
                physical_name=one.physical_name,
                type=one.type,
                guid=one.guid,
                size_bytes=one.size_bytes,
                pages=count,
            )
            for one, count in zip(self.database.files, page_counts, strict=True)
        )

    def _version(self) -> int:
        is_newer = self.session.instance.faults.happens("newer")
        return NEWER_DATABASE_VERSION if is_newer else DATABASE_VERSION

    def _damage(self, file: BinaryIO) -> None:
        """What the world does to a file once BACKUP has written it."""
        faults = self.session.instance.faults
        if faults.happens("flip"):
            _flip(file, self.middle_at)
        if faults.happens("damaged-header"):
            _flip(file, 0)
        kept_percent = faults.percent("truncate")
        if kept_percent is not None:
            file.truncate(int(file.seek(0, os.SEEK_END) * kept_percent / 100))
        file.flush()


def start(
    session: Session, database: Database, target: Target, options: BackupOptions, course: Course
) -> BackupRun:
    """A BACKUP that is ready to run; `course` is told what there is to read."""
    image = pages.image(database)
    course.total_pages = image.total_pages

    def fill_disk() -> None:
        raise Refused(message(3202, target.device, described(DISK_FULL)))

    effects = {**interruptions(session), "diskfull": fill_disk}
    course.fault_points = points(session, effects)
    ignored = session.instance.faults.happens("no-checksum")
    return BackupRun(
        session=session,
        database=database,
        target=target,
        options=options,
        checksums=options.checksum and not ignored,
        course=course,
        image=image,
        began=time.monotonic(),
    )


@contextlib.contextmanager
def _as_write_error(device: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failed_write(device, error) from error


def _flip(file: BinaryIO, at: int) -> None:
    file.seek(at)
    byte = file.read(1)[0]
    file.seek(at)
    file.write(bytes([byte ^ 0x01]))
