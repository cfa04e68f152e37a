"""SQL Server's message and error numbers that this program knows by name.

Source: SQL Server 2022's list of database engine events and errors.
"""

PERCENT_PROCESSED = 3211
BACKUP_DONE = 3014
SET_IS_VALID = 3262
TERMINATED = 3013
NO_COMPRESSION = 1844

HISTORY_UNWRITTEN = 3009
NO_CHECKSUMS = 3187
CANNOT_OPEN_DEVICE = 3201
READ_FAILED = 3203
DEVICE_IS_EMPTY = 3254
NOT_A_BACKUP = 3241

LOGIN_REFUSED = frozenset({4060, 4064, 18452, 18456, 18470, 18486, 18487, 18488})
STARTING_OR_STOPPING = frozenset({6005, 17142, 18401, 18451, 18461})
DATABASE_UNAVAILABLE = frozenset({911, 921, 922, 924, 927, 942, 945, 3033, 3036})
PERMISSION_MISSING = frozenset({229, 262, 297, 300, 916, 3110, 5011, 6102, 7983, 15247})
# ALTER DATABASE, KILL and DBCC, which a login that only backs up never needs.
RESTORING_RIGHTS = frozenset({5011, 6102, 7983})
# A restore makes files in full size; 5149 is how Linux says that they do not fit (KB 4519691).
DATA_DISK_FULL = frozenset({3257, 5149})
# Somebody is in the database, holds its only place, locks it, or we lost a deadlock.
IN_USE = frozenset({1205, 1222, 3101, 3102, 3702, 5030, 5061, 5064, 5070})
DATABASE_HELD = 924
# One file of several, a newer server's, or encrypted with a certificate that is not here.
UNREADABLE_HERE = frozenset({3132, 3169, 33111})
ALTER_FAILED = 5069
NAME_TAKEN = 1801
DEVICE = frozenset({CANNOT_OPEN_DEVICE, 3202, READ_FAILED, 3271})
DAMAGE = frozenset({NOT_A_BACKUP, DEVICE_IS_EMPTY, 3183, 3186, 3189, 3242, 3243, 3256, 3266})
SESSION_KILLED = 596
SERIALIZED = 3023

# Operating system errors inside 3201, 3202 and 3203: Windows numbers, also on Linux.
# Which of them a full volume gives there is not documented, so each of them is taken
# for one ("full or failing").
OS_NOT_FOUND = frozenset({2, 3})
OS_DENIED = 5
OS_FULL_OR_FAILING = frozenset({31, 39, 112, 1117})
OS_END_OF_FILE = 38
