"""The live database in each state, a new server, and a login that the backup does not know."""

import re
import shutil
from pathlib import Path

import pytest

from selfmx_backupd import text
from selfmx_backupd.adapters import manifest
from tests.build import VIENNA
from tests.installation import Installation
from tests.standin.process import PASSWORD, StandIn
from tests.system.restore_site import IN_BACKUP, NEW, OLD, RestoreSite, Seen, told

pytestmark = pytest.mark.faults


@pytest.fixture
def site(tmp_path: Path, driver: str) -> RestoreSite:
    return RestoreSite(tmp_path, driver=driver)


@pytest.mark.parametrize("state", ["SUSPECT", "RECOVERY_PENDING", "OFFLINE", "EMERGENCY"])
def test_a_database_that_cannot_be_renamed_is_dropped_and_leaves_its_files(
    site: RestoreSite, state: str
) -> None:
    with site:
        site.restart_server("--fault", f"state:SelfMX={state}")
        done = site.restore("--latest")
        assert done.returncode == 0, done.stderr
        assert f"which is {state}." in done.stdout
        assert "Then SelfMX is DROPPED" in done.stdout
        assert re.search(
            r"left +/var/opt/mssql/data/SelfMX\.mdf, of the database before", done.stdout
        )
        assert site.seen() == Seen({"SelfMX": NEW}, app_runs=True)
        sent = [each for each in site.statements() if "OFFLINE" in each or each.startswith("DROP")]
        assert sent[-1] == "DROP DATABASE [SelfMX]"
        closed = "ALTER DATABASE [SelfMX] SET OFFLINE WITH ROLLBACK IMMEDIATE"
        assert (closed in sent) == (state != "OFFLINE")


def test_what_an_interrupted_restore_left_is_dropped(site: RestoreSite) -> None:
    with site:
        site.restart_server("--fault", "state:SelfMX=RESTORING")
        done = site.restore("--latest")
        assert done.returncode == 0, done.stderr
        assert "nothing in it can be used, and its files go" in done.stdout
        assert site.seen() == Seen({"SelfMX": NEW}, app_runs=True)


def test_a_database_that_is_coming_up_is_waited_for_by_the_operator(site: RestoreSite) -> None:
    with site:
        site.restart_server("--fault", "state:SelfMX=RECOVERING")
        done = site.restore("--latest")
        assert done.returncode == 5
        assert told(done, "error") == ["SelfMX is RECOVERING, which ends by itself"]
        assert site.app.calls == []


@pytest.mark.parametrize("state", ["SUSPECT", "RECOVERY_PENDING", "OFFLINE", "EMERGENCY"])
def test_nothing_is_overwritten_of_which_no_safety_backup_can_be_taken(
    site: RestoreSite, state: str
) -> None:
    with site:
        site.restart_server("--fault", f"state:SelfMX={state}")
        done = site.restore("--latest", "--in-place")
        assert done.returncode == 11
        assert told(done, "error")[0].startswith(f"SelfMX is {state}: no safety backup can be")
        assert site.seen().databases["SelfMX"][0] == state
        assert not [each for each in site.statements() if "REPLACE" in each]


def test_a_restore_in_place_over_what_an_interrupted_one_left(site: RestoreSite) -> None:
    with site:
        site.restart_server("--fault", "state:SelfMX=RESTORING")
        done = site.restore("--latest", "--in-place")
        assert done.returncode == 0, done.stderr
        assert site.seen() == Seen({"SelfMX": NEW}, app_runs=True)


def test_a_database_that_is_held_single_user_by_somebody_is_taken_from_them(
    site: RestoreSite,
) -> None:
    with site:
        holder = site.server.connect(site.driver)
        holder.execute("ALTER DATABASE SelfMX SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        done = site.restore("--latest")
        assert done.returncode == 0, done.stderr
        assert "ended session" in done.stderr
        assert site.seen() == Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD}, app_runs=True)


def test_a_missing_database_is_restored_and_in_place_means_the_same(site: RestoreSite) -> None:
    with site:
        site.sql("DROP DATABASE SelfMX")
        done = site.restore("--latest", "--in-place")
        assert done.returncode == 0, done.stderr
        assert "which does not exist" in done.stdout
        assert site.seen() == Seen({"SelfMX": NEW}, app_runs=True)
        assert site.restore("--undo").returncode == 2


@pytest.mark.parametrize("driver", ["msodbcsql18", "freetds"])
def test_a_new_host_with_nothing_but_the_copied_directory(tmp_path: Path, driver: str) -> None:
    """No state directory, no manifests, files named as the old script named them."""
    with RestoreSite(tmp_path / "old", driver=driver) as old:
        shutil.copy(old.backups / old.file, tmp_path / "selfmx_20240115_030000.bak")
        about = manifest.decode((old.backups / old.file).with_suffix(".json").read_bytes())
    login = ("--login", "selfmx_backup:Secret-1:createdb,viewstate")
    site = Installation(
        tmp_path / "new",
        driver=driver,
        user="selfmx_backup",
        password="Secret-1",
        standin=("--database", "unrelated", *login),
    )
    site.app.make("absent")
    shutil.copy(tmp_path / "selfmx_20240115_030000.bak", site.backups)
    with site:
        listed = site.run("selfmx-restore")
        assert listed.returncode == 2
        assert "selfmx_20240115_030000.bak  unknown" in listed.stdout
        latest = site.run("selfmx-restore", "--latest", "--yes")
        assert latest.returncode == 6
        assert "selfmx-restore FILE" in told(latest, "hint")[0]
        done = site.run("selfmx-restore", "selfmx_20240115_030000.bak", "--yes")
        assert done.returncode == 0, done.stderr
        # Its DESCRIPTION knows better than the name that somebody gave it.
        assert f"taken {text.local(about.started_at, VIENNA)}" in done.stdout
        assert "without a manifest" in done.stdout
        assert emails(site.server, driver) == IN_BACKUP
        assert site.app.calls == ["stop"]
        backed_up = site.run("selfmx-backup")
        assert backed_up.returncode == 0, backed_up.stderr


def emails(server: StandIn, driver: str) -> int:
    connection = server.connect(driver, password=PASSWORD)
    try:
        row = connection.execute("SELECT COUNT(*) FROM SelfMX.dbo.SentEmails").fetchone()
        assert row is not None
        return int(row[0])
    finally:
        connection.close()


def test_a_backup_older_than_our_login_can_be_backed_up_afterwards(
    tmp_path: Path, driver: str
) -> None:
    with RestoreSite(tmp_path, driver=driver) as site:
        # The backup was taken by sa, before the login was made.
        site.server.stop()
        site.server.args = ("--login", "selfmx_backup:Secret-1:backup,createdb,viewstate")
        site.server.start()
        site.settings["sqlserver"]["user"] = "selfmx_backup"
        site.password_file.write_text("Secret-1\n")
        site.write_config()
        done = site.restore("--latest")
        assert done.returncode == 0, done.stderr
        users = site.sql(
            "SELECT name AS name FROM [SelfMX].sys.database_principals WHERE name = 'selfmx_backup'"
        )
        assert len(users) == 1
        site.back_up()


def test_a_login_that_is_not_there_is_told_and_the_restore_is_done(
    tmp_path: Path, driver: str
) -> None:
    with RestoreSite(tmp_path, driver=driver) as site:
        site.settings["sqlserver"]["user"] = "selfmx_backup"
        site.write_config()
        done = site.restore("--latest")
        assert done.returncode == 10, done.stderr
        assert "LOOK: selfmx_backup may not be able to back up the restored database" in done.stdout
        assert site.seen() == Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD}, app_runs=True)


def test_users_get_their_logins_back_and_those_who_cannot_are_named(
    tmp_path: Path, driver: str
) -> None:
    logins = ("--login", "alice:Secret-1:backup", "--login", "bob:Secret-1:backup")
    with RestoreSite(tmp_path / "old", driver=driver, standin=logins) as old:
        shutil.copy(old.backups / old.file, tmp_path)
        file = old.file
    alice = ("--login", "alice:Secret-1:none")
    with RestoreSite(tmp_path / "new", driver=driver, standin=alice) as site:
        shutil.copy(tmp_path / file, site.backups / "moved.bak")
        done = site.restore("moved.bak")
        assert done.returncode == 10, done.stderr
        assert "LOOK: users of SelfMX_restore_" in done.stdout
        assert "without a login on this server: bob" in done.stdout
        alices = "SELECT name AS name, sid AS sid FROM {} WHERE name = 'alice'"
        (user,) = site.sql(alices.format("[SelfMX].sys.database_principals"))
        (login,) = site.sql(alices.format("sys.server_principals"))
        assert user.sid == login.sid
