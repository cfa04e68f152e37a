"""A database as pages of 8 KiB, as BACKUP reads them: rows, room of the system's own, filler.

Each page starts with a header that carries its number, because RESTORE VERIFYONLY checks
page ids even in backups without checksums (docs).
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.standin.database import MIB, Database

PAGE_BYTES = 8192
_HEADER = struct.Struct("<4sII")
_HEADER_BYTES = 96
_ROOM_BYTES = PAGE_BYTES - _HEADER_BYTES
_MARK = b"PAGE"

# A new database of SQL Server 2022 backs up about this many pages of its own (report: 344
# to 560 pages in all).
SYSTEM_PAGES = 336
LOG_PAGES = 2
PAGES_PER_EXTENT = 8


@dataclass(frozen=True, slots=True)
class Image:
    """What a backup has to read.

    Attributes:
        rows: The tables, as bytes.
        data_pages: Pages of the data file, those of `rows` first.
    """

    rows: bytes
    data_pages: int

    @property
    def total_pages(self) -> int:
        """Data and log."""
        return self.data_pages + LOG_PAGES

    @property
    def run_pages(self) -> int:
        """How many pages are read at once: an extent, or less so that each percent shows."""
        return max(1, min(PAGES_PER_EXTENT, self.total_pages // 100))


def image(database: Database) -> Image:
    """The database's pages at this moment."""
    rows = database.rows_as_bytes()
    row_pages = -(-len(rows) // _ROOM_BYTES)
    filler_pages = database.filler_mib * MIB // PAGE_BYTES
    return Image(rows, row_pages + SYSTEM_PAGES + filler_pages)


def _filler() -> bytes:
    """An extent of pages, each half noise of its own, so that it compresses by half."""
    text = b"the same words again and again, " * (PAGE_BYTES // 32)
    block = bytearray()
    for number in range(PAGES_PER_EXTENT):
        noise = hashlib.shake_128(b"filler %d" % number).digest(_ROOM_BYTES // 2)
        block += bytes(_HEADER_BYTES) + noise + text[: _ROOM_BYTES - len(noise)]
    return bytes(block)


_FILLER = _filler()


def runs(content: Image) -> Iterator[bytes]:
    """All pages in order, `run_pages` at a time."""
    total = content.total_pages
    for first in range(0, total, content.run_pages):
        count = min(content.run_pages, total - first)
        yield _run(content.rows, first, count)


def _run(rows: bytes, first: int, count: int) -> bytes:
    block = bytearray(_FILLER[: count * PAGE_BYTES])
    for index in range(count):
        start = index * PAGE_BYTES
        number = first + index
        piece = rows[number * _ROOM_BYTES : (number + 1) * _ROOM_BYTES]
        _HEADER.pack_into(block, start, _MARK, number, len(piece))
        if piece:
            at = start + _HEADER_BYTES
            block[at : at + len(piece)] = piece
    return bytes(block)


def are_in_order(block: bytes, first: int) -> bool:
    """Whether a run's pages carry the numbers that they should, from `first` on."""
    if len(block) % PAGE_BYTES:
        return False
    for index in range(len(block) // PAGE_BYTES):
        mark, number, _ = _HEADER.unpack_from(block, index * PAGE_BYTES)
        if mark != _MARK or number != first + index:
            return False
    return True


def rows_in(block: bytes) -> bytes:
    """What a run's pages hold of the rows, in order; filler holds none."""
    pieces = []
    for start in range(0, len(block), PAGE_BYTES):
        _, _, length = _HEADER.unpack_from(block, start)
        at = start + _HEADER_BYTES
        pieces.append(block[at : at + length])
    return b"".join(pieces)
