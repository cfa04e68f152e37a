"""Messages of RESTORE DATABASE and DBCC CHECKDB; see `message_rows` for what the columns say."""

from tests.standin.message_rows import Template

_RESTORE = (
    Template(
        3101,
        1,
        16,
        "capture",
        "Exclusive access could not be obtained because the database is in use.",
    ),
    Template(
        3102,
        1,
        16,
        "capture",
        "{0} cannot process database '{1}' because it is in use by this session. It is "
        "recommended that the master database be used when performing this operation.",
    ),
    Template(
        3110,
        1,
        14,
        "docs; state inferred",
        "User does not have permission to RESTORE database '{0}'.",
    ),
    Template(
        3119,
        1,
        16,
        "capture",
        "Problems were identified while planning for the RESTORE statement. Previous "
        "messages provide details.",
    ),
    Template(
        1834,
        1,
        16,
        "capture",
        "The file '{0}' cannot be overwritten.  It is being used by database '{1}'.",
    ),
    Template(
        3142,
        1,
        16,
        "docs; state inferred",
        'File "{0}" cannot be restored over the existing "{1}". Reissue the RESTORE '
        "statement using WITH REPLACE to overwrite pre-existing files, or WITH MOVE to "
        "identify an alternate location.",
    ),
    Template(
        3153,
        1,
        16,
        "docs; wording not checked; state inferred",
        "The database is already fully recovered.",
    ),
    Template(
        3154,
        4,
        16,
        "capture",
        "The backup set holds a backup of a database other than the existing '{0}' database.",
    ),
    Template(
        3156,
        4,
        16,
        "capture",
        "File '{0}' cannot be restored to '{1}'. Use WITH MOVE to identify a valid "
        "location for the file.",
    ),
    Template(
        3159,
        1,
        16,
        "docs; wording not checked; state inferred",
        'The tail of the log for the database "{0}" has not been backed up. Use BACKUP '
        "LOG WITH NORECOVERY to backup the log if it contains work you do not want to "
        "lose. Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to "
        "just overwrite the contents of the log.",
    ),
    Template(
        3169,
        1,
        16,
        "docs; wording not checked",
        "The database was backed up on a server running database version {0}. That "
        "version is incompatible with this server, which supports version {1}. Either "
        "restore the database on a server that supports the backup, or use a backup that "
        "is compatible with this server.",
    ),
    Template(
        3176,
        1,
        16,
        "docs; state inferred",
        "File '{0}' is claimed by '{1}'({2}) and '{3}'({4}). The WITH MOVE clause can be "
        "used to relocate one or more files.",
    ),
    Template(
        3183,
        1,
        16,
        "docs; state inferred",
        'RESTORE detected an error on page ({0}:{1}) in database "{2}" as read from the '
        "backup set.",
    ),
    Template(
        3234,
        2,
        16,
        "capture",
        "Logical file '{0}' is not part of database '{1}'. Use RESTORE FILELISTONLY to "
        "list the logical file names.",
    ),
    Template(
        4333,
        1,
        16,
        "docs; wording not checked; state inferred",
        "The database cannot be recovered because the log was not restored.",
    ),
    Template(
        5133,
        1,
        16,
        "docs",
        'Directory lookup for the file "{0}" failed with the operating system error {1}.',
    ),
    Template(
        5149,
        3,
        16,
        "report; state inferred",
        "MODIFY FILE encountered operating system error {0} while attempting to expand "
        "the physical file '{1}'.",
    ),
)

_CHECKDB = (
    Template(
        7983,
        1,
        14,
        "docs; wording not checked; state inferred",
        "User '{0}' does not have permission to run DBCC {1} for database '{2}'.",
    ),
    Template(
        8928,
        1,
        16,
        "docs; wording not checked",
        "Object ID {0}, index ID 1, partition ID {1}, alloc unit ID {1} (type In-row "
        "data): Page (1:{2}) could not be processed.  See other errors for details.",
    ),
    Template(
        8939,
        98,
        16,
        "docs; wording not checked",
        "Table error: Object ID {0}, index ID 1, partition ID {1}, alloc unit ID {1} "
        "(type In-row data), page (1:{2}). Test (IS_OFF (BUF_IOERR, pBUF->bstat)) "
        "failed. Values are 133129 and -4.",
    ),
    Template(
        8958,
        1,
        0,
        "docs; wording not checked",
        "repair_allow_data_loss is the minimum repair level for the errors found by DBCC "
        "CHECKDB ({0}).",
    ),
    Template(
        8989,
        1,
        0,
        "docs",
        "CHECKDB found {0} allocation errors and {1} consistency errors in database '{2}'.",
    ),
)

ROWS = (*_RESTORE, *_CHECKDB)
