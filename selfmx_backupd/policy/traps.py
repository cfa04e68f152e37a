"""What in the configuration and around it would one day spoil a backup or a restore.

Each function judges one thing that was looked at, and says what is wrong with the command
that mends it. `jobs/check` looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from selfmx_backupd import text
from selfmx_backupd.assessment import OLD_TIMER, Severity

_NONE_KEPT = "SIMPLE"
_CHAIN_WAITS = "LOG_BACKUP"
_CHECKED = "CHECKSUM"


class Subject(StrEnum):
    """What is checked, in the order in which it is told."""

    PASSWORD = "password_file"  # noqa: S105  # the name of a subject
    BACKUP_DIRECTORY = "backup_directory"
    STATE_DIRECTORY = "state_directory"
    CLOCK = "clock"
    OLD_TIMER = "old_timer"
    COMMANDS = "commands"
    APPLICATION = "application"
    NETWORK = "network"
    SERVER = "sql_server"
    DATABASE = "database"
    BACKUP_RIGHTS = "backup_rights"
    SAME_DIRECTORY = "same_directory"
    BACKUP_SPACE = "backup_space"
    COMPRESSION = "compression"
    LOG = "transaction_log"
    PAGES = "page_checksums"
    ENCRYPTION = "encryption"
    STALLS = "stall_limit"
    RESTORE_RIGHTS = "restore_rights"
    RESTORE_SPACE = "restore_space"

    @property
    def words(self) -> str:
        """For a person."""
        return self.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Check:
    """How one thing stands.

    Attributes:
        subject: What was looked at.
        severity: OK, or how bad the trap is.
        sentence: What was seen, for a person.
        hint: A sentence with the command that mends it; None where all is well.
    """

    subject: Subject
    severity: Severity
    sentence: str
    hint: str | None = None


def well(subject: Subject, sentence: str) -> Check:
    """Nothing is wrong."""
    return Check(subject, Severity.OK, sentence)


def warning(subject: Subject, sentence: str, hint: str | None) -> Check:
    """It works today, and will not always, or not for a restore."""
    return Check(subject, Severity.WARNING, sentence, hint)


def critical(subject: Subject, sentence: str, hint: str | None) -> Check:
    """No backup can be taken, or those that are taken will be lost."""
    return Check(subject, Severity.CRITICAL, sentence, hint)


def unseen(subject: Subject, sentence: str, hint: str | None) -> Check:
    """It could not be looked at."""
    return Check(subject, Severity.UNKNOWN, sentence, hint)


def verdict(checks: Sequence[Check]) -> Severity:
    """How bad the worst of them is."""
    return max((each.severity for each in checks), key=lambda it: it.rank, default=Severity.OK)


def password_file(path: str, mode: int) -> Check:
    """The file that holds a password.

    Args:
        path: Its path.
        mode: Its permission bits.
    """
    if mode & 0o007:
        return warning(
            Subject.PASSWORD,
            f"{path} is open to every user of this host (mode {mode:04o})",
            f"Type: chmod 600 {path}",
        )
    return well(Subject.PASSWORD, f"{path}, mode {mode:04o}")


def old_timer(state: str, enabled: str) -> Check:
    """The timer of the script that this program replaces, which SelfMX's updater brings back.

    Its script deletes whatever is older than seven days in its directory, ours too.

    Args:
        state: systemd's ActiveState of it.
        enabled: systemd's UnitFileState of it; empty where there is none.
    """
    if state in ("active", "activating") or enabled == "enabled":
        return critical(
            Subject.OLD_TIMER,
            f"{OLD_TIMER} of SelfMX's old script is on: each night it deletes all backups in "
            "/data/selfmx/backups that are older than seven days, the weekly and monthly ones too",
            f"Type: systemctl disable --now {OLD_TIMER}",
        )
    return well(Subject.OLD_TIMER, f"{OLD_TIMER} is off")


def commands(shadowed: Sequence[str]) -> Check:
    """Whether what an operator types is this program.

    Args:
        shadowed: Paths at which the search path finds something else by the names of ours.
    """
    if shadowed:
        paths = " and ".join(shadowed)
        return warning(
            Subject.COMMANDS,
            f"{paths} comes first on the search path, and is not this program",
            f"Where that is SelfMX's old script, type: rm {' '.join(shadowed)}",
        )
    return well(Subject.COMMANDS, "what is typed is this program")


def clock(*, is_synchronised: bool) -> Check:
    """Schedule, retention and names rest on the clock."""
    if not is_synchronised:
        return warning(
            Subject.CLOCK,
            "the clock is not synchronised: backups would be named, kept and removed by a wrong "
            "time",
            "Type: timedatectl set-ntp true",
        )
    return well(Subject.CLOCK, "synchronised")


def network(host: str, encrypt: str, *, trusts_any_certificate: bool) -> Check:
    """How a password and a session travel; on this host nobody can listen."""
    if _is_this_host(host):
        return well(Subject.NETWORK, f"{host} is this host")
    if encrypt == "no" or trusts_any_certificate:
        reason = "is not encrypted" if encrypt == "no" else "accepts any certificate"
        return warning(
            Subject.NETWORK,
            f"SQL Server is on another host, {host}, and the connection {reason}: whoever stands "
            "in between can take its place",
            "Give SQL Server a certificate that this host trusts, then set "
            'sqlserver.trust_server_certificate = false and sqlserver.encrypt = "yes".',
        )
    return well(Subject.NETWORK, f"encrypted, and the certificate of {host} is checked")


def _is_this_host(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def rights(login: str, *, is_sysadmin: bool) -> Check:
    """The login that backs up can do it; whether it could do more than it needs."""
    if is_sysadmin:
        return warning(
            Subject.BACKUP_RIGHTS,
            f"the login {login} may do everything in SQL Server, and its password lies on this "
            "host for the daemon",
            "Give the daemon a login of its own, as README.md's section Install makes it.",
        )
    return well(Subject.BACKUP_RIGHTS, f"{login} may back up, and read what it has written")


def space(free_bytes: int, needed_bytes: int | None, *, is_known: bool) -> Check:
    """Room for the next backup.

    Args:
        free_bytes: Of the backup directory's file system.
        needed_bytes: What it needs; None where nothing tells.
        is_known: An earlier backup tells, not only the size of the data files.
    """
    free = f"{text.size(free_bytes)} are free"
    if needed_bytes is None:
        return well(Subject.BACKUP_SPACE, f"{free}; how much a backup needs is not known yet")
    needs = text.size(needed_bytes)
    if free_bytes >= needed_bytes:
        return well(Subject.BACKUP_SPACE, f"{free}, the next backup needs at most about {needs}")
    hint = "Free some space there. Type: df -h"
    if is_known:
        return critical(Subject.BACKUP_SPACE, f"{free}, the next backup needs about {needs}", hint)
    return warning(Subject.BACKUP_SPACE, f"{free}, the data files hold {needs}", hint)


def compression(setting: str, edition: str, *, edition_compresses: bool) -> Check:
    """Not every edition can compress backups (error 1844)."""
    if setting == "on" and not edition_compresses:
        return critical(
            Subject.COMPRESSION,
            f'backup.compression is "on", and {edition} cannot compress backups',
            'Set backup.compression = "auto".',
        )
    does = edition_compresses and setting != "off"
    return well(Subject.COMPRESSION, "backups are compressed" if does else "not compressed")


def log(database: str, recovery_model: str, waits_for: str) -> Check:
    """Whether the transaction log is ever cut.

    In FULL and BULK_LOGGED only a backup of the log cuts it, once an ordinary full backup has
    begun a chain. Ours never begin one, but the old script's did.
    Source: The transaction log (log_reuse_wait_desc); BACKUP, COPY_ONLY.
    """
    if recovery_model != _NONE_KEPT and waits_for == _CHAIN_WAITS:
        return warning(
            Subject.LOG,
            f"the recovery model is {recovery_model}, and the log waits for a log backup: if "
            "nobody takes any, it grows until the disk is full",
            f"If nobody does, type in SQL Server: ALTER DATABASE [{database.replace(']', ']]')}] "
            "SET RECOVERY SIMPLE",
        )
    return well(Subject.LOG, f"recovery model {recovery_model}, the log waits for no log backup")


def pages(database: str, verifies: str) -> Check:
    """A backup notices a page that the disk has spoiled only by the page's own checksum."""
    if verifies != _CHECKED:
        return warning(
            Subject.PAGES,
            f"PAGE_VERIFY is {verifies}: a page that the disk has spoiled is backed up as if it "
            "were good",
            f"Type in SQL Server: ALTER DATABASE [{database.replace(']', ']]')}] "
            "SET PAGE_VERIFY CHECKSUM",
        )
    return well(Subject.PAGES, "PAGE_VERIFY is CHECKSUM")


def encryption(*, is_encrypted: bool) -> Check:
    """A backup of an encrypted database (TDE) is worth nothing without the certificate (33111)."""
    if is_encrypted:
        return warning(
            Subject.ENCRYPTION,
            "the database is encrypted (TDE): its backups can be restored only where its "
            "certificate is, which they do not hold",
            "Keep a copy of certificate and private key elsewhere. In SQL Server: "
            "BACKUP CERTIFICATE ... WITH PRIVATE KEY",
        )
    return well(Subject.ENCRYPTION, "the database needs no certificate to be restored")


def stalls(login: str, *, sees_all: bool) -> Check:
    """Whether a statement that hangs can be told from a slow one."""
    if not sees_all:
        return warning(
            Subject.STALLS,
            f"{login} does not see what SQL Server does: only BACKUP has a stall limit, and a "
            "check of a backup that hangs is never ended",
            f"Type in SQL Server: GRANT VIEW SERVER STATE TO [{login.replace(']', ']]')}]",
        )
    return well(Subject.STALLS, "a statement that hangs is seen, and ended")


def restore_space(shortage: str | None, unknown: Sequence[str]) -> Check:
    """Room for the database a second time, beside itself.

    Args:
        shortage: What is lacking, in words; None where it fits.
        unknown: Directories of which SQL Server tells nothing.
    """
    if shortage is not None:
        return warning(
            Subject.RESTORE_SPACE,
            f"a restored database does not fit beside the one in service: {shortage}",
            "Free some space on SQL Server's data volume; until then only "
            "selfmx-restore --in-place can restore.",
        )
    if unknown:
        names = ", ".join(unknown)
        return well(Subject.RESTORE_SPACE, f"SQL Server does not tell of {names}")
    return well(Subject.RESTORE_SPACE, "a restored database fits beside the one in service")
