"""The T-SQL of a restore, as pure functions from values to text.

`statements.py` says why it is text, and has the two doors for a value.
"""

from collections.abc import Sequence

from selfmx_backupd.adapters.mssql.statements import quote_name, quote_text
from selfmx_backupd.policy.restore import Placement

# So long a statement of a swap waits for a lock, rather than for ever: error 1222.
LOCK_TIMEOUT_MS = 10_000


def every_database() -> str:
    """A row for each database: what it is, whose, and what stands against renaming it."""
    return (
        "SELECT d.name AS name, d.database_id AS database_id, d.state_desc AS state, "
        "d.user_access_desc AS user_access, d.recovery_model_desc AS recovery_model, "
        "d.is_broker_enabled AS is_broker_enabled, d.is_trustworthy_on AS is_trustworthy_on, "
        "d.is_in_standby AS is_in_standby, SUSER_SNAME(d.owner_sid) AS owner, "
        "d.source_database_id AS source_database_id, d.replica_id AS replica_id, "
        "m.mirroring_guid AS mirroring_guid "
        "FROM sys.databases AS d "
        "LEFT JOIN sys.database_mirroring AS m ON m.database_id = d.database_id"
    )


def every_file() -> str:
    """A row for each file of each database; `type` is 1 for a log (sys.master_files)."""
    return (
        "SELECT f.database_id AS database_id, f.file_id AS file_id, f.type AS type, "
        "f.name AS logical_name, f.physical_name AS physical_name, "
        "CAST(f.size AS bigint) * 8192 AS size_bytes FROM sys.master_files AS f"
    )


def volumes() -> str:
    """A row for each file of an open database: the space around it."""
    return (
        "SELECT f.physical_name AS physical_name, v.total_bytes AS total_bytes, "
        "v.available_bytes AS available_bytes FROM sys.master_files AS f "
        "CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v"
    )


def default_directories() -> str:
    """One row: where new databases go, `data` and `log`, with a slash at the end."""
    return (
        "SELECT CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(260)) AS data, "
        "CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(260)) AS log"
    )


def rights_to_restore(database: str) -> str:
    """One row of 1, 0 or NULL for each right; and `login`, whose they are.

    `may_alter` is NULL also where the database cannot be asked.
    """
    return (
        "SELECT ORIGINAL_LOGIN() AS login, IS_SRVROLEMEMBER('sysadmin') AS is_sysadmin, "
        "IS_SRVROLEMEMBER('dbcreator') AS is_dbcreator, "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'CREATE ANY DATABASE') AS may_create, "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY DATABASE') AS may_alter_any, "
        f"HAS_PERMS_BY_NAME({quote_text(quote_name(database))}, 'DATABASE', 'ALTER') AS may_alter, "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY CONNECTION') AS may_kill, "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS may_view_state, "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE') AS may_view_performance"
    )


def restore_database(
    database: str,
    path: str,
    moves: Sequence[Placement],
    *,
    replace: bool = False,
    checksum: bool = True,
) -> str:
    """RESTORE DATABASE, every file moved to its place.

    REPLACE destroys what is there, and leaves the tail of its log unsaved: only a restore in
    place sends it.
    """
    options = [
        f"MOVE {quote_text(each.logical_name)} TO {quote_text(each.physical_name)}"
        for each in moves
    ]
    options += ["REPLACE"] if replace else []
    options += ["CHECKSUM"] if checksum else []
    options.append("STATS = 1")
    return (
        f"RESTORE DATABASE {quote_name(database)} FROM DISK = {quote_text(path)} "
        f"WITH {', '.join(options)}"
    )


def check_database(database: str) -> str:
    """DBCC CHECKDB, with what it finds as rows: as errors only the first would be seen."""
    return f"DBCC CHECKDB ({quote_text(database)}) WITH NO_INFOMSGS, ALL_ERRORMSGS, TABLERESULTS"


def users_of(database: str) -> str:
    """A row for each user of a database that stands for an SQL login: name and sid."""
    return (
        f"SELECT name AS name, sid AS sid FROM {quote_name(database)}.sys.database_principals "
        "WHERE type = 'S' AND authentication_type = 1"
    )


def sql_logins() -> str:
    """A row for each SQL login of the server that our login may see: name and sid."""
    return "SELECT name AS name, sid AS sid FROM sys.server_principals WHERE type = 'S'"


def use(database: str) -> str:
    """The database in which the next statements work."""
    return f"USE {quote_name(database)}"


def map_user(user: str, login: str) -> str:
    """Give a user of the present database to a login of this server."""
    return f"ALTER USER {quote_name(user)} WITH LOGIN = {quote_name(login)}"


def create_user(user: str, login: str) -> str:
    """Make a user in the present database."""
    return f"CREATE USER {quote_name(user)} FOR LOGIN {quote_name(login)}"


def let_back_up(user: str) -> str:
    """Let a user of the present database take backups."""
    return f"ALTER ROLE [db_backupoperator] ADD MEMBER {quote_name(user)}"


def give_to(database: str, login: str) -> str:
    """Make a login the database's owner."""
    return f"ALTER AUTHORIZATION ON DATABASE::{quote_name(database)} TO {quote_name(login)}"


def set_recovery(database: str, model: str) -> str:
    """Set the recovery model, spelled as sys.databases spells it."""
    known = {"FULL", "BULK_LOGGED", "SIMPLE"}
    if model not in known:
        raise ValueError(f"{model} is no recovery model, there are {', '.join(sorted(known))}")
    return f"ALTER DATABASE {quote_name(database)} SET RECOVERY {model}"


def set_new_broker(database: str) -> str:
    """Switch Service Broker on.

    With a new identifier: the copy has that of the live database, and two databases of one
    server cannot both use it (error 9772).
    """
    return f"ALTER DATABASE {quote_name(database)} SET NEW_BROKER WITH ROLLBACK IMMEDIATE"


def set_trustworthy(database: str) -> str:
    """Set TRUSTWORTHY, which every RESTORE switches off."""
    return f"ALTER DATABASE {quote_name(database)} SET TRUSTWORTHY ON"


def lock_timeout() -> str:
    """Let this session's statements give up rather than wait for ever."""
    return f"SET LOCK_TIMEOUT {LOCK_TIMEOUT_MS:d}"


def set_single_user(database: str) -> str:
    """Throw everybody out; the only place is this session's until it ends."""
    return f"ALTER DATABASE {quote_name(database)} SET SINGLE_USER WITH ROLLBACK IMMEDIATE"


def set_multi_user(database: str) -> str:
    """Let everybody in again."""
    return f"ALTER DATABASE {quote_name(database)} SET MULTI_USER"


def set_offline(database: str) -> str:
    """Close a database; dropped then, it leaves its files on the disk."""
    return f"ALTER DATABASE {quote_name(database)} SET OFFLINE WITH ROLLBACK IMMEDIATE"


def rename(database: str, name: str) -> str:
    """Give a database another name; its files keep theirs."""
    return f"ALTER DATABASE {quote_name(database)} MODIFY NAME = {quote_name(name)}"


def drop(database: str) -> str:
    """Remove a database, with its files unless it is OFFLINE."""
    return f"DROP DATABASE {quote_name(database)}"


def swap(database: str, aside: str, incoming: str) -> str:
    """Two renames, the first undone where the second fails.

    THROW says only the last of several errors again, perhaps only 5069.
    """
    return (
        f"BEGIN TRY {rename(database, aside)}; {rename(incoming, database)}; END TRY "
        f"BEGIN CATCH IF DB_ID({quote_text(database)}) IS NULL {rename(aside, database)}; "
        "THROW; END CATCH"
    )


def sessions_in(database: str) -> str:
    """A row for each other session that is in a database or holds its only place.

    By its locks: the session that set SINGLE_USER keeps the place wherever it is, and shows
    it by a lock on the database alone.
    """
    return (
        "SELECT l.request_session_id AS session_id, s.login_name AS login_name, "
        "s.program_name AS program_name, s.host_name AS host_name "
        "FROM sys.dm_tran_locks AS l "
        "JOIN sys.dm_exec_sessions AS s ON s.session_id = l.request_session_id "
        "WHERE l.resource_type = 'DATABASE' "
        f"AND l.resource_database_id = DB_ID({quote_text(database)}) "
        "AND s.is_user_process = 1 AND l.request_session_id <> @@SPID"
    )


def kill(session_id: int) -> str:
    """End a session."""
    return f"KILL {session_id:d}"
