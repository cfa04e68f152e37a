"""`selfmx-backupd check` meets each trap before a backup or a restore does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.installation import Installation
from tests.system.checking import installed, run, systemd_says, wrong


@dataclass(frozen=True)
class Trap:
    """One thing that is wrong: what it is called, how bad it is, and what the hint has typed."""

    name: str
    subject: str
    severity: str
    hint: str
    standin: tuple[str, ...] = ()
    user: str = "selfmx_backup"
    settings: tuple[tuple[str, str, object], ...] = ()
    spoil: Callable[[Installation], object] = lambda _: None


def execute(site: Installation, sql: str) -> None:
    connection = site.server.connect("freetds")
    try:
        cursor = connection.execute(sql)
        while cursor.nextset():
            pass
    finally:
        connection.close()


def begin_a_log_chain(site: Installation) -> None:
    """As the script did that this program replaces."""
    execute(site, "BACKUP DATABASE [SelfMX] TO DISK = '/var/opt/mssql/backup/old.bak'")


TRAPS = (
    Trap(
        "a password that everybody may read",
        "password_file",
        "warning",
        "chmod 600 ",
        spoil=lambda site: site.password_file.chmod(0o644),
    ),
    Trap(
        "a backup directory that is not there",
        "backup_directory",
        "critical",
        "ls -ld /nowhere",
        settings=(("backup", "directory", "/nowhere"),),
    ),
    Trap(
        "the old script's timer, which SelfMX's updater brings back",
        "old_timer",
        "critical",
        "systemctl disable --now selfmx-backup.timer",
        spoil=lambda site: systemd_says(site.root, timer="active"),
    ),
    Trap(
        "a clock that nobody sets",
        "clock",
        "warning",
        "timedatectl set-ntp true",
        spoil=lambda site: systemd_says(site.root, clock="no"),
    ),
    Trap(
        "a command that is another program",
        "commands",
        "warning",
        "rm ",
        spoil=lambda site: (site.root / "bin" / "selfmx-backup").symlink_to("/bin/true"),
    ),
    Trap(
        "an application that cannot be stopped",
        "application",
        "warning",
        "Set application.stop ",
        settings=(("application", "stop", ["no-such-program"]),),
    ),
    Trap(
        "a login that may do everything",
        "backup_rights",
        "warning",
        "README.md",
        user="sa",
    ),
    Trap(
        "a login that may not back up",
        "backup_rights",
        "critical",
        "db_backupoperator",
        (),
        "reader",
    ),
    Trap(
        "a login that may not read what it has written",
        "backup_rights",
        "critical",
        "GRANT CREATE ANY DATABASE",
        user="writer",
    ),
    Trap(
        "a login that sees no other session",
        "stall_limit",
        "warning",
        "GRANT VIEW SERVER STATE TO [blind]",
        user="blind",
    ),
    Trap(
        "a mount that leads elsewhere",
        "same_directory",
        "critical",
        "docker inspect",
        settings=(("backup", "server_directory", "/var/opt/mssql/elsewhere"),),
    ),
    Trap(
        "an edition that cannot compress",
        "compression",
        "critical",
        'Set backup.compression = "auto"',
        standin=("--edition", "express"),
        settings=(("backup", "compression", "on"),),
    ),
    Trap(
        "a log that is never cut",
        "transaction_log",
        "warning",
        "ALTER DATABASE [SelfMX] SET RECOVERY SIMPLE",
        spoil=begin_a_log_chain,
    ),
    Trap(
        "a login that may not restore",
        "restore_rights",
        "warning",
        "sqlserver.restore_user",
        spoil=lambda site: site.restore_password_file.write_text("Secret-1\n"),
        settings=(("sqlserver", "restore_user", "selfmx_backup"),),
    ),
    Trap(
        "a password for restores that is not there",
        "restore_rights",
        "warning",
        "ls -l ",
        spoil=lambda site: site.restore_password_file.unlink(),
    ),
    Trap(
        "no room for a restored database",
        "restore_space",
        "warning",
        "--in-place",
        standin=("--volume-free", "1000"),
    ),
    Trap(
        "a database that is closed",
        "database",
        "critical",
        "docker logs",
        spoil=lambda site: execute(site, "ALTER DATABASE [SelfMX] SET OFFLINE"),
    ),
    Trap(
        "a server that does not answer",
        "sql_server",
        "critical",
        "docker start selfmx-sqlserver",
        spoil=lambda site: site.server.stop(),
    ),
)


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.name for trap in TRAPS])
def test_a_trap_is_told_with_the_command_that_mends_it(tmp_path: Path, trap: Trap) -> None:
    with installed(tmp_path, "freetds", *trap.standin, user=trap.user) as site:
        for section, key, value in trap.settings:
            site.settings[section][key] = value
        site.write_config()
        trap.spoil(site)
        code, found = wrong(site)
        assert code == (2 if "critical" in {it["severity"] for it in found.values()} else 1)
        told = found[trap.subject]
        assert told["severity"] == trap.severity
        assert trap.hint in told["hint"]
        assert f"{trap.severity}: {trap.subject.replace('_', ' ')}: " in run(site)[1]
