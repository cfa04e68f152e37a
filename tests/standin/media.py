"""The stand-in's own `.bak` format: a mark, a media header, then one backup set after another.

    file    = mark, media record, set*
    set     = header record (JSON), data record*, end record (JSON)
    record  = tag, length, CRC-32, flags, payload

A set without its end record was terminated while it was being created. CRC-32 guards the
JSON records always and the data records where BACKUP ran WITH CHECKSUM.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

MARK = b"STAND-IN BACKUP1"
_RECORD = struct.Struct("<4sIIB")
_MEDIA, _SET, _DATA, _END = b"MEDI", b"SETH", b"DATA", b"SETE"
_HAS_CHECKSUM, _IS_COMPRESSED = 1, 2
_FASTEST = 1


class Malformed(Exception):
    """The bytes are no media of ours, or they are damaged where they must be read."""


class EndOfFile(Exception):
    """The file ends in the middle of a record."""


@dataclass(frozen=True, slots=True)
class MediaHeader:
    """Identity of the media set."""

    media_set_guid: str
    media_family_guid: str


@dataclass(frozen=True, slots=True)
class SetFile:
    """A file of the database as the header of a set lists it."""

    file_id: int
    logical_name: str
    physical_name: str
    type: str
    guid: str
    size_bytes: int
    pages: int


@dataclass(frozen=True, slots=True)
class SetHeader:
    """What is known when a backup begins. Moments are ISO 8601 texts.

    `rows_bytes` is how much of the first pages is the tables; `run_pages` how many pages
    one data record holds.
    """

    position: int
    name: str | None
    description: str | None
    compressed: bool
    checksums: bool
    copy_only: bool
    user_name: str
    server_name: str
    database_name: str
    database_created_at: str
    recovery_model: str
    family_guid: str
    database_guid: str
    fork_guid: str
    broker_guid: str
    set_guid: str
    first_lsn: int
    checkpoint_lsn: int
    database_backup_lsn: int
    started_at: str
    database_version: int
    is_single_user: bool
    rows_bytes: int
    run_pages: int
    files: tuple[SetFile, ...]

    @property
    def total_pages(self) -> int:
        """Pages of all files."""
        return sum(one.pages for one in self.files)


@dataclass(frozen=True, slots=True)
class SetEnd:
    """What is known when a backup is complete."""

    last_lsn: int
    finished_at: str
    size_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class BackupSet:
    """One set of a file; `end` None where it is incomplete. Offsets are of the data records."""

    header: SetHeader
    end: SetEnd | None
    data_at: int
    data_ends_at: int


@dataclass(frozen=True, slots=True)
class Media:
    """What a whole file holds."""

    header: MediaHeader
    sets: tuple[BackupSet, ...]


class Writer:
    """Appends records to a file; counts what they hold and what they take."""

    def __init__(self, file: BinaryIO, *, checksums: bool, compressed: bool) -> None:
        self._file = file
        self._checksums = checksums
        self._compressed = compressed
        self.size_bytes = 0
        self.stored_bytes = 0

    def start_media(self, header: MediaHeader) -> None:
        """The mark and the media header."""
        self._file.write(MARK)
        self._json(_MEDIA, asdict(header))

    def start_set(self, header: SetHeader) -> None:
        """The header of a set."""
        self._json(_SET, asdict(header))

    def pages(self, run: bytes) -> None:
        """A run of pages."""
        payload = zlib.compress(run, _FASTEST) if self._compressed else run
        flags = _IS_COMPRESSED if self._compressed else 0
        if self._checksums:
            flags |= _HAS_CHECKSUM
        self._record(_DATA, payload, flags)
        self.size_bytes += len(run)

    def end_set(self, *, last_lsn: int, finished_at: str) -> None:
        """The end of the set."""
        stored = self.stored_bytes if self._compressed else self.size_bytes
        end = SetEnd(last_lsn, finished_at, self.size_bytes, stored)
        self._json(_END, asdict(end))

    def _json(self, tag: bytes, content: dict[str, Any]) -> None:
        self._record(tag, json.dumps(content).encode(), _HAS_CHECKSUM)

    def _record(self, tag: bytes, payload: bytes, flags: int) -> None:
        checksum = zlib.crc32(payload) if flags & _HAS_CHECKSUM else 0
        self._file.write(_RECORD.pack(tag, len(payload), checksum, flags) + payload)
        self.stored_bytes += _RECORD.size + len(payload)


def read(file: BinaryIO) -> Media:
    """The headers of a file; skips the data. Raises Malformed."""
    file.seek(0)
    if file.read(len(MARK)) != MARK:
        raise Malformed("the mark is missing")
    try:
        header = MediaHeader(**_read_json(file, _MEDIA))
    except EndOfFile as error:
        raise Malformed("the media header is cut") from error
    return Media(header, tuple(_sets(file)))


def _sets(file: BinaryIO) -> Iterator[BackupSet]:
    size = file.seek(0, 2)
    file.seek(len(MARK))
    at = _skip(file)
    while at < size:
        file.seek(at)
        try:
            content = _read_json(file, _SET)
        except EndOfFile as error:
            raise Malformed("a set's header is cut") from error
        content["files"] = tuple(SetFile(**one) for one in content["files"])
        data_at = file.tell()
        data_ends_at = _end_of_data(file, size)
        found = _read_end(file)
        yield BackupSet(SetHeader(**content), found, data_at, data_ends_at)
        if found is None:
            return
        at = file.tell()


def _end_of_data(file: BinaryIO, size: int) -> int:
    """Skip data records; leaves the file at the first one that is none, or is cut."""
    while True:
        at = file.tell()
        head = file.read(_RECORD.size)
        file.seek(at)
        if len(head) < _RECORD.size:
            return at
        tag, length, _, _ = _RECORD.unpack(head)
        if tag == _END:
            return at
        if tag != _DATA:
            raise Malformed(f"an unknown record at {at}")
        if at + _RECORD.size + length > size:
            return at
        file.seek(at + _RECORD.size + length)


def _read_end(file: BinaryIO) -> SetEnd | None:
    try:
        return SetEnd(**_read_json(file, _END))
    except (EndOfFile, Malformed):
        return None


def _skip(file: BinaryIO) -> int:
    """Pass over one record that is known to be good."""
    _, length, _, _ = _RECORD.unpack(file.read(_RECORD.size))
    return file.seek(length, 1)


def _read_record(file: BinaryIO) -> tuple[bytes, bytes, int, int]:
    head = file.read(_RECORD.size)
    if len(head) < _RECORD.size:
        raise EndOfFile
    tag, length, checksum, flags = _RECORD.unpack(head)
    payload = file.read(length)
    if len(payload) < length:
        raise EndOfFile
    return tag, payload, checksum, flags


def _read_json(file: BinaryIO, wanted: bytes) -> dict[str, Any]:
    tag, payload, checksum, _ = _read_record(file)
    if tag != wanted or zlib.crc32(payload) != checksum:
        raise Malformed(f"no sound {wanted.decode()} record")
    content: dict[str, Any] = json.loads(payload)
    return content


def blocks(file: BinaryIO, found: BackupSet) -> Iterator[bytes | None]:
    """The runs of pages of a set, None for a damaged one. Raises EndOfFile at a cut."""
    file.seek(found.data_at)
    while file.tell() < found.data_ends_at:
        tag, payload, checksum, flags = _read_record(file)
        sound = tag == _DATA and (not flags & _HAS_CHECKSUM or zlib.crc32(payload) == checksum)
        if sound and flags & _IS_COMPRESSED:
            try:
                payload = zlib.decompress(payload)
            except zlib.error:
                sound = False
        yield payload if sound else None
    if found.end is None:
        raise EndOfFile
