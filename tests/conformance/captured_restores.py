"""The observations of RESTORE DATABASE, by name; `capture` puts them in their order."""

from tests.conformance.observations import (
    Ended,
    Observation,
    Said,
    lines,
    processed,
    restored,
    terminated,
)

RESTORE = 229

_BACKUP, _DATA = "/tmp/foo.bak", "/var/opt/mssql/data"  # noqa: S108 - the captured paths
_MOVED = f"MOVE N'foo' TO N'{_DATA}/foo_copy.mdf', MOVE N'foo_log' TO N'{_DATA}/foo_copy.ldf'"
_OVER_COPY = f"RESTORE DATABASE foo_copy FROM DISK=N'{_BACKUP}' WITH"


def _in_use(logical: str, file: str) -> tuple[Said, Said]:
    place = f"{_DATA}/{file}"
    used = f"The file '{place}' cannot be overwritten.  It is being used by database 'foo'."
    elsewhere = (
        f"File '{logical}' cannot be restored to '{place}'. "
        "Use WITH MOVE to identify a valid location for the file."
    )
    return Said(1834, 1, 16, used), Said(3156, 4, 16, elsewhere)


def _refused(sql: str, *errors: Said) -> Observation:
    last = terminated("RESTORE DATABASE")
    return Observation(sql, errors=(*errors, last), done=(Ended(2, RESTORE, 0),))


TO_A_NEW_NAME = Observation(
    f"{_OVER_COPY} REPLACE, {_MOVED}, RECOVERY, STATS=50",
    info=(processed(50), processed(100), *restored("foo_copy", "foo")),
    done=lines(RESTORE, 5),
)
ROWS_ARE_BACK = Observation(
    "SELECT id, v FROM foo_copy.dbo.t ORDER BY id",
    rows=((1, "a"), (2, "b")),
    done=(Ended(16, 193, 2),),
)
# The target exists and is of the same family: it needs no REPLACE.
OVER_ITS_FAMILY = Observation(
    f"{_OVER_COPY} {_MOVED}",
    info=restored("foo_copy", "foo"),
    done=lines(RESTORE, 3),
)
OVER_ANOTHER_FAMILY = _refused(
    f"RESTORE DATABASE bar FROM DISK=N'{_BACKUP}' WITH MOVE N'foo' TO N'{_DATA}/bar2.mdf', "
    f"MOVE N'foo_log' TO N'{_DATA}/bar2.ldf'",
    Said(
        3154,
        4,
        16,
        "The backup set holds a backup of a database other than the existing 'bar' database.",
    ),
)
ONTO_FILES_IN_USE = _refused(
    f"RESTORE DATABASE foo_y FROM DISK=N'{_BACKUP}'",
    *_in_use("foo", "foo.mdf"),
    *_in_use("foo_log", "foo_log.ldf"),
    Said(
        3119,
        1,
        16,
        "Problems were identified while planning for the RESTORE statement. "
        "Previous messages provide details.",
    ),
)
FROM_NOWHERE = _refused(
    "RESTORE DATABASE foo_x FROM DISK=N'/tmp/nope.bak'",
    Said(
        3201,
        2,
        16,
        "Cannot open backup device '/tmp/nope.bak'. "
        "Operating system error 2(The system cannot find the file specified.).",
    ),
)
OF_AN_UNKNOWN_FILE = _refused(
    f"RESTORE DATABASE foo_z FROM DISK=N'{_BACKUP}' WITH MOVE N'nope' TO N'{_DATA}/z.mdf'",
    Said(
        3234,
        2,
        16,
        "Logical file 'nope' is not part of database 'foo_z'. "
        "Use RESTORE FILELISTONLY to list the logical file names.",
    ),
)
IN_A_TRANSACTION = Observation(
    f"BEGIN TRAN; {_OVER_COPY} REPLACE; ROLLBACK",
    errors=(
        Said(3021, 0, 16, "Cannot perform a backup or restore operation within a transaction."),
        terminated("RESTORE DATABASE"),
    ),
    done=(Ended(1, 212, 0), Ended(3, RESTORE, 0), Ended(0, 210, 0)),
)
BEYOND_THE_LAST_SET = _refused(
    f"{_OVER_COPY} FILE=3, REPLACE",
    Said(
        3287,
        1,
        16,
        "The file ID 3 on device '/tmp/foo.bak' is incorrectly formed and can not be read.",
    ),
)
OVER_THE_OWN_CONTEXT = Observation(
    f"USE foo_copy; {_OVER_COPY} REPLACE",
    errors=(
        Said(
            3102,
            1,
            16,
            "RESTORE cannot process database 'foo_copy' because it is in use by this session. "
            "It is recommended that the master database be used when performing this operation.",
        ),
        terminated("RESTORE DATABASE"),
    ),
    done=(Ended(1, 226, 0), Ended(2, RESTORE, 0)),
)
WHILE_SOMEBODY_IS_IN_IT = Observation(
    f"{_OVER_COPY} REPLACE",
    occupied="foo_copy",
    errors=(
        Said(
            3101,
            1,
            16,
            "Exclusive access could not be obtained because the database is in use.",
        ),
        terminated("RESTORE DATABASE"),
    ),
    done=(Ended(2, RESTORE, 0),),
)
