"""What each event means for the backups, and which command mends it; `journalctl -x` shows it.

`systemd/selfmx-backupd.catalog` is made from this table by `make catalog`. In it @FILE@ stands
for the field FILE of the entry. Source: systemd.io/CATALOG.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from selfmx_backupd import events
from selfmx_backupd.event import Event

_WIDTH = 78


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences for an administrator, and what to type then, in that order."""

    text: str
    commands: tuple[str, ...] = ()


def _as(text: str, *commands: str) -> Explanation:
    return Explanation(text, commands)


_STATUS = "systemctl status selfmx-backupd"
_LIST = "selfmx-backup list"
_SERVER_LOG = "docker logs --tail 50 selfmx-sqlserver"
_KERNEL_LOG = "journalctl -k -p err"

EXPLANATIONS: Mapping[Event, Explanation] = MappingProxyType(
    {
        events.DAEMON_READY: _as("The daemon has started and watches over the schedule."),
        events.DAEMON_STOPPING: _as(
            "The daemon was asked to stop. A backup that is being written is given up, and is "
            "taken after the next start.",
        ),
        events.DAEMON_STUCK: _as(
            "A statement cannot be ended, because SQL Server or the driver answers nothing any "
            "more, or a part of the daemon has died. Only a new process helps. So the daemon "
            "tells the watchdog no longer that it is well; systemd ends it, the journal shows "
            "where it hung, and the next one repairs what is unfinished and tries again. If it "
            "happens again, look at SQL Server.",
            _SERVER_LOG,
            _STATUS,
        ),
        events.DAEMON_RELOADED: _as("The new configuration is in force from now on."),
        events.DAEMON_FAULT: _as(
            "The program met something that its authors did not foresee. The backups that are "
            "there are untouched, and the daemon goes on and tries again, but the same may "
            "happen again. Please report the whole entry. A backup by hand shows whether "
            "backups can still be taken.",
            "journalctl -u selfmx-backupd -n 1 -o verbose MESSAGE_ID=@MESSAGE_ID@",
            "selfmx-backup",
        ),
        events.COMMAND_ENDED: _as(
            "@COMMAND@ could not do its work and has ended. If it is selfmx-backupd, no "
            "scheduled backup is taken until it runs again; after exit code 3, a wrong "
            "configuration, systemd does not start it again by itself. Mend what the message "
            "names, then start it.",
            _STATUS,
            "systemctl restart selfmx-backupd",
        ),
        events.CLOCK_UNREMEMBERED: _as(
            "The daemon watches the clock, because a wrong one would make backups look old, and "
            "removes nothing until it has seen it steady for a day. What it has seen cannot be "
            "written, so a restart begins that day anew. Backups are taken all the same.",
            "ls -ld /var/lib/selfmx-backupd",
            "df -h /var/lib/selfmx-backupd",
        ),
        events.CONFIG_REJECTED: _as(
            "The configuration was to be read again, and it is wrong. Backups go on with the "
            "old one, but a restart with this file would fail. Mend each key that the message "
            "names, then reload.",
            "editor /etc/selfmx-backupd/config.toml",
            "systemctl reload selfmx-backupd",
        ),
        events.CONFIG_NEEDS_RESTART: _as(
            "These keys have changed, and a running daemon cannot change them. It goes on with "
            "their old values until it is restarted.",
            "systemctl restart selfmx-backupd",
        ),
        events.DIRECTORY_UNUSABLE: _as(
            "The backup directory or its disk cannot be used. No backup is taken or removed "
            "until it can; the daemon looks again by itself. Is the disk mounted, and may the "
            "user selfmx-backupd write there?",
            _STATUS,
            "ls -ld /data/selfmx/backups",
            "findmnt --target /data/selfmx/backups",
        ),
        events.STATE_UNWRITABLE: _as(
            "Backups are taken, because they do not depend on it, but the daemon's own memory "
            "cannot be written: after a restart it would not know of failures, and a restore "
            "refuses to begin. Is the disk full, or the directory not the daemon's?",
            "df -h /var/lib/selfmx-backupd",
            "ls -la /var/lib/selfmx-backupd",
        ),
        events.HEALTH_CRITICAL: _as(
            "The daemon has looked at the backups and found what it cannot mend: a backup "
            "overdue in spite of all retries, one that is missing or damaged, a restore that was "
            "interrupted, or SelfMX's old script, which deletes backups by age. It is said once; "
            "the status says it for as long as it lasts, with the command that mends it. Where "
            "there is none, look for the reason among the warnings before it, mend that, and take "
            "a backup by hand.",
            "selfmx-backupd status",
            "journalctl -u selfmx-backupd -p warning --since -1d",
            "selfmx-backup",
        ),
        events.REMOVAL_FAILED: _as(
            "@FILE@ is of no more use and takes up space, and it cannot be removed. Backups go "
            "on, until the disk is full. Look at its owner, rights and attributes; the next run "
            "tries again.",
            "ls -la /data/selfmx/backups",
            "lsattr /data/selfmx/backups",
        ),
        events.SQLSERVER_CONNECTED: _as("The daemon has logged in to SQL Server for its work."),
        events.BACKUP_STARTED: _as(
            "SQL Server writes a backup. Until it is proven it has .part behind its name.",
        ),
        events.BACKUP_NO_HISTORY: _as(
            "The size of an earlier backup tells how much space the next one needs, and there "
            "is no earlier one. The backup is taken all the same; if the disk proves too small "
            "it fails and leaves nothing behind.",
            "df -h /data/selfmx/backups",
        ),
        events.BACKUP_HISTORY_UNWRITTEN: _as(
            "SQL Server keeps a history of backups in its database msdb, and could not write "
            "there. The backup does not need it: it is proven like any other. SQL Server's log "
            "tells what is wrong with msdb.",
            _SERVER_LOG,
        ),
        events.BACKUP_PUBLISHED: _as(
            "SQL Server has read the backup back and found it valid. It can be restored.",
            "selfmx-restore @FILE@",
        ),
        events.BACKUP_FAILED: _as(
            "No backup was taken, and time alone will not mend the reason: a right, a password, "
            "a path, a full disk, or something that all retries have not outlasted. The older "
            "backups are untouched. The daemon tries again, ever more seldom. Do what the "
            "message says, then take a backup by hand to see that it works.",
            "selfmx-backup",
            _STATUS,
            _SERVER_LOG,
        ),
        events.RUN_WILL_RETRY: _as(
            "This may mend itself, for example when SQL Server is being restarted, and the "
            "daemon tries again by itself. Nobody needs to act: if the retries do not help "
            "either, an error follows. The status tells how often it has failed.",
            _STATUS,
        ),
        events.RUN_CANCELLED: _as(
            "Somebody or something asked for the end of this work. What was due stays due and "
            "is done after the next start; what is left behind is cleared up then.",
            _STATUS,
        ),
        events.RUN_INTERRUPTED: _as(
            "The process was killed, it crashed, or the machine went down. What was left behind "
            "is proven and kept if it is complete, and removed if it is not, and what was due "
            "is tried again. If it was a restore, the status says whether it must be put right, "
            "and how. If memory ran out, the kernel's log tells.",
            _STATUS,
            "journalctl -k --grep 'out of memory|oom'",
        ),
        events.RUN_BLOCKED: _as(
            "Only one job at a time may work in the backup directory, and another one has held "
            "it for long. It may be a large restore or a backup by hand. If it hangs, end it: "
            "the message tells which process it is. The daemon then goes on by itself.",
            _STATUS,
        ),
        events.RUN_UNSETTLED: _as(
            "The job has done what could be done, and is not tried again before its next time. "
            "What it could not read or remove is still there: the message names it. A backup "
            "that cannot be read may be the disk's fault, or a right is missing.",
            _LIST,
            _KERNEL_LOG,
        ),
        events.FSYNC_UNSUPPORTED: _as(
            "The file system, usually one on the network, cannot promise that the backup is on "
            "the disk. It is proven and counts, but a power failure within the next minute may "
            "damage it. This cannot be mended except by another file system.",
            "findmnt --target /data/selfmx/backups",
        ),
        events.LEFTOVER_REMOVED: _as("It was not a complete backup, and nothing is lost."),
        events.LEFTOVER_KEPT: _as(
            "It may still be written to, so it is not removed yet. A later run removes it.",
            _LIST,
        ),
        events.SWEEP_REMOVED: _as("Retention no longer wants this backup; newer ones are there."),
        events.SWEEP_HELD_BACK: _as(
            "Many backups may go at once, perhaps because the configuration was changed. Lest a "
            "mistake cost them all in one night, they go a few at each sweep. If that is not "
            "what you want, lengthen the section [retention] now, and reload. Or the clock cannot "
            "be trusted with the age of backups: the message says which.",
            "selfmx-backup sweep --dry-run",
            _LIST,
            "editor /etc/selfmx-backupd/config.toml",
            "systemctl reload selfmx-backupd",
        ),
        events.SWEEP_DONE: _as("Retention was applied to every backup in the directory."),
        events.SWEEP_FAILED: _as(
            "Old backups could not be removed, and time alone will not mend that. New ones are "
            "taken all the same, until the disk is full. Look at the owner, rights and "
            "attributes of what the message names; the daemon tries again by itself.",
            "ls -la /data/selfmx/backups",
            "df -h /data/selfmx/backups",
        ),
        events.DAMAGE_FOUND: _as(
            "The backup was read and is not what was written: it cannot be trusted for a "
            "restore. A new one that is damaged is removed and taken again; an older one stays, "
            "marked, and counts for nothing. Disks and their cables do this, rarely memory. Look "
            "at the kernel's log, and take another backup.",
            _KERNEL_LOG,
            "selfmx-backup",
            _LIST,
        ),
        events.BACKUP_ADOPTED: _as(
            "A backup without a manifest was proven, and counts from now on. Its past is not "
            "known, so it is held for 30 days whatever retention says.",
            _LIST,
        ),
        events.BACKUP_MOVED: _as(
            "Somebody gave a backup another name. It was proven under the new one, and keeps "
            "its tiers, its date and its pin.",
        ),
        events.DAMAGE_LIFTED: _as(
            "A backup that was called damaged passes every check again: a copy that was half done "
            "is whole, or a disk reads again. It counts like any other. Where nobody has copied "
            "it, do not trust that disk.",
            _KERNEL_LOG,
        ),
        events.REREAD_DONE: _as(
            "Each scheduled sweep reads one backup again, the one whose proof is the oldest. This "
            "one is what SQL Server has found valid."
        ),
        events.BACKUP_RETURNED: _as(
            "The file of a backup is there again, and what it holds is what was written.",
        ),
        events.ADOPT_REFUSED: _as(
            "A file in the backup directory is named like a backup, has no manifest, and is none "
            "that could be trusted, for the reason that the message gives. It counts for "
            "nothing, and is never touched. Once you know what it is, move it away or rename it.",
            _LIST,
            "ls -la /data/selfmx/backups",
        ),
        events.VERIFY_FAILED: _as(
            "A file may be a complete backup, left by an interrupted run or put into the "
            "directory by somebody, and it could not be proven. While one of an interrupted run "
            "cannot be proven no new backup is taken, because each would leave another one. Do "
            "what the message says, then take a backup by hand.",
            "selfmx-backup",
            _STATUS,
            _SERVER_LOG,
        ),
        events.RESTORE_STARTED: _as(
            "A backup is being restored. Nothing in service is touched before the copy is proven.",
        ),
        events.RESTORE_DONE: _as(
            "The restored database is in service. What was there before was kept, if it could "
            "be; this is the way back.",
            "selfmx-restore --undo",
        ),
        events.RESTORE_UNDONE: _as("The database from before the restore is in service again."),
        events.RESTORE_FAILED: _as(
            "The backup was not restored. The command puts back what it had changed and says "
            "what is true now; if something is left to be put right, the status says so and "
            "names the command. Mend what the message names, then restore again.",
            _STATUS,
            "selfmx-restore",
        ),
        events.RESTORE_HEALED: _as(
            "An earlier restore had not come to its end, and what it left has now been put "
            "right. See that the application runs, then decide whether to restore again.",
            "docker ps -a --filter name=selfmx",
            "selfmx-restore",
        ),
        events.RESTORE_SESSION_ENDED: _as(
            "A restore needs the database for itself, so it ended the session of another "
            "program, whose open transaction was rolled back. Does that program need a restart?",
            "docker ps -a --filter name=selfmx",
        ),
        events.OLD_DROPPED: _as("A person asked for it. Backups are not touched by this."),
    }
)


def catalog() -> str:
    """The journal's message catalog: an entry for each event, in the order of `events.py`."""
    head = "# Made by `make catalog` from selfmx_backupd/explanations.py.\n"
    return "\n".join((head, *(_entry(event, EXPLANATIONS[event]) for event in events.ALL)))


def _entry(event: Event, explanation: Explanation) -> str:
    prose = textwrap.fill(explanation.text, _WIDTH, break_on_hyphens=False, break_long_words=False)
    typed = "".join(f"\n    {command}" for command in explanation.commands)
    head = f"-- {event.message_id}\nSubject: {event.name}\nDefined-By: selfmx-backupd\n"
    return f"{head}\n{prose}\n" + (f"{typed}\n" if typed else "")
