"""A decoder of TDS token streams that shares nothing with the stand-in's encoder.

Written from [MS-TDS] 2.2.7; the version is 7.4 throughout.
"""

import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Message:
    """An INFO (0xAB) or ERROR (0xAA) token."""

    is_error: bool
    number: int
    state: int
    severity: int
    text: str
    server: str
    line: int


@dataclass(frozen=True, slots=True)
class Done:
    """A DONE (0xFD), DONEPROC (0xFE) or DONEINPROC (0xFF) token."""

    token: int
    status: int
    command: int
    count: int


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """One column of COLMETADATA; `kind` is spelled like `NumericN(17,25,0)`."""

    name: str
    kind: str
    flags: int


@dataclass(frozen=True, slots=True)
class Columns:
    """COLMETADATA."""

    columns: tuple[ColumnShape, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """ROW."""

    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Environment:
    """ENVCHANGE, its payload behind the type byte as it came."""

    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class LoginAck:
    """LOGINACK: the version that the server says it has."""

    tds_version: int
    program: str
    version: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ReturnStatus:
    """RETURNSTATUS."""

    value: int


Token = Message | Done | Columns | Row | Environment | LoginAck | ReturnStatus
Reader = Callable[["Cursor"], object]


class Cursor:
    """Reads little-endian values one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether everything was read."""
        return self._at >= len(self._data)

    def take(self, count: int) -> bytes:
        """The next bytes."""
        piece = self._data[self._at : self._at + count]
        if len(piece) < count:
            raise ValueError(f"the stream ends {count - len(piece)} bytes too early")
        self._at += count
        return piece

    def number(self, count: int) -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.take(count), "little")

    def text(self, chars: int) -> str:
        """UTF-16 of so many code units."""
        return self.take(chars * 2).decode("utf-16-le")


def decode(stream: bytes) -> list[Token]:
    """All tokens of one message."""
    cursor = Cursor(stream)
    tokens: list[Token] = []
    readers: tuple[Reader, ...] = ()
    while not cursor.is_at_end:
        kind = cursor.number(1)
        if kind == 0x81:
            columns, readers = _columns(cursor)
            tokens.append(columns)
        elif kind == 0xD1:
            tokens.append(Row(tuple(read(cursor) for read in readers)))
        elif kind in {0xFD, 0xFE, 0xFF}:
            tokens.append(Done(kind, cursor.number(2), cursor.number(2), cursor.number(8)))
        elif kind == 0x79:
            tokens.append(ReturnStatus(cursor.number(4)))
        else:
            body = Cursor(cursor.take(cursor.number(2)))
            tokens.append(_sized(kind, body))
    return tokens


def _sized(kind: int, body: Cursor) -> Token:
    if kind in {0xAA, 0xAB}:
        return Message(
            is_error=kind == 0xAA,
            number=body.number(4),
            state=body.number(1),
            severity=body.number(1),
            text=body.text(body.number(2)),
            server=body.text(body.number(1)),
            line=_line(body),
        )
    if kind == 0xE3:
        change = body.number(1)
        rest = bytearray()
        while not body.is_at_end:
            rest += body.take(1)
        return Environment(change, bytes(rest))
    if kind == 0xAD:
        body.number(1)
        tds_version = int.from_bytes(body.take(4), "big")
        program = body.text(body.number(1))
        major, minor = body.number(1), body.number(1)
        return LoginAck(tds_version, program, (major, minor, int.from_bytes(body.take(2), "big")))
    raise ValueError(f"unknown token 0x{kind:02X}")


def _line(body: Cursor) -> int:
    body.text(body.number(1))  # the procedure's name
    return body.number(4)


def _columns(cursor: Cursor) -> tuple[Columns, tuple[Reader, ...]]:
    shapes: list[ColumnShape] = []
    readers: list[Reader] = []
    for _ in range(cursor.number(2)):
        cursor.number(4)  # user type
        flags = cursor.number(2)
        kind, read = _type(cursor)
        shapes.append(ColumnShape(cursor.text(cursor.number(1)), kind, flags))
        readers.append(read)
    return Columns(tuple(shapes)), tuple(readers)


def _sized_value(convert: Callable[[bytes], object]) -> Reader:
    """A value behind one length byte; length 0 is NULL."""

    def read(cursor: Cursor) -> object:
        length = cursor.number(1)
        return convert(cursor.take(length)) if length else None

    return read


def _long_value(convert: Callable[[bytes], object]) -> Reader:
    """A value behind two length bytes; 0xFFFF is NULL."""

    def read(cursor: Cursor) -> object:
        length = cursor.number(2)
        return None if length == 0xFFFF else convert(cursor.take(length))

    return read


def _fixed_value(layout: str) -> Reader:
    size = struct.calcsize(layout)

    def read(cursor: Cursor) -> object:
        value: object = struct.unpack(layout, cursor.take(size))[0]
        return value

    return read


_FIXED = {
    0x30: ("TinyInt", "<B"),
    0x34: ("SmallInt", "<h"),
    0x38: ("Int", "<i"),
    0x3B: ("Real", "<f"),
    0x7F: ("BigInt", "<q"),
}


def _type(cursor: Cursor) -> tuple[str, Reader]:
    type_id = cursor.number(1)
    if type_id in _FIXED:
        name, layout = _FIXED[type_id]
        return name, _fixed_value(layout)
    if type_id in {0xE7, 0xEF}:
        length = cursor.number(2)
        cursor.take(5)  # collation
        name = "NVarChar" if type_id == 0xE7 else "NChar"
        return f"{name}({length})", _long_value(lambda data: data.decode("utf-16-le"))
    if type_id == 0xA5:
        return f"VarBinary({cursor.number(2)})", _long_value(bytes)
    length = cursor.number(1)
    if type_id == 0x6C:
        precision, scale = cursor.number(1), cursor.number(1)
        return f"NumericN({length},{precision},{scale})", _sized_value(_numeric)
    by_length = {
        0x26: (f"IntN({length})", _integer),
        0x68: ("BitN", lambda data: data != b"\0"),
        0x24: ("UniqueIdentifier", lambda data: uuid.UUID(bytes_le=data)),
        0x6F: (f"DateTimeN({length})", _moment),
    }
    name, convert = by_length[type_id]
    return name, _sized_value(convert)


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=len(data) > 1)


def _numeric(data: bytes) -> Decimal:
    magnitude = Decimal(int.from_bytes(data[1:], "little"))
    return magnitude if data[0] else -magnitude


def _moment(data: bytes) -> datetime:
    days, ticks = struct.unpack("<iI", data)
    return datetime(1900, 1, 1) + timedelta(days=days, seconds=ticks / 300)  # noqa: DTZ001 - a datetime column has no zone
