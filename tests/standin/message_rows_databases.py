"""Messages about databases, their users and sessions; `message_rows` says what the columns are."""

from tests.standin.message_rows import Template

_UNCHECKED = "docs; wording not checked; state inferred"

_DATABASES = (
    Template(
        297,
        1,
        16,
        "report",
        "The user does not have permission to perform this action.",
    ),
    Template(
        300,
        1,
        14,
        "report",
        "{0} permission was denied on object 'server', database 'master'.",
    ),
    Template(
        916,
        2,
        14,
        "docs; state inferred",
        'The server principal "{0}" is not able to access the database "{1}" under the '
        "current security context.",
    ),
    Template(
        924,
        1,
        14,
        "capture25",
        "Database '{0}' is already open and can only have one user at a time.",
    ),
    Template(
        3701,
        1,
        16,
        _UNCHECKED,
        "Cannot drop the database '{0}', because it does not exist or you do not have permission.",
    ),
    Template(
        3702,
        4,
        16,
        "capture25; where the name stands not checked",
        'Cannot drop database "{0}" because it is currently in use.',
    ),
    Template(5021, 1, 0, "docs, report", "The {0} name '{1}' has been set."),
    Template(
        5030,
        2,
        16,
        _UNCHECKED,
        "The database could not be exclusively locked to perform the operation.",
    ),
    Template(
        5052,
        1,
        16,
        "docs; state inferred",
        "{0} is not permitted while a database is in the {1} state.",
    ),
    Template(
        5058,
        1,
        16,
        "capture25; state inferred",
        "Option '{0}' cannot be set in database '{1}'.",
    ),
    Template(
        5060,
        1,
        0,
        "capture25: state 2, then 1",
        "Nonqualified transactions are being rolled back. Estimated rollback completion: {0}%.",
    ),
    Template(
        5061,
        1,
        16,
        "docs; state inferred",
        "ALTER DATABASE failed because a lock could not be placed on database '{0}'. Try "
        "again later.",
    ),
    Template(
        5064,
        1,
        16,
        "capture25",
        "Changes to the state or options of database '{0}' cannot be made at this time. "
        "The database is in single-user mode, and a user is currently connected to it.",
    ),
    Template(
        5070,
        2,
        16,
        "capture25",
        "Database state cannot be changed while other users are using the database '{0}'",
    ),
    Template(
        9772,
        1,
        16,
        "docs; report for the state",
        'The Service Broker in database "{0}" cannot be enabled because there is already an '
        "enabled Service Broker with the same ID.",
    ),
    Template(
        15247,
        1,
        16,
        "docs; state inferred",
        "User does not have permission to perform this action.",
    ),
)

_SESSIONS = (
    Template(6101, 1, 16, _UNCHECKED, "Session ID {0} is not valid."),
    Template(6102, 1, 14, _UNCHECKED, "User does not have permission to use the KILL statement."),
    Template(6104, 1, 16, _UNCHECKED, "Cannot use KILL to kill your own process."),
    Template(6106, 1, 16, _UNCHECKED, "Process ID {0} is not an active process ID."),
)

_PRINCIPALS = (
    Template(15007, 1, 16, _UNCHECKED, "'{0}' is not a valid login or you do not have permission."),
    Template(
        15023,
        1,
        16,
        _UNCHECKED,
        "User, group, or role '{0}' already exists in the current database.",
    ),
    Template(
        15063,
        1,
        16,
        _UNCHECKED,
        "The login already has an account under a different user name.",
    ),
    Template(
        15110,
        1,
        16,
        _UNCHECKED,
        "The proposed new database owner is already a user or aliased in the database.",
    ),
    Template(
        15151,
        1,
        16,
        _UNCHECKED,
        "Cannot {0} the {1} '{2}', because it does not exist or you do not have permission.",
    ),
)

_QUERIES = (Template(207, 1, 16, "docs; wording not checked", "Invalid column name '{0}'."),)

ROWS = (*_DATABASES, *_SESSIONS, *_PRINCIPALS, *_QUERIES)
