"""RESTORE HEADERONLY and FILELISTONLY: what reads the headers of a backup."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.columns import RowSet
from tests.standin.session import Session
from tests.standin.statements.abnormal import terminating
from tests.standin.statements.device import may_read, open_for_reading, read_media, read_set
from tests.standin.statements.header_rows import file_list_only, header_only
from tests.standin.statements.pattern import known, with_options
from tests.standin.tsql import Found, Kind

_ROWS = 230  # CurCmd of the DONE behind a row set of RESTORE (capture)
_FILE: dict[str, Kind | None] = {"FILE": Kind.NUMBER}
# sys.dm_exec_requests shows 16 characters (report; not verified on 2022).
_HEADER_REQUEST, _FILE_LIST_REQUEST = "RESTORE HEADERON", "RESTORE FILELIST"


@dataclass(frozen=True, slots=True)
class HeaderOnly:
    """RESTORE HEADERONLY."""

    command: ClassVar[int] = 250  # capture
    device: str
    position: int | None

    def run(self, session: Session) -> None:
        """A row for each set, or for the one that FILE names."""
        with terminating("RESTORE HEADERONLY"), session.requesting(_HEADER_REQUEST):
            may_read(session)
            with open_for_reading(session, self.device) as file:
                media = read_media(file, self.device)
            rows = header_only(media)
            if self.position is not None:
                read_set(media, self.device, self.position)
                rows = RowSet(rows.columns, [rows.rows[self.position - 1]])
        session.reply.rows(rows)
        session.reply.done(_ROWS, count=len(rows.rows), more=True)
        session.reply.done(self.command)


@dataclass(frozen=True, slots=True)
class FileListOnly:
    """RESTORE FILELISTONLY."""

    command: ClassVar[int] = 376  # capture
    device: str
    position: int

    def run(self, session: Session) -> None:
        """A row for each file; 3013 says FILELIST (report)."""
        with terminating("RESTORE FILELIST"), session.requesting(_FILE_LIST_REQUEST):
            may_read(session)
            with open_for_reading(session, self.device) as file:
                media = read_media(file, self.device)
            rows = file_list_only(read_set(media, self.device, self.position))
        session.reply.rows(rows)
        session.reply.done(_ROWS, count=len(rows.rows), more=True)
        session.reply.done(self.command)


def _header_only(found: Found) -> HeaderOnly:
    options = with_options(found.tokens("rest"), "RESTORE", _FILE)
    position = options.number("FILE", 1) if options.has("FILE") else None
    return HeaderOnly(found.value("device"), position)


def _file_list_only(found: Found) -> FileListOnly:
    options = with_options(found.tokens("rest"), "RESTORE", _FILE)
    return FileListOnly(found.value("device"), options.number("FILE", 1))


STATEMENTS = (
    known(
        "RESTORE HEADERONLY FROM DISK = {device:text} {rest:rest}", _header_only, source="capture"
    ),
    known(
        "RESTORE FILELISTONLY FROM DISK = {device:text} {rest:rest}",
        _file_list_only,
        source="capture",
    ),
)
