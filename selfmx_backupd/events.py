"""Every event once: name, message id, level and sentence.

The journal's MESSAGE_ID of an event never changes, so that a filter written today
still works in ten years. Level error means that a person must act; `explanations.py`
says to that person what.
"""

from selfmx_backupd.event import Event, Level

DAEMON_READY = Event(
    "daemon.ready",
    "579f57fd5114449ea763e65e8966134a",
    Level.INFO,
    "ready: {count} in {directory}, {next_run}",
)
DAEMON_STOPPING = Event(
    "daemon.stopping",
    "c7b3a1da23ad445a958d8a473446cf23",
    Level.INFO,
    "stopping on {signal}",
)
DAEMON_STUCK = Event(
    "daemon.stuck",
    "dc3ef8996e8941059737ad8f4a3cbaec",
    Level.WARNING,
    "{reason}: the watchdog is left to end the daemon, which then begins anew",
)
DAEMON_RELOADED = Event(
    "daemon.reloaded",
    "bb3839352850478abdfdaf445e4e4455",
    Level.INFO,
    "the configuration has been read again",
)
DAEMON_FAULT = Event(
    "daemon.fault",
    "cbfc3f0751564bcf8edfbc30e2a1fac5",
    Level.ERROR,
    "a fault of this program, please report it: {error}",
)
COMMAND_ENDED = Event(
    "command.ended",
    "893a9d5a1a9644afb5e34509bb9b932b",
    Level.ERROR,
    "{command} ended with exit code {exit_code}: {error}",
)
CONFIG_REJECTED = Event(
    "config.rejected",
    "74fb5690209f454580080ad54e2065a2",
    Level.ERROR,
    "the new configuration is wrong and the old one stays in force: {error}",
)
CONFIG_NEEDS_RESTART = Event(
    "config.needs_restart",
    "3b3333b8a9f1415f894b5fe26be37dd4",
    Level.WARNING,
    "changed, but taken up only by a restart: {keys:list}",
)
DIRECTORY_UNUSABLE = Event(
    "daemon.directory_unusable",
    "d16638611f9d4e9dadd4066087f3a7db",
    Level.ERROR,
    "no backup can be taken: {error}",
)
STATE_UNWRITABLE = Event(
    "state.unwritable",
    "62caae3fd262452b8bf7c64aca062707",
    Level.ERROR,
    "work goes on, but how it ends cannot be remembered: {error}",
)
HEALTH_CRITICAL = Event(
    "health.critical",
    "48299f9b67d443d3a286f2c8bbcfe501",
    Level.ERROR,
    "all is not well: {problem}",
)
CLOCK_UNREMEMBERED = Event(
    "clock.unremembered",
    "0e500367524d4fba833633c0f2b4112d",
    Level.WARNING,
    "after a restart nothing will be swept for a day, because the clock is not remembered: {error}",
)
REMOVAL_FAILED = Event(
    "removal.refused",
    "92e4b6b4152641d9bbf1322e4beba72a",
    Level.ERROR,
    "{file} should go and cannot be removed: {error}",
)
SQLSERVER_CONNECTED = Event(
    "sqlserver.connected",
    "d83f7ae9b6a047ddba1c1311bc2315c2",
    Level.INFO,
    "connected to SQL Server {version} ({edition}) at {address} with the driver {driver}",
)
BACKUP_STARTED = Event(
    "backup.started",
    "a45455106ffd439495fc96f3c02f09a0",
    Level.INFO,
    "backing up {database} to {file} as {tier:list} ({trigger})",
)
BACKUP_NO_HISTORY = Event(
    "backup.no_history",
    "1d7a60bb559d41f49be5bff48f29d88b",
    Level.WARNING,
    "no earlier backup tells how much space is needed: {free_bytes:size} are free, {advice}",
)
BACKUP_HISTORY_UNWRITTEN = Event(
    "backup.history_unwritten",
    "2d1bf27a09b5484d904d22d76a3d1681",
    Level.WARNING,
    "SQL Server could not note the backup in msdb (error 3009); "
    "its header and the verification decide about {file}",
)
BACKUP_PUBLISHED = Event(
    "backup.published",
    "fb5947b4126d482fad193f6b225eda8e",
    Level.INFO,
    "{file} is complete and verified: {size_bytes:size} as {tier:list}, took {duration_s:duration}",
)
BACKUP_FAILED = Event(
    "backup.failed",
    "ce98c664909a49148185280ebc953d89",
    Level.ERROR,
    "the backup failed: {error}",
)
RUN_WILL_RETRY = Event(
    "run.will_retry",
    "3cee66ae9db94d919a852e0853fad1b7",
    Level.WARNING,
    "the {what} failed and will be tried again: {error}",
)
RUN_CANCELLED = Event(
    "run.cancelled",
    "da3f79fc416f479e8a3823375e947236",
    Level.WARNING,
    "the {what} was given up: {error}",
)
RUN_INTERRUPTED = Event(
    "run.interrupted",
    "7939f6359a494540b94f00254d300ec4",
    Level.WARNING,
    "the {what} that began {started_at} died with its process while {step}",
)
RUN_UNSETTLED = Event(
    "run.unsettled",
    "6a1eccb246a44c3c81df84d1d32344b3",
    Level.ERROR,
    "the {what} is done, but a person must look: {error}",
)
RUN_BLOCKED = Event(
    "run.blocked",
    "c6eae00b53674f2ea879f0a3a4797382",
    Level.WARNING,
    "the {what} has waited {waited} for the lock: {error}",
)
FSYNC_UNSUPPORTED = Event(
    "backup.fsync_unsupported",
    "6e235d97c6ef42db8bfcf9ba9bb05564",
    Level.WARNING,
    "the file system cannot flush {file}: a power cut soon after may damage it",
)
LEFTOVER_REMOVED = Event(
    "reconcile.removed",
    "b07f5b20cfc34f6da82f6117b320664b",
    Level.INFO,
    "removed {file}, left behind by an interrupted run: {reason}",
)
LEFTOVER_KEPT = Event(
    "reconcile.kept",
    "c1161b4cdc5b4fb2937a267ebfeda9e3",
    Level.WARNING,
    "{file} is left where it is for now: {reason}",
)
SWEEP_REMOVED = Event(
    "sweep.removed",
    "c9103265566840f28c3c3253f22b59d1",
    Level.INFO,
    "removed {file} ({size_bytes:size}): {reason}",
)
SWEEP_HELD_BACK = Event(
    "sweep.held_back",
    "dad92e6c030e40acb2b04866d739b1fe",
    Level.WARNING,
    "{count} may go but wait for the next sweep: {reason}",
)
SWEEP_DONE = Event(
    "sweep.done",
    "d7524f32817b47efa20250663312ce7e",
    Level.INFO,
    "swept: {removed} removed, {kept} kept",
)
SWEEP_FAILED = Event(
    "sweep.failed",
    "419f157f344f4efdb98a1fad3948e586",
    Level.ERROR,
    "the sweep failed: {error}",
)
DAMAGE_FOUND = Event(
    "backup.damaged",
    "f6fb6764fa854164ac219e8f5f587c7f",
    Level.ERROR,
    "{file} is damaged: {reason}",
)
BACKUP_ADOPTED = Event(
    "backup.adopted",
    "eec0f757c85f43e195e010e40477d791",
    Level.INFO,
    "{file} had no manifest and is adopted: {size_bytes:size} as {tier:list}, proven by {by:list}",
)
BACKUP_MOVED = Event(
    "backup.moved",
    "eaabe6b70e3d4811afe02c346e3f1a1f",
    Level.INFO,
    "{file} is what {was} was: it was moved, and the manifest of the old name is removed",
)
BACKUP_RETURNED = Event(
    "backup.returned",
    "30e9063f10244711b83528a1049d2f6a",
    Level.INFO,
    "{file} was missing, is back, and has been proven again",
)
ADOPT_REFUSED = Event(
    "adopt.refused",
    "97b63fce33e6497796cc93432c61eee8",
    Level.WARNING,
    "not adopted, and left as it is: {reason}",
)
DAMAGE_LIFTED = Event(
    "backup.sound_again",
    "173ed60e22c9412c845c00d07b37ab0c",
    Level.WARNING,
    "{file} was called damaged ({reason}), and has now passed every check",
)
REREAD_DONE = Event(
    "reread.done",
    "867e9abd8a42493d8d63504b84d7fcbc",
    Level.INFO,
    "read {file} again, {size_bytes:size}: its SHA-256 is the one that was proven",
)
VERIFY_FAILED = Event(
    "verify.failed",
    "0c0f1543350547dfb51ff050b07ae787",
    Level.ERROR,
    "what is in the backup directory could not be proven: {error}",
)
RESTORE_STARTED = Event(
    "restore.started",
    "3e71b7e308ca45c59da6ca3269752a0b",
    Level.INFO,
    "restoring {file} into {database} ({kind})",
)
RESTORE_DONE = Event(
    "restore.done",
    "049a2ce440c642669e7dc6502c56d54b",
    Level.INFO,
    "{database} is what {file} holds; what was in service before is {kept}",
)
RESTORE_UNDONE = Event(
    "restore.undone",
    "b924fef826964242b7c0fc2ca96af112",
    Level.INFO,
    "{database} is again what it was before the last restore; what was restored is {kept}",
)
RESTORE_FAILED = Event(
    "restore.failed",
    "07d170f4b1fb4bd59461a6d0298d0c30",
    Level.ERROR,
    "the restore failed: {error}",
)
RESTORE_HEALED = Event(
    "restore.healed",
    "2836c8d5a4ec42f399a210c77251d1ce",
    Level.WARNING,
    "an interrupted restore was put right: {reason}",
)
RESTORE_SESSION_ENDED = Event(
    "restore.session_ended",
    "b75f54ecf5e44f9c9095a0e008c79027",
    Level.WARNING,
    "ended session {session_id} of {login} ({program}), which was in {database}",
)
OLD_DROPPED = Event(
    "restore.old_dropped",
    "5a305bb25db8459d99e717dc7a19ed7b",
    Level.INFO,
    "dropped {name}, which a restore had left behind",
)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Event))
