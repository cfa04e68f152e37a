"""The row sets of RESTORE HEADERONLY (59 columns) and FILELISTONLY (22), as captured.

Names, order and wire types are the capture's; they differ from the documentation in places.
"""

from datetime import datetime

from tests.standin.columns import (
    Bit,
    DateTime,
    Integer,
    NChar,
    Numeric,
    NVarChar,
    RowSet,
    UniqueIdentifier,
    VarBinary,
    WireType,
    declare,
)
from tests.standin.instance import DATABASE_VERSION, NEWER_VERSION, VERSION
from tests.standin.media import BackupSet, Media, SetFile
from tests.standin.pages import PAGE_BYTES

_BYTE, _SHORT, _INT, _LONG = Integer(1), Integer(2), Integer(4), Integer(8)
_LSN = Numeric(25, 0)
_NAME, _GUID, _DATE, _BIT = NVarChar(128), UniqueIdentifier(), DateTime(), Bit()
_ALGORITHM, _THUMBPRINT = NVarChar(32), VarBinary(20)

_NO_GUID = "00000000-0000-0000-0000-000000000000"
_UNLIMITED_DATA_BYTES, _UNLIMITED_LOG_BYTES = 35184372080640, 2199023255552  # capture
_FLAG_ALWAYS, _FLAG_CHECKSUMS, _FLAG_COPY_ONLY = 512, 16, 1024  # capture
# Other programs look for this name (report); what else such a row holds is inferred.
_INCOMPLETE = "*** INCOMPLETE ***"


def header_only(found: Media) -> RowSet:
    """A row for each backup set."""
    rows = [_header_cells(one) for one in found.sets]
    shape = _header_cells(found.sets[0]) if rows else []
    columns = [declare(name, kind) for name, kind, _ in shape]
    return RowSet(columns, [[value for _, _, value in cells] for cells in rows])


def file_list_only(found: BackupSet) -> RowSet:
    """A row for each file of the database."""
    rows = [_file_cells(one) for one in found.header.files]
    columns = [declare(name, kind) for name, kind, _ in rows[0]]
    return RowSet(columns, [[value for _, _, value in cells] for cells in rows])


Cell = tuple[str, WireType, object]


def _header_cells(found: BackupSet) -> list[Cell]:
    return [*_identity_cells(found), *_position_cells(found), *_server_cells(found), *_kind(found)]


def _identity_cells(found: BackupSet) -> list[Cell]:
    header = found.header
    return [
        ("BackupName", _NAME, header.name if found.end else _INCOMPLETE),
        ("BackupDescription", NVarChar(255), header.description),
        ("BackupType", _BYTE, 1),
        ("ExpirationDate", _DATE, None),
        ("Compressed", _BYTE, int(header.compressed)),
        ("Position", _SHORT, header.position),
        ("DeviceType", _BYTE, 2),
        ("UserName", _NAME, header.user_name),
        ("ServerName", _NAME, header.server_name),
        ("DatabaseName", _NAME, header.database_name),
        ("DatabaseVersion", _INT, header.database_version),
        ("DatabaseCreationDate", _DATE, _moment(header.database_created_at)),
    ]


def _position_cells(found: BackupSet) -> list[Cell]:
    header, end = found.header, found.end
    return [
        ("BackupSize", _LONG, end.size_bytes if end else None),
        ("FirstLSN", _LSN, header.first_lsn),
        ("LastLSN", _LSN, end.last_lsn if end else None),
        ("CheckpointLSN", _LSN, header.checkpoint_lsn),
        ("DatabaseBackupLSN", _LSN, header.database_backup_lsn),
        ("BackupStartDate", _DATE, _moment(header.started_at)),
        ("BackupFinishDate", _DATE, _moment(end.finished_at) if end else None),
    ]


def _server_cells(found: BackupSet) -> list[Cell]:
    header = found.header
    is_newer = header.database_version > DATABASE_VERSION
    major, minor, build = NEWER_VERSION if is_newer else VERSION
    flags = _FLAG_ALWAYS
    flags |= _FLAG_CHECKSUMS if header.checksums else 0
    flags |= _FLAG_COPY_ONLY if header.copy_only else 0
    return [
        ("SortOrder", _SHORT, 52),
        ("CodePage", _SHORT, 0),
        ("UnicodeLocaleId", _INT, 1033),
        ("UnicodeComparisonStyle", _INT, 196609),
        ("CompatibilityLevel", _BYTE, 160),
        ("SoftwareVendorId", _INT, 4608),
        ("SoftwareVersionMajor", _INT, major),
        ("SoftwareVersionMinor", _INT, minor),
        ("SoftwareVersionBuild", _INT, build),
        ("MachineName", _NAME, header.server_name),
        ("Flags", _INT, flags),
        ("BindingID", _GUID, header.database_guid),
        ("RecoveryForkID", _GUID, header.fork_guid),
        ("Collation", _NAME, "SQL_Latin1_General_CP1_CI_AS"),
        ("FamilyGUID", _GUID, header.family_guid),
    ]


def _kind(found: BackupSet) -> list[Cell]:
    header, end = found.header, found.end
    return [
        ("HasBulkLoggedData", _BIT, False),
        ("IsSnapshot", _BIT, False),
        ("IsReadOnly", _BIT, False),
        ("IsSingleUser", _BIT, header.is_single_user),
        ("HasBackupChecksums", _BIT, header.checksums),
        ("IsDamaged", _BIT, False),
        ("BeginsLogChain", _BIT, False),
        ("HasIncompleteMetaData", _BIT, False),
        ("IsForceOffline", _BIT, False),
        ("IsCopyOnly", _BIT, header.copy_only),
        ("FirstRecoveryForkID", _GUID, header.fork_guid),
        ("ForkPointLSN", _LSN, None),
        ("RecoveryModel", NVarChar(60), header.recovery_model),
        ("DifferentialBaseLSN", _LSN, None),
        ("DifferentialBaseGUID", _GUID, None),
        ("BackupTypeDescription", _NAME, "Database"),
        ("BackupSetGUID", _GUID, header.set_guid),
        ("CompressedBackupSize", _LONG, end.stored_bytes if end else None),
        ("Containment", _BYTE, 0),
        ("KeyAlgorithm", _ALGORITHM, None),
        ("EncryptorThumbprint", _THUMBPRINT, None),
        ("EncryptorType", _ALGORITHM, None),
        ("LastValidRestoreTime", _DATE, None),
        ("TimeZone", _SHORT, 0),
        ("CompressionAlgorithm", _ALGORITHM, "MS_XPRESS" if header.compressed else None),
    ]


def _file_cells(file: SetFile) -> list[Cell]:
    is_log = file.type == "L"
    return [
        ("LogicalName", _NAME, file.logical_name),
        ("PhysicalName", NVarChar(260), file.physical_name),
        ("Type", NChar(1), file.type),
        ("FileGroupName", _NAME, None if is_log else "PRIMARY"),
        ("Size", _LONG, file.size_bytes),
        ("MaxSize", _LONG, _UNLIMITED_LOG_BYTES if is_log else _UNLIMITED_DATA_BYTES),
        ("FileId", _LONG, file.file_id),
        # No value is 0 or an all-zero GUID in this row set, rather than NULL (report).
        ("CreateLSN", _LSN, 0),
        ("DropLSN", _LSN, 0),
        ("UniqueId", _GUID, file.guid),
        ("ReadOnlyLSN", _LSN, 0),
        ("ReadWriteLSN", _LSN, 0),
        ("BackupSizeInBytes", _LONG, 0 if is_log else file.pages * PAGE_BYTES),
        ("SourceBlockSize", _INT, 4096),
        ("FileGroupId", _INT, 0 if is_log else 1),
        ("LogGroupGUID", _GUID, None),
        ("DifferentialBaseLSN", _LSN, 0),
        ("DifferentialBaseGUID", _GUID, _NO_GUID),
        ("IsReadOnly", _BIT, False),
        ("IsPresent", _BIT, True),
        ("TDEThumbprint", _THUMBPRINT, None),
        ("SnapshotUrl", NVarChar(336), None),
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
