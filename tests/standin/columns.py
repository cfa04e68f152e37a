"""Column types that the TDS library has no encoder for, and the columns built from all of them.

The flags are those of a nullable column (1) as the captured row sets of RESTORE carry
them; fixed-width types cannot say NULL and carry 0.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pysqlbridge.tds.result import (
    DEFAULT_COLLATION,
    Bit,
    Column,
    DateTime,
    Float,
    Integer,
    NVarChar,
    UniqueIdentifier,
    VarBinary,
    col_metadata,
    row,
)

_USHORT = struct.Struct("<H")
_NULL_LENGTH = 0xFFFF

NULLABLE = 0x01
COMPUTED = 0x20


class WireType(Protocol):
    """How a column declares itself in COLMETADATA and writes its values in ROW."""

    @property
    def nullable(self) -> bool:
        """Whether a value may be NULL."""
        ...

    def type_info(self) -> bytes:
        """The TYPE_INFO of the declaration."""
        ...

    def encode(self, value: object) -> bytes:
        """One value."""
        ...


@dataclass(frozen=True, slots=True)
class Numeric:
    """NUMERICN: a sign byte (1 is positive) and the little-endian magnitude."""

    precision: int
    scale: int
    nullable: bool = True
    # 17 bytes is what the capture declares for numeric(25,0).
    length_bytes: int = 17

    def type_info(self) -> bytes:
        """Type 0x6C, length, precision, scale."""
        return bytes([0x6C, self.length_bytes, self.precision, self.scale])

    def encode(self, value: object) -> bytes:
        """An int, scaled; None is a zero length."""
        if value is None:
            return b"\x00"
        if not isinstance(value, int):
            raise TypeError(f"numeric wants an int, not {value!r}")
        magnitude = abs(value).to_bytes(self.length_bytes - 1, "little")
        return bytes([self.length_bytes, 1 if value >= 0 else 0]) + magnitude


@dataclass(frozen=True, slots=True)
class NChar:
    """NCHAR: fixed width, padded with spaces."""

    chars: int
    nullable: bool = True

    def type_info(self) -> bytes:
        """Type 0xEF, size in bytes, collation."""
        return bytes([0xEF]) + _USHORT.pack(self.chars * 2) + bytes(DEFAULT_COLLATION)

    def encode(self, value: object) -> bytes:
        """A text; None is the length 0xFFFF."""
        if value is None:
            return _USHORT.pack(_NULL_LENGTH)
        data = str(value).ljust(self.chars).encode("utf-16-le")
        return _USHORT.pack(len(data)) + data


@dataclass(frozen=True, slots=True)
class Fixed:
    """A fixed-width type: no length on the wire, never NULL."""

    type_id: int
    layout: str
    nullable: bool = False

    def type_info(self) -> bytes:
        """The type byte alone."""
        return bytes([self.type_id])

    def encode(self, value: object) -> bytes:
        """The value in the layout's own bytes."""
        return struct.pack(self.layout, value)


TINYINT = Fixed(0x30, "<B")
SMALLINT = Fixed(0x34, "<h")
INT = Fixed(0x38, "<i")
BIGINT = Fixed(0x7F, "<q")
REAL = Fixed(0x3B, "<f")

__all__ = [
    "BIGINT",
    "COMPUTED",
    "INT",
    "NULLABLE",
    "REAL",
    "SMALLINT",
    "TINYINT",
    "Bit",
    "Column",
    "DateTime",
    "Fixed",
    "Float",
    "Integer",
    "NChar",
    "NVarChar",
    "Numeric",
    "RowSet",
    "UniqueIdentifier",
    "VarBinary",
    "WireType",
    "declare",
]


def declare(name: str, kind: WireType, flags: int = NULLABLE) -> Column:
    """A column; one that cannot be NULL never says that it can."""
    return Column(name, kind, flags=flags if kind.nullable else 0)


@dataclass(frozen=True, slots=True)
class RowSet:
    """Columns and their rows."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]

    def encode(self, tds_version: int) -> bytes:
        """COLMETADATA and the ROW tokens, without a DONE."""
        declared = list(self.columns)
        parts = [col_metadata(declared, tds_version)]
        parts += [row(declared, list(values)) for values in self.rows]
        return b"".join(parts)
