"""Every message that the stand-in can send: number, state, class, source, text.

Texts are the templates of sys.messages. State and class are those of the wire, which
differ from sys.messages in places: 262 is class 14 on the wire, an INFO's class is 0.
Where the source says that the wording was not checked, number and class are documented
but the sentence was not compared with a server's.
"""

from dataclasses import dataclass

# The number of what no real server says.
STAND_IN = 50000


@dataclass(frozen=True, slots=True)
class Template:
    """A row of sys.messages as it comes over the wire, and who says so."""

    number: int
    state: int
    severity: int
    source: str
    text: str


ROWS = (
    Template(155, 1, 15, "capture", "'{0}' is not a recognized {1} option."),
    Template(208, 1, 16, "docs; wording not checked", "Invalid object name '{0}'."),
    Template(
        226,
        6,
        16,
        "capture25",
        "{0} statement not allowed within multi-statement transaction.",
    ),
    Template(
        229,
        5,
        14,
        "docs; state inferred",
        "The {0} permission was denied on the object '{1}', database '{2}', schema 'dbo'.",
    ),
    Template(262, 1, 14, "report", "{0} permission denied in database '{1}'."),
    Template(
        596,
        1,
        21,
        "capture25",
        "Cannot continue the execution because the session is in the kill state.",
    ),
    Template(
        911,
        11,
        16,
        "capture",
        "Database '{0}' does not exist. Make sure that the name is entered correctly.",
    ),
    Template(
        922,
        1,
        14,
        "docs; wording not checked; state inferred",
        "Database '{0}' is being recovered. Waiting until recovery is finished.",
    ),
    Template(
        926,
        1,
        14,
        "docs; wording not checked; state inferred",
        "Database '{0}' cannot be opened. It has been marked SUSPECT by recovery. See the SQL "
        "Server errorlog for more information.",
    ),
    Template(
        927,
        2,
        14,
        "docs; state inferred",
        "Database '{0}' cannot be opened. It is in the middle of a restore.",
    ),
    Template(
        942,
        4,
        14,
        "docs; wording not checked; state inferred",
        "Database '{0}' cannot be opened because it is offline.",
    ),
    Template(
        945,
        2,
        14,
        "docs; wording not checked; state inferred",
        "Database '{0}' cannot be opened due to inaccessible files or insufficient memory or "
        "disk space.  See the SQL Server errorlog for details.",
    ),
    Template(
        1801,
        3,
        16,
        "docs; wording not checked; state inferred",
        "Database '{0}' already exists. Choose a different database name.",
    ),
    Template(1844, 1, 16, "report", "{0} is not supported on {1}."),
    Template(
        3009,
        1,
        16,
        "docs; wording not checked; state inferred",
        "Could not insert a backup or restore history/detail record in the msdb database. This "
        "may indicate a problem with the msdb database. The backup/restore operation was still "
        "successful.",
    ),
    Template(3013, 1, 16, "capture", "{0} is terminating abnormally."),
    Template(
        3014,
        1,
        0,
        "capture",
        "{0} successfully processed {1} pages in {2} seconds ({3} MB/sec).",
    ),
    Template(
        3021,
        0,
        16,
        "capture",
        "Cannot perform a backup or restore operation within a transaction.",
    ),
    Template(
        3023,
        2,
        16,
        "docs",
        "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption "
        "changes on a database must be serialized. Reissue the statement after the current "
        "backup or file manipulation operation is completed.",
    ),
    Template(
        3033,
        1,
        16,
        "docs; state inferred",
        "BACKUP DATABASE cannot be used on a database opened in emergency mode.",
    ),
    Template(
        3181,
        1,
        0,
        "docs",
        "Attempting to restore this backup may encounter storage space problems. Subsequent "
        "messages will provide details.",
    ),
    Template(
        3187,
        1,
        16,
        "report",
        "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain "
        "checksum information.",
    ),
    Template(3189, 1, 16, "docs; state inferred", "Damage to the backup set was detected."),
    Template(
        3201,
        1,
        16,
        "capture; state 2 when reading",
        "Cannot open backup device '{0}'. Operating system error {1}.",
    ),
    Template(3202, 1, 16, "docs", 'Write on "{0}" failed: {1}'),
    Template(3203, 1, 16, "docs", 'Read on "{0}" failed: {1}'),
    Template(3204, 1, 16, "docs; state inferred", "The backup or restore was aborted."),
    Template(3211, 1, 0, "capture", "{0} percent processed."),
    Template(
        3241,
        0,
        16,
        "docs",
        "The media family on device '{0}' is incorrectly formed. SQL Server cannot process "
        "this media family.",
    ),
    Template(3254, 1, 16, "docs", "The volume on device '{0}' is empty."),
    Template(
        3256,
        1,
        16,
        "docs; state inferred",
        "The backup set on device '{0}' was terminated while it was being created and is "
        "incomplete. RESTORE sequence is terminated abnormally.",
    ),
    Template(
        3257,
        1,
        0,
        "docs; an information in VERIFYONLY",
        "There is insufficient free space on disk volume '{0}' to create the database. The "
        "database requires {1} additional free bytes, while only {2} bytes are available.",
    ),
    Template(3262, 1, 0, "capture", "The backup set on file {0} is valid."),
    Template(
        3266,
        1,
        16,
        "docs; wording not checked; state inferred",
        'The backup data at the end of "{0}" is incorrectly formatted. Backup sets on the '
        "media might be damaged and unusable. To determine the backup sets on the media, use "
        "RESTORE HEADERONLY. To determine the usability of the backup sets, run RESTORE "
        "VERIFYONLY. If all of the backup sets are incomplete, reformat the media using BACKUP "
        "WITH FORMAT, which destroys all the backup sets.",
    ),
    Template(
        3287,
        1,
        16,
        "capture",
        "The file ID {0} on device '{1}' is incorrectly formed and can not be read.",
    ),
    Template(
        3708,
        4,
        16,
        "capture",
        "Cannot drop the database '{0}' because it is a system database.",
    ),
    Template(
        3902,
        1,
        16,
        "docs; wording not checked",
        "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.",
    ),
    Template(
        3903,
        1,
        16,
        "docs; wording not checked",
        "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.",
    ),
    Template(
        4035,
        1,
        0,
        "capture",
        "Processed {0} pages for database '{1}', file '{2}' on file {3}.",
    ),
    Template(
        4060,
        1,
        11,
        "capture25",
        'Cannot open database "{0}" requested by the login. The login failed.',
    ),
    Template(
        4208,
        1,
        16,
        "capture",
        "The statement {0} is not allowed while the recovery model is SIMPLE. Use BACKUP "
        "DATABASE or change the recovery model using ALTER DATABASE.",
    ),
    Template(
        4214,
        1,
        16,
        "docs",
        "BACKUP LOG cannot be performed because there is no current database backup.",
    ),
    Template(
        5011,
        5,
        14,
        "capture25",
        "User does not have permission to alter database '{0}', the database does not exist, "
        "or the database is not in a state that allows access checks.",
    ),
    Template(5069, 1, 16, "capture25", "ALTER DATABASE statement failed."),
    Template(5701, 2, 0, "docs", "Changed database context to '{0}'."),
    Template(
        18401,
        1,
        14,
        "docs; wording not checked",
        "Login failed for user '{0}'. Reason: Server is in script upgrade mode. Only "
        "administrator can connect at this time.",
    ),
    Template(18456, 1, 14, "capture25", "Login failed for user '{0}'."),
    Template(STAND_IN, 1, 16, "ours: no real server says this", "stand-in: {0}"),
)
