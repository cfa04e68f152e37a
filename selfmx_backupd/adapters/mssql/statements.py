"""All T-SQL that this program can send, as pure functions from values to text.

Statements are text with escaped literals rather than parameters: a driver sends
a parameterised BACKUP through sp_prepexec, and the options' keywords cannot be
parameters anyway. `quote_name` and `quote_text` are the only two doors for a
value.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from selfmx_backupd.model import Tier, Trigger

WRITER = "selfmx-backupd"

# SQL Server's limit for DESCRIPTION (BACKUP, Transact-SQL reference).
DESCRIPTION_LIMIT_CHARS = 255
_DESCRIPTION = re.compile(rf"{WRITER}: tiers=(\S+) trigger=\S+ started=(\S+)(?: .*)?")


@dataclass(frozen=True, slots=True)
class Description:
    """What a DESCRIPTION of ours says of a backup whose manifest is gone."""

    tiers: tuple[Tier, ...]
    started_at: datetime


def quote_name(name: str) -> str:
    """A name as a delimited identifier: `a]b` becomes `[a]]b]`."""
    return "[" + name.replace("]", "]]") + "]"


def quote_text(text: str) -> str:
    """A text as a Unicode literal: `o'neil` becomes `N'o''neil'`."""
    return "N'" + text.replace("'", "''") + "'"


def server_facts() -> str:
    """One row of facts about the server and our session.

    product_version, edition, engine_edition, edition_id, server_name, session_id, sees_all.

    SERVERPROPERTY returns sql_variant, which ODBC drivers are awkward with, hence the
    casts. `sees_all` is 1 where our login can see other sessions' requests.
    """
    return (
        "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version, "
        "CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition, "
        "CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition, "
        "CAST(SERVERPROPERTY('EditionID') AS bigint) AS edition_id, "
        "CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name, "
        "CAST(@@SPID AS int) AS session_id, "
        # SQL Server 2022 split the right; a name that the server does not know gives NULL.
        "CASE WHEN 1 IN (HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER PERFORMANCE STATE')) "
        "THEN 1 ELSE 0 END AS sees_all"
    )


def database_facts(database: str) -> str:
    """One row, or none where the database is unknown: name, state, size_bytes.

    `size_bytes` is NULL where our login may not see the files.
    """
    return (
        "SELECT d.name AS name, d.state_desc AS state, "
        "(SELECT SUM(CAST(f.size AS bigint)) * 8192 FROM sys.master_files AS f "
        "WHERE f.database_id = d.database_id AND f.type = 0) AS size_bytes "
        f"FROM sys.databases AS d WHERE d.name = {quote_text(database)}"
    )


def database_options(database: str) -> str:
    """One row: recovery_model, log_waits_for, page_verify, is_encrypted.

    Source: sys.databases (Transact-SQL).
    """
    return (
        "SELECT d.recovery_model_desc AS recovery_model, d.log_reuse_wait_desc AS log_waits_for, "
        "d.page_verify_option_desc AS page_verify, d.is_encrypted AS is_encrypted "
        f"FROM sys.databases AS d WHERE d.name = {quote_text(database)}"
    )


def rights(database: str) -> str:
    """One row: may_back_up and may_read_backups, each 1, 0 or NULL (HAS_PERMS_BY_NAME)."""
    return (
        f"SELECT HAS_PERMS_BY_NAME({quote_text(quote_name(database))}, 'DATABASE', "
        "'BACKUP DATABASE') AS may_back_up, "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'CREATE ANY DATABASE') AS may_read_backups"
    )


def running_backups(program: str) -> str:
    """A row for each BACKUP that another session of `program` runs: session_id, percent."""
    return (
        "SELECT r.session_id AS session_id, r.percent_complete AS percent_complete "
        "FROM sys.dm_exec_requests AS r "
        "JOIN sys.dm_exec_sessions AS s ON s.session_id = r.session_id "
        "WHERE r.command LIKE 'BACKUP%' AND r.session_id <> @@SPID "
        f"AND s.program_name = {quote_text(program)}"
    )


def session_activity(session_id: int) -> str:
    """One row while that session runs something that we may see, otherwise none."""
    return (
        "SELECT percent_complete, cpu_time, reads "
        f"FROM sys.dm_exec_requests WHERE session_id = {session_id:d}"
    )


def describe(tiers: tuple[Tier, ...], trigger: Trigger, started_at: datetime) -> str:
    """The DESCRIPTION of a backup set: what adoption needs when the manifest is gone."""
    text = (
        f"{WRITER}: tiers={','.join(tiers)} trigger={trigger} "
        f"started={started_at.isoformat(timespec='seconds')}"
    )
    return text[:DESCRIPTION_LIMIT_CHARS]


def parse_description(text: str) -> Description | None:
    """Read what `describe` wrote; None where it is not ours, or tells nothing that is known.

    Tiers and words of a later version are passed over: what is known of it still holds.
    """
    found = _DESCRIPTION.fullmatch(text)
    if found is None:
        return None
    names = found[1].split(",")
    tiers = tuple(tier for tier in Tier if tier in names)
    try:
        started_at = datetime.fromisoformat(found[2])
    except ValueError:
        return None
    if not tiers or started_at.tzinfo is None:
        return None
    return Description(tiers, started_at.astimezone(UTC))


def backup_database(
    database: str, path: str, *, name: str, description: str, compression: bool | None
) -> str:
    """BACKUP DATABASE to a new file.

    COPY_ONLY: an ordinary full backup would start a log chain that nobody truncates.
    FORMAT: a fresh media set, never an append. CHECKSUM: page checksums are tested on
    the way and the stream carries its own. `compression` None leaves it to the server.
    """
    options = ["COPY_ONLY", "FORMAT", "CHECKSUM"]
    if compression is not None:
        options.append("COMPRESSION" if compression else "NO_COMPRESSION")
    options += [f"NAME = {quote_text(name)}", f"DESCRIPTION = {quote_text(description)}"]
    options.append("STATS = 1")
    return (
        f"BACKUP DATABASE {quote_name(database)} TO DISK = {quote_text(path)} "
        f"WITH {', '.join(options)}"
    )


def header_only(path: str) -> str:
    """RESTORE HEADERONLY: one row for each backup set in the file."""
    return f"RESTORE HEADERONLY FROM DISK = {quote_text(path)}"


def file_list_only(path: str) -> str:
    """RESTORE FILELISTONLY: one row for each file of the database."""
    return f"RESTORE FILELISTONLY FROM DISK = {quote_text(path)}"


def verify_only(path: str, *, checksum: bool = True) -> str:
    """RESTORE VERIFYONLY, which reads the whole file."""
    options = "CHECKSUM, STATS = 1" if checksum else "STATS = 1"
    return f"RESTORE VERIFYONLY FROM DISK = {quote_text(path)} WITH {options}"
