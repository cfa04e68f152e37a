"""What fails while a restore overwrites: the safety backup brings back what was there before."""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.restore_site import NEW, OLD, STRANGERS, Database, RestoreSite, Seen, told

pytestmark = pytest.mark.faults

AS_IT_WAS = Seen({"SelfMX": OLD, **STRANGERS}, app_runs=True)
OVERWRITTEN = Seen({"SelfMX": NEW, **STRANGERS}, app_runs=True)
HALF: Database = ("RESTORING", "SINGLE_USER", None)
UNUSABLE = Seen({"SelfMX": HALF, **STRANGERS}, app_runs=False)
ALONE: Database = ("ONLINE", "SINGLE_USER", 0)
RESTORE = r"the restore of selfmx_\w+\.bak to SelfMX "


@pytest.fixture
def site(tmp_path: Path, driver: str) -> Iterator[RestoreSite]:
    with RestoreSite(tmp_path, driver=driver) as site:
        site.make_strangers()
        yield site


def safety_of(site: RestoreSite) -> str:
    """The safety backup's name, which `state.json` has too; it is verified."""
    (safety,) = [each for each in site.listed() if each["tiers"] == ["pre_restore"]]
    assert safety["state"] == "verified"
    assert site.plan is not None
    assert site.plan["safety"] == safety["file"]
    return str(safety["file"])


@dataclass(frozen=True)
class Once:
    """What breaks the overwriting RESTORE and not the one of the safety backup."""

    fault: str
    code: int
    error: str


ONCE = (
    Once("fail-restore:50@1", 6, RESTORE + r"failed: .*\(error 3183\)"),
    Once("drop-restore:50@1", 5, RESTORE + "(failed|ended without SQL Server's message)"),
    Once("kill-restore:50@1", 5, RESTORE + "failed"),
    Once("hang-restore:50@1", 5, RESTORE + "made no progress for 1 s"),
)


@pytest.mark.parametrize("once", ONCE, ids=lambda once: once.fault.partition(":")[0])
def test_a_restore_that_fails_once_is_followed_by_that_of_the_safety_backup(
    site: RestoreSite, once: Once
) -> None:
    site.settings["backup"]["stall_timeout_s"] = 1
    site.write_config()
    site.restart_server("--fault", once.fault)
    done = site.restore("--in-place", site.file)
    assert done.returncode == once.code, done.stderr
    assert re.search(once.error, told(done, "error")[0])
    notes = " ".join(told(done, "note"))
    assert f"SelfMX was half overwritten, and came back from {safety_of(site)}" in notes
    assert "the application has been started again" in notes
    assert site.seen() == AS_IT_WAS
    assert site.backup_is_intact()
    assert site.plan is not None
    assert (site.plan["step"], site.plan["app_stopped"]) == ("given_up", False)
    assert site.restore("--undo").returncode == 2


def test_where_the_safety_backup_fails_too_the_statement_to_type_is_told(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "fail-restore:50")
    done = site.restore("--in-place", site.file)
    assert done.returncode == 6, done.stderr
    safety = safety_of(site)
    notes = told(done, "note")
    assert f"what SelfMX held before is in {safety}" in notes
    assert "the application stays stopped" in notes
    assert "selfmx-restore --undo" in " ".join(notes)
    assert site.seen() == UNUSABLE
    assert site.backup_is_intact()
    assert site.plan is not None
    assert (site.plan["step"], site.plan["app_stopped"]) == ("returning", True)
    statement = typed(notes)
    assert f"FROM DISK = N'/var/opt/mssql/backup/{safety}'" in statement

    site.restart_server()
    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    came_back = f"put right: SelfMX was half overwritten, and came back from {safety}"
    assert came_back in undo.stdout
    assert site.seen() == AS_IT_WAS
    assert site.plan["step"] == "given_up"


def test_the_statement_to_type_does_what_it_should(site: RestoreSite) -> None:
    site.restart_server("--fault", "fail-restore:50")
    statement = typed(told(site.restore("--in-place", site.file), "note"))
    site.restart_server()
    site.sql(statement)
    assert site.seen() == Seen({"SelfMX": OLD, **STRANGERS}, app_runs=False)


def typed(notes: Sequence[str]) -> str:
    """The T-SQL in the notes."""
    (statement,) = [each.partition("SQL Server: ")[2] for each in notes if "RESTORE DAT" in each]
    return statement


def test_what_was_typed_is_seen_by_the_next_undo(site: RestoreSite) -> None:
    """The safety backup is in service, not what was being restored."""
    site.restart_server("--fault", "fail-restore:50")
    statement = typed(told(site.restore("--in-place", site.file), "note"))
    site.restart_server()
    site.sql(statement)
    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    assert site.seen() == AS_IT_WAS
    assert site.plan is not None
    assert site.plan["step"] == "given_up"


def test_a_server_that_dies_in_the_overwriting_restore_is_healed_when_it_is_back(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "die-restore:50")
    done = site.restore("--in-place", site.file)
    assert done.returncode == 5, done.stderr
    assert re.search(RESTORE, told(done, "error")[0])
    assert "docker ps -a" in told(done, "hint")[0]
    safety = safety_of(site)
    notes = told(done, "note")
    assert f"what SelfMX held before is in {safety}" in notes
    assert "the application stays stopped" in notes
    assert "once SQL Server answers, put it right with: selfmx-restore --undo" in notes
    site.restart_server()
    assert site.seen() == UNUSABLE
    assert site.backup_is_intact()
    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    assert site.seen() == AS_IT_WAS
    assert site.restore("--undo").returncode == 2


def test_a_server_that_dies_in_the_overwriting_restore_and_comes_back_is_healed_at_once(
    site: RestoreSite,
) -> None:
    def restart() -> None:
        site.server.wait(60)
        site.restart_server()

    site.restart_server("--fault", "die-restore:50")
    docker = threading.Thread(target=restart, daemon=True)
    docker.start()
    done = site.restore("--in-place", site.file)
    docker.join(60)
    assert done.returncode == 5, done.stderr
    assert safety_of(site) in " ".join(told(done, "note"))
    assert site.seen() == AS_IT_WAS
    assert site.plan is not None
    assert site.plan["step"] == "given_up"


@pytest.mark.parametrize("fault", ["die:50", "drop:50", "kill:50", "diskfull:50"])
def test_without_a_safety_backup_nothing_is_overwritten(site: RestoreSite, fault: str) -> None:
    site.restart_server("--fault", fault)
    done = site.restore("--in-place", site.file)
    assert done.returncode == (8 if fault == "diskfull:50" else 5), done.stderr
    assert "the backup of SelfMX failed" in told(done, "error")[0]
    assert "the application has been started again" in told(done, "note")
    assert site.app.is_running
    assert not [each for each in site.statements() if "REPLACE" in each]
    if fault == "die:50":
        assert "SelfMX has not been touched" in told(done, "note")
        assert "selfmx-restore --undo" in " ".join(told(done, "note"))
        site.restart_server()
        assert site.restore("--undo").returncode == 0
    assert site.seen() == AS_IT_WAS
    assert site.plan is not None
    assert (site.plan["step"], site.plan["safety"]) == ("given_up", None)
    assert site.backup_is_intact()
    site.restart_server()
    assert site.restore("--in-place", site.file).returncode == 0
    assert site.seen() == OVERWRITTEN


def test_a_server_that_dies_once_the_database_is_single_user_leaves_it_to_the_next_undo(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "die-after:SET SINGLE_USER@1")
    done = site.restore("--in-place", site.file)
    assert done.returncode == 5, done.stderr
    assert "selfmx-restore --undo" in " ".join(told(done, "note"))
    site.restart_server()
    assert site.seen().databases["SelfMX"] == ALONE
    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    assert site.seen() == AS_IT_WAS
    assert safety_of(site) in undo.stdout


def test_a_connection_that_is_cut_once_it_is_overwritten_leaves_the_new_one_in_service(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "drop-after:SET MULTI_USER@1")
    done = site.restore("--in-place", site.file)
    assert done.returncode == 5, done.stderr
    notes = " ".join(told(done, "note"))
    assert re.search("SelfMX (is the restored database|had been overwritten) already", notes)
    safety = safety_of(site)
    assert safety in notes
    assert site.seen() == OVERWRITTEN
    undo = site.restore("--undo")
    assert (undo.returncode, told(undo, "hint")) == (
        2,
        [f"Type: selfmx-restore --in-place {safety}"],
    )
    assert site.restore("--in-place", safety).returncode == 0
    assert site.seen() == AS_IT_WAS


def test_damage_that_is_found_after_the_overwriting_is_told_and_the_way_back_named(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "checkdb:2")
    done = site.restore("--in-place", site.file)
    assert done.returncode == 10, done.stderr
    assert re.search("LOOK: DBCC CHECKDB finds 4 errors in what", done.stdout)
    assert f"go back      selfmx-restore --in-place {safety_of(site)}" in done.stdout
    assert site.seen() == OVERWRITTEN


@pytest.mark.parametrize("fault", ["drop-checkdb:50@1", "drop-after:SET MULTI_USER@1"])
def test_what_was_overwritten_can_be_backed_up_however_the_restore_ended(
    tmp_path: Path, driver: str, fault: str
) -> None:
    """The backup is older than our login: the restored database does not know it."""
    with RestoreSite(tmp_path, driver=driver) as site:
        site.server.args = ("--login", "selfmx_backup:Secret-1:backup,createdb,viewstate")
        site.restart_server()
        site.settings["sqlserver"]["user"] = "selfmx_backup"
        site.password_file.write_text("Secret-1\n")
        site.write_config()
        site.restart_server("--fault", fault)
        done = site.restore("--in-place", site.file)
        assert done.returncode == 5, done.stderr
        assert site.seen() == Seen({"SelfMX": NEW}, app_runs=True)
        backup = site.run("selfmx-backup")
        assert backup.returncode == 0, (done.stderr, backup.stderr)
