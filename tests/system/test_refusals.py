"""Each thing that can be wrong has its own error, hint and exit code, and costs nothing."""

import fcntl
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.installation import Installation


@dataclass(frozen=True)
class Case:
    """One thing that is wrong.

    `error` and `hint` are patterns that the two lines on standard error must match.
    """

    name: str
    code: int
    error: str
    hint: str
    standin: tuple[str, ...] = ()
    user: str = "sa"
    password: str = "Stand-in-1!"
    settings: tuple[tuple[str, str, object], ...] = ()


LOGINS = (
    *("--login", "reader:Secret-1:createdb,viewstate"),
    *("--login", "writer:Secret-1:backup"),
)

CASES = (
    Case(
        "the login is refused",
        4,
        r"refused the login: Login failed for user 'sa' \(error 18456\)",
        "docker logs --tail 20 selfmx-sqlserver",
        password="wrong",
    ),
    Case(
        "the server is starting",
        4,
        r"is starting or stopping: .*\(error 18401\)",
        "docker logs",
        standin=("--fault", "upgrading:3600"),
    ),
    Case(
        "the database is unknown",
        5,
        "has no database Nosuch",
        "Set sqlserver.database.*docker exec",
        settings=(("sqlserver", "database", "Nosuch"),),
    ),
    Case(
        "the database is offline",
        5,
        "the database SelfMX is OFFLINE, only an ONLINE one",
        "docker logs",
        standin=("--fault", "offline"),
    ),
    Case(
        "the database is being restored",
        5,
        "the database SelfMX is RESTORING",
        "docker logs",
        standin=("--fault", "state:RESTORING"),
    ),
    Case(
        "the right to back up is missing",
        5,
        "BACKUP DATABASE (permission denied in database 'SelfMX'|in SelfMX)",
        "ALTER ROLE db_backupoperator",
        standin=LOGINS,
        user="reader",
        password="Secret-1",
    ),
    Case(
        "the right to read backups is missing",
        5,
        "CREATE DATABASE (permission denied in database 'master'|in master)",
        "GRANT CREATE ANY DATABASE",
        standin=LOGINS,
        user="writer",
        password="Secret-1",
    ),
    Case(
        "SQL Server may not write to the directory",
        5,
        r"Operating system error 5\(Access is denied\.\) \(error 3201\)",
        "uid 10001.*ls -ldn",
        standin=("--fault", "denied"),
    ),
    Case(
        "SQL Server may not read in the directory",
        5,
        r"Operating system error 5\(Access is denied\.\) \(error 3201\)",
        "uid 10001.*ls -ldn",
        standin=("--fault", "unreadable"),
    ),
    Case(
        "the two directories are not the same",
        5,
        "is not found by SQL Server in /var/opt/mssql/elsewhere: they are not the same",
        "docker inspect",
        settings=(("backup", "server_directory", "/var/opt/mssql/elsewhere"),),
    ),
    Case(
        "the disk fills up",
        8,
        r"failed: 112\(There is not enough space on the disk\.\) \(error 3202\)",
        "df -h",
        standin=("--fault", "diskfull:50"),
    ),
    Case(
        "compression is wanted from an edition that has none",
        5,
        r"COMPRESSION is not supported on Express Edition.*\(error 1844\)",
        'backup.compression = "auto"',
        standin=("--edition", "express"),
        settings=(("backup", "compression", "on"),),
    ),
    Case(
        "the server's session is killed",
        5,
        "the backup of SelfMX failed",
        "docker ps",
        standin=("--fault", "kill:50"),
    ),
    Case(
        "the connection is cut",
        5,
        "the backup of SelfMX failed",
        "docker ps",
        standin=("--fault", "drop:50"),
    ),
    Case(
        "the backup stops making progress",
        5,
        "the backup of SelfMX made no progress for 1 s",
        "docker logs",
        standin=("--fault", "hang:50"),
        settings=(("backup", "stall_timeout_s", 1),),
    ),
    Case(
        "the verification stops making progress",
        5,
        "the verification of selfmx_.* made no progress for 1 s",
        "docker logs",
        standin=("--fault", "hang-verify:50"),
        settings=(("backup", "stall_timeout_s", 1),),
    ),
    Case(
        "the backup is damaged on its way to the disk",
        6,
        r"the verification of selfmx_.* failed: .*\(error 3189\)",
        "selfmx-backup.*journalctl -k",
        standin=("--fault", "flip"),
    ),
    Case(
        "the backup's beginning is damaged",
        6,
        r"reading the header of selfmx_.* failed: .*\(error 3241\)",
        "selfmx-backup.*journalctl -k",
        standin=("--fault", "damaged-header"),
    ),
    Case(
        "the backup has no checksums",
        6,
        "has no checksums, though they were asked for",
        "selfmx-backup.*journalctl -k",
        standin=("--fault", "no-checksum"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_what_is_wrong_is_named_and_nothing_is_left(
    tmp_path: Path, driver: str, case: Case
) -> None:
    site = Installation(
        tmp_path, driver=driver, user=case.user, password=case.password, standin=case.standin
    )
    for section, key, value in case.settings:
        site.settings[section][key] = value
    stranger = site.backups / "notes.txt"
    stranger.write_text("somebody else's")
    with site:
        done = site.run("selfmx-backup")
        assert done.returncode == case.code, done.stderr
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        hints = [line for line in done.stderr.splitlines() if line.startswith("hint: ")]
        assert re.search(case.error, errors[-1]), done.stderr
        assert re.search(case.hint, hints[-1]), done.stderr
        assert case.password not in done.stderr
        expected = {"notes.txt"}
        if case.name == "the verification stops making progress":
            # Complete, and not proven bad: it stays for the next run to prove.
            expected |= {name for name in site.files() if name.startswith("selfmx_")}
        assert site.files() == expected
        failure = site.outcomes()["jobs"]["backup"]
        assert failure["failures_in_a_row"] == 1
        assert failure["last_error"]["exit_code"] == case.code


def test_a_server_that_is_not_there_is_exit_code_4(tmp_path: Path, driver: str) -> None:
    site = Installation(tmp_path, driver=driver)
    with site:
        pass
    done = site.run("selfmx-backup")
    assert done.returncode == 4, done.stderr
    assert "SQL Server at 127.0.0.1:" in done.stderr
    assert "docker start selfmx-sqlserver" in done.stderr
    assert site.files() == set()


def test_a_missing_password_file_is_exit_code_3(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        site.password_file.unlink()
        done = site.run("selfmx-backup")
        assert done.returncode == 3
        assert f"error: sqlserver.password_file: cannot read {site.password_file}" in done.stderr
        assert site.files() == set()


def test_a_password_that_the_service_was_given_names_that_very_service(tmp_path: Path) -> None:
    given = tmp_path / "credentials" / "selfmx-backupd@other.service"
    given.mkdir(parents=True)
    (given / "sqlserver-password").write_text("the old one\n")
    with Installation(tmp_path) as site:
        done = site.run("selfmx-backup", env={"CREDENTIALS_DIRECTORY": str(given)})
        assert done.returncode == 4
        assert "Has it changed? Type: systemctl restart selfmx-backupd@other\n" in done.stderr


def test_a_held_lock_is_exit_code_7_and_names_the_holder(tmp_path: Path) -> None:
    with Installation(tmp_path) as site, (site.backups / "selfmx.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(json.dumps({"what": "restore", "pid": 4711, "since": "2026-11-23"}))
        lock.flush()
        done = site.run("selfmx-backup")
        assert done.returncode == 7
        assert "another job is running: restore by process 4711 since 2026-11-23" in done.stderr
        assert site.files() == set()


def test_too_little_space_for_another_backup_is_exit_code_8_before_anything_is_written(
    tmp_path: Path,
) -> None:
    with Installation(tmp_path) as site:
        assert site.run("selfmx-backup").returncode == 0
        before = site.files()
        pretend_as_large_as_the_free_space(site)
        done = site.run("selfmx-backup")
        assert done.returncode == 8, done.stderr
        assert re.search(r"are free in .*, a backup needs about", done.stderr)
        assert f"df -h {site.backups}" in done.stderr
        assert site.files() == before
        log = site.server.sql_log.read_text()
        assert log.count("BACKUP DATABASE") == 1


def pretend_as_large_as_the_free_space(site: Installation) -> None:
    """The last backup becomes a sparse file of that size."""
    status = os.statvfs(site.backups)
    size = status.f_bavail * status.f_frsize
    path = next(site.backups.glob("*.json"))
    manifest = json.loads(path.read_text())
    os.truncate(path.with_suffix(".bak"), size)
    path.write_text(json.dumps({**manifest, "size_bytes": size}))
