"""`selfmx-restore` as a real process against the stand-in, through both drivers."""

import re
from pathlib import Path

import pytest

from tests.system.restore_site import IN_BACKUP, NEW, OLD, RestoreSite, Seen, told


@pytest.fixture
def site(tmp_path: Path, driver: str) -> RestoreSite:
    return RestoreSite(tmp_path, driver=driver)


def test_a_backup_is_restored_beside_and_swapped_and_the_old_one_stays(site: RestoreSite) -> None:
    with site:
        done = site.restore("--latest")
        assert done.returncode == 0, done.stderr
        assert site.seen() == Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD}, app_runs=True)
        assert site.app.calls == ["stop", "start", "health"]
        assert site.backup_is_intact()
        assert f"SelfMX is what {site.file} holds, taken 20" in done.stdout
        assert re.search(r"took +proof .* restore .* check .* swap .* application", done.stdout)
        assert re.search(r"kept +SelfMX_before_\d{8}_\d{6}, in service until", done.stdout)
        assert "go back      selfmx-restore --undo" in done.stdout
        assert "clean up     selfmx-restore --drop-old" in done.stdout
        assert "API keys that were revoked after the backup are valid again" in done.stdout
        assert site.plan is not None
        assert (site.plan["step"], site.plan["file"]) == ("done", site.file)


def test_what_is_about_to_happen_is_said_before_it_does(site: RestoreSite) -> None:
    with site:
        said = site.restore(site.file).stdout
        assert re.match(rf"{site.file}: [\d.]+ MiB, taken .*, \d+ s old, by SQL Server 16", said)
        port = site.server.port
        assert f"into the database SelfMX at 127.0.0.1:{port}, which is ONLINE." in said
        assert "what is there now stays, as SelfMX_before_" in said


def test_the_application_is_stopped_after_the_checks_and_the_copy(site: RestoreSite) -> None:
    with site:
        site.app.make("wont-stop")
        done = site.restore("--latest")
        assert done.returncode == 1
        sent = site.statements()
        assert [each for each in sent if each.startswith("DBCC CHECKDB")]
        assert not [each for each in sent if "SINGLE_USER" in each]


def test_undo_is_the_swap_the_other_way(site: RestoreSite) -> None:
    with site:
        assert site.restore("--latest").returncode == 0
        done = site.restore("--undo")
        assert done.returncode == 0, done.stderr
        assert site.seen() == Seen({"SelfMX": OLD, "SelfMX_undone_STAMP": NEW}, app_runs=True)
        assert "SelfMX is what it was before the last restore" in done.stdout


def test_undo_goes_back_one_restore_at_a_time(site: RestoreSite) -> None:
    with site:
        table = "CREATE TABLE dbo.first(id int IDENTITY(1,1) PRIMARY KEY, v nvarchar(20) NOT NULL)"
        site.sql(table, database="SelfMX")
        assert site.restore("--latest").returncode == 0
        site.sql("DELETE FROM SelfMX.dbo.Domains")
        assert site.restore("--latest").returncode == 0
        assert site.restore("--undo").returncode == 0
        assert site.sql("SELECT COUNT(*) FROM SelfMX.dbo.Domains")[0][0] == 0
        assert site.restore("--undo").returncode == 0
        assert site.sql("SELECT COUNT(*) FROM SelfMX.dbo.first")[0][0] == 0
        done = site.restore("--undo")
        assert done.returncode == 2
        assert told(done, "error") == ["there is no restore to undo"]
        kept = [name for name in site.names() if "_undone_" in name]
        assert len(kept) == 2


def test_drop_old_drops_what_restores_kept_and_nothing_else(site: RestoreSite) -> None:
    with site:
        site.sql("CREATE DATABASE [SelfMX_before_migration]")
        site.sql("CREATE DATABASE [SelfMX_before_20200101_000000]")
        assert site.restore("--latest").returncode == 0
        done = site.restore("--drop-old")
        assert done.returncode == 0, done.stderr
        assert re.search(r"dropped SelfMX_before_\d{8}_\d{6}\n", done.stdout)
        left = ["SelfMX", "SelfMX_before_20200101_000000", "SelfMX_before_migration"]
        assert site.names() == left
        again = site.restore("--drop-old")
        assert (again.returncode, again.stdout) == (0, "no restore has left a database behind\n")


def test_a_copy_is_made_under_a_name_and_nothing_else_is_touched(site: RestoreSite) -> None:
    with site:
        name = "a]b 'c' Größe"
        done = site.restore("--as", name, site.file)
        assert done.returncode == 0, done.stderr
        assert site.seen() == Seen({"SelfMX": OLD, name: NEW}, app_runs=True)
        assert site.app.calls == []
        assert "DROP DATABASE [a]]b 'c' Größe]" in done.stdout


def test_a_restore_in_place_is_preceded_by_a_safety_backup(site: RestoreSite) -> None:
    with site:
        done = site.restore("--in-place", site.file)
        assert done.returncode == 0, done.stderr
        assert site.seen() == Seen({"SelfMX": NEW}, app_runs=True)
        (safety,) = [each for each in site.listed() if each["tiers"] == ["pre_restore"]]
        assert f"go back      selfmx-restore --in-place {safety['file']}" in done.stdout
        sent = [each for each in site.statements() if "REPLACE" in each]
        assert len(sent) == 1
        assert site.app.calls == ["stop", "start", "health"]
        refused = site.restore("--undo")
        assert refused.returncode == 2
        assert told(refused, "hint") == [f"Type: selfmx-restore --in-place {safety['file']}"]
        back = site.restore("--in-place", safety["file"])
        assert back.returncode == 0, back.stderr
        assert site.seen() == Seen({"SelfMX": OLD}, app_runs=True)


def test_the_safety_backup_is_not_the_latest(site: RestoreSite) -> None:
    with site:
        assert site.restore("--in-place", site.file).returncode == 0
        assert site.restore("--latest").returncode == 0
        assert site.plan is not None
        assert site.plan["file"] == site.file


def test_only_a_restore_in_place_sends_replace(site: RestoreSite) -> None:
    with site:
        assert site.restore("--latest").returncode == 0
        assert site.restore("--as", "copy", site.file).returncode == 0
        restores = [each for each in site.statements() if each.startswith("RESTORE DATABASE")]
        assert len(restores) == 2
        assert not [each for each in restores if "REPLACE" in each]


def test_what_the_live_database_has_is_brought_over(tmp_path: Path, driver: str) -> None:
    login = ("--login", "owner:Secret-1:none")
    with RestoreSite(tmp_path, driver=driver, standin=login) as site:
        site.sql(
            "ALTER DATABASE SelfMX SET RECOVERY SIMPLE",
            "ALTER DATABASE SelfMX SET TRUSTWORTHY ON",
            "ALTER AUTHORIZATION ON DATABASE::SelfMX TO owner",
        )
        done = site.restore("--latest")
        assert done.returncode == 0, done.stderr
        (row,) = site.sql(
            "SELECT recovery_model_desc AS model, is_trustworthy_on AS trusted, "
            "is_broker_enabled AS broker, SUSER_SNAME(owner_sid) AS owner FROM sys.databases "
            "WHERE name = 'SelfMX'"
        )
        assert tuple(row) == ("SIMPLE", True, True, "owner")


def test_without_arguments_it_lists_and_says_how(site: RestoreSite) -> None:
    with site:
        done = site.restore(yes=False)
        assert done.returncode == 2
        assert site.file in done.stdout
        assert "selfmx-restore NAME" in done.stderr
        assert told(done, "hint") == ["Type: selfmx-restore NAME, or --latest"]


def test_the_next_backup_is_of_the_restored_database(site: RestoreSite) -> None:
    with site:
        assert site.restore("--latest").returncode == 0
        name = site.back_up()
        site.sql("DELETE FROM SelfMX.dbo.SentEmails")
        assert site.restore(name).returncode == 0
        assert site.seen().databases["SelfMX"][2] == IN_BACKUP
