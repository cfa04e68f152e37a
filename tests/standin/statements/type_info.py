"""sp_datatype_info, which both drivers call while pyodbc connects.

pyodbc asks for four types: how long a text or a binary may be, how precise a time. The
answers are one row each with the documented columns.
"""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.columns import INT, SMALLINT, Integer, NVarChar, RowSet, declare
from tests.standin.session import Session
from tests.standin.statements.pattern import known

EXECUTE = 224  # CurCmd of EXEC (capture)

# ODBC's type number: name, longest (docs: the types' reference pages).
_TYPES = {
    -9: ("nvarchar", 4000),
    -3: ("varbinary", 8000),
    12: ("varchar", 8000),
    93: ("datetime2", 27),
}

_COLUMNS = [
    declare("TYPE_NAME", NVarChar(128)),
    declare("DATA_TYPE", SMALLINT),
    declare("PRECISION", INT),
    declare("LITERAL_PREFIX", NVarChar(32)),
    declare("LITERAL_SUFFIX", NVarChar(32)),
    declare("CREATE_PARAMS", NVarChar(32)),
    declare("NULLABLE", SMALLINT),
    declare("CASE_SENSITIVE", SMALLINT),
    declare("SEARCHABLE", SMALLINT),
    declare("UNSIGNED_ATTRIBUTE", Integer(2)),
    declare("MONEY", SMALLINT),
    declare("AUTO_INCREMENT", Integer(2)),
    declare("LOCAL_TYPE_NAME", NVarChar(128)),
    declare("MINIMUM_SCALE", Integer(2)),
    declare("MAXIMUM_SCALE", Integer(2)),
    declare("SQL_DATA_TYPE", SMALLINT),
    declare("SQL_DATETIME_SUB", Integer(2)),
    declare("NUM_PREC_RADIX", Integer(4)),
    declare("INTERVAL_PRECISION", Integer(2)),
    declare("USERTYPE", Integer(2)),
]


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """sp_datatype_info_100 for one type."""

    command: ClassVar[int] = EXECUTE
    number: int

    def run(self, session: Session) -> None:
        """One row, or none for a type that nobody asks for."""
        rows = [_row(self.number)] if self.number in _TYPES else []
        with session.reply.procedure(EXECUTE, return_status=0):
            session.reply.rows(RowSet(_COLUMNS, rows))
            session.reply.done(193, count=len(rows))


def _row(number: int) -> list[object]:
    name, longest = _TYPES[number]
    return [
        *(name, number, longest, "'", "'", None, 1, 0, 3, None, 0, None, name),
        *(None, None, number, None, None, None, None),
    ]


STATEMENTS = (
    known(
        "sp_datatype_info_100 - {type:number}, {version:number}",
        lambda found: TypeInfo(-found.number("type")),
        source="docs: sp_datatype_info",
    ),
    known(
        "sp_datatype_info_100 {type:number}, {version:number}",
        lambda found: TypeInfo(found.number("type")),
        source="docs: sp_datatype_info",
    ),
)
