"""A backup that somebody named: what the directory knows of it."""

from selfmx_backupd.errors import BackupUnusable, UsageError
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Entry
from selfmx_backupd.policy import inventory

LIST = "The list: selfmx-backup list"


def find(world: World, file: str) -> Entry:
    """The backup of that name, whatever it is worth.

    Raises:
        UsageError: It is not finished.
        BackupUnusable: There is none, or it is being deleted.
    """
    if file.endswith(inventory.PART):
        raise UsageError(f"{file} is not finished", hint="The next selfmx-backup finishes it.")
    held = world.inventory()
    for entry in held.entries:
        if entry.file == file:
            return entry
    for backup in held.going:
        if backup.file == file and backup.going is not None:
            raise BackupUnusable(
                f"the deletion of {file} has begun ({backup.going.reason})",
                hint=f"To keep it, while its file is there: selfmx-backup pin {file}",
            )
    raise BackupUnusable(f"there is no backup {file} in {world.directory.path}", hint=LIST)


def described(entry: Entry) -> Backup:
    """What the manifest says, without which nothing can be proven or written down.

    Raises:
        BackupUnusable: There is none, or none that can be read.
    """
    if entry.backup is None:
        raise BackupUnusable(
            f"{entry.file} is {entry.state}: {entry.reason}",
            hint="It never goes by itself. To see whether it is a backup: "
            f"selfmx-restore --as SelfMX_look {entry.file}",
        )
    return entry.backup
