"""What SQL Server 2022 (16.0.4236.2, Linux container, fresh, login `sa`) put on the wire.

Batches in the order in which they were sent on one connection. <n>, <t> and <r> stand
for page counts, seconds and MB/s, ANY for a value that changes from run to run.
"""

from tests.conformance import captured_restores
from tests.conformance.captured_columns import FILE_LIST_ONLY, HEADER_ONLY
from tests.conformance.observations import (
    ANY,
    End,
    Ended,
    HeaderFacts,
    Observation,
    Said,
    backed_up,
    header_row,
    lines,
    processed,
    row_set,
    terminated,
)

BACKUP, BACKUP_LOG, HEADER, FILE_LIST, VERIFY, SELECT = 228, 235, 250, 376, 377, 193

_FOO_1 = HeaderFacts("foo", "foo", None, 1, compressed=True)
_FOO_2 = HeaderFacts(
    "foo", None, "second", 2, compressed=True, checksums=True, copy_only=True, flags=1552
)
_BAR_1 = HeaderFacts("bar", None, None, 1)

_TABLE = (
    "USE foo; CREATE TABLE dbo.t(id int IDENTITY(1,1) PRIMARY KEY, v nvarchar(20) NOT NULL); "
    "INSERT dbo.t(v) VALUES (N''a''),(N''b'')"
)
_NO_SUCH_FILE = (
    "Cannot open backup device '/tmp/nope.bak'. "
    "Operating system error 2(The system cannot find the file specified.)."
)
_NO_SUCH_DIRECTORY = (
    "Cannot open backup device '/nodir/x.bak'. Operating system error 5(Access is denied.)."
)
_SIMPLE = (
    "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. "
    "Use BACKUP DATABASE or change the recovery model using ALTER DATABASE."
)
_FILES = (
    (
        *("foo", "/var/opt/mssql/data/foo.mdf", "D", "PRIMARY", ANY, 35184372080640, 1),
        *(ANY, ANY, ANY, ANY, ANY, ANY, 4096, 1, None, ANY, ANY, False, True, None, None),
    ),
    (
        *("foo_log", "/var/opt/mssql/data/foo_log.ldf", "L", None, ANY, 2199023255552, 2),
        *(ANY, ANY, ANY, ANY, ANY, ANY, 4096, 0, None, ANY, ANY, False, True, None, None),
    ),
)

CAPTURE = (
    Observation(
        "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version",
        done=(Ended(16, SELECT, 1),),
        rows=(("16.0.4236.2",),),
    ),
    Observation(
        f"CREATE DATABASE foo; ALTER DATABASE foo SET RECOVERY SIMPLE; EXEC('{_TABLE}')",
        done=(
            Ended(1, 203, 0),
            Ended(1, 215, 0),
            Ended(1, 226, 0, End.IN_PROC),
            Ended(1, 198, 0, End.IN_PROC),
            Ended(17, 195, 2, End.IN_PROC),
            Ended(0, 224, 0, End.PROC),
        ),
    ),
    Observation(
        "BACKUP DATABASE foo TO DISK=N'/tmp/foo.bak' WITH FORMAT, NAME=N'foo', COMPRESSION",
        info=backed_up("foo", 1),
        done=lines(BACKUP, 3),
    ),
    Observation(
        "RESTORE HEADERONLY FROM DISK=N'/tmp/foo.bak'",
        columns=HEADER_ONLY,
        rows=(header_row(_FOO_1),),
        done=row_set(1, HEADER),
    ),
    Observation(
        "RESTORE FILELISTONLY FROM DISK=N'/tmp/foo.bak'",
        columns=FILE_LIST_ONLY,
        rows=_FILES,
        done=row_set(2, FILE_LIST),
    ),
    captured_restores.TO_A_NEW_NAME,
    captured_restores.ROWS_ARE_BACK,
    captured_restores.OVER_ITS_FAMILY,
    Observation(
        "CREATE DATABASE bar; ALTER DATABASE bar SET RECOVERY SIMPLE",
        done=(Ended(1, 203, 0), Ended(0, 215, 0)),
    ),
    captured_restores.OVER_ANOTHER_FAMILY,
    captured_restores.ONTO_FILES_IN_USE,
    captured_restores.FROM_NOWHERE,
    Observation(
        "RESTORE HEADERONLY FROM DISK=N'/tmp/nope.bak'",
        errors=(Said(3201, 2, 16, _NO_SUCH_FILE), terminated("RESTORE HEADERONLY")),
        done=(Ended(2, HEADER, 0),),
    ),
    captured_restores.OF_AN_UNKNOWN_FILE,
    Observation(
        "BACKUP DATABASE nosuch TO DISK=N'/tmp/x.bak'",
        errors=(
            Said(
                911,
                11,
                16,
                "Database 'nosuch' does not exist. Make sure that the name is entered correctly.",
            ),
            terminated("BACKUP DATABASE"),
        ),
        done=(Ended(2, BACKUP, 0),),
    ),
    Observation(
        "BEGIN TRAN; BACKUP DATABASE foo TO DISK=N'/tmp/x.bak'; ROLLBACK",
        errors=(
            Said(3021, 0, 16, "Cannot perform a backup or restore operation within a transaction."),
            terminated("BACKUP DATABASE"),
        ),
        done=(Ended(1, 212, 0), Ended(3, BACKUP, 0), Ended(0, 210, 0)),
    ),
    captured_restores.IN_A_TRANSACTION,
    Observation(
        "BACKUP LOG bar TO DISK=N'/tmp/barlog.bak'",
        errors=(Said(4208, 1, 16, _SIMPLE), terminated("BACKUP LOG")),
        done=(Ended(2, BACKUP_LOG, 0),),
    ),
    Observation(
        "BACKUP DATABASE foo TO DISK=N'/nodir/x.bak'",
        errors=(Said(3201, 1, 16, _NO_SUCH_DIRECTORY), terminated("BACKUP DATABASE")),
        done=(Ended(2, BACKUP, 0),),
    ),
    Observation(
        "BACKUP DATABASE foo TO DISK=N'/tmp/foo.bak' "
        "WITH STATS=50, DESCRIPTION=N'second', CHECKSUM, COPY_ONLY",
        info=(processed(50), processed(100), *backed_up("foo", 2)),
        done=lines(BACKUP, 5),
    ),
    Observation(
        "RESTORE HEADERONLY FROM DISK=N'/tmp/foo.bak'",
        columns=HEADER_ONLY,
        rows=(header_row(_FOO_1), header_row(_FOO_2)),
        done=row_set(2, HEADER),
    ),
    Observation(
        "RESTORE FILELISTONLY FROM DISK=N'/tmp/foo.bak' WITH FILE=2",
        columns=FILE_LIST_ONLY,
        rows=_FILES,
        done=row_set(2, FILE_LIST),
    ),
    captured_restores.BEYOND_THE_LAST_SET,
    Observation(
        "BACKUP DATABASE bar TO DISK=N'/tmp/bar.bak' WITH INIT",
        info=backed_up("bar", 1),
        done=lines(BACKUP, 3),
    ),
    Observation(
        "RESTORE HEADERONLY FROM DISK=N'/tmp/bar.bak'",
        columns=HEADER_ONLY,
        rows=(header_row(_BAR_1),),
        done=row_set(1, HEADER),
    ),
    captured_restores.OVER_THE_OWN_CONTEXT,
    Observation("USE master", done=(Ended(0, 226, 0),)),
    captured_restores.WHILE_SOMEBODY_IS_IN_IT,
    Observation(
        "RESTORE VERIFYONLY FROM DISK=N'/tmp/foo.bak' WITH FILE=2",
        info=(Said(3262, 1, 0, "The backup set on file 2 is valid."),),
        done=(Ended(0, VERIFY, 0),),
    ),
    Observation(
        "BACKUP DATABASE foo TO DISK=N'/tmp/x.bak' WITH BOGUS",
        errors=(Said(155, 1, 15, "'BOGUS' is not a recognized BACKUP option."),),
        done=(Ended(2, 253, 0),),
    ),
    Observation(
        "SELECT TOP(1) * FROM msdb..backupmediafamily",
        columns=(
            "media_set_id:Int",
            "family_sequence_number:TinyInt",
            "media_family_id:UniqueIdentifier",
            "media_count:IntN(4)",
            "logical_device_name:NVarChar(256)",
            "physical_device_name:NVarChar(520)",
            "device_type:IntN(1)",
            "physical_block_size:IntN(4)",
            "mirror:TinyInt",
        ),
        rows=(
            (ANY, 1, ANY, 1, None, "/tmp/foo.bak", 2, 4096, 0),  # noqa: S108 - the captured path
        ),
        done=(Ended(16, SELECT, 1),),
    ),
    Observation(
        "SELECT DB_ID('msdb') AS id, DB_NAME(4) AS name",
        columns=("id:IntN(2)", "name:NVarChar(256)"),
        rows=((4, "msdb"),),
        done=(Ended(16, SELECT, 1),),
    ),
    Observation(
        "DROP DATABASE msdb",
        errors=(
            Said(
                3708,
                4,
                16,
                "Cannot drop the database 'msdb' because it is a system database.",
            ),
        ),
        done=(Ended(2, 253, 0),),
    ),
)
