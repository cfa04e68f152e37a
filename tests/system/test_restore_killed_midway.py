"""The process dies in a long statement, in an undo, or while the safety backup comes back."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.system.restore_site import NEW, OLD, STRANGERS, RestoreSite, Seen
from tests.system.test_restore_killed import WAYS, Way, nothing, run_until

pytestmark = pytest.mark.faults

SLOW = ("--size", "8", "--rate", "6")
# The server goes on with a statement so long after its client has vanished, and so slowly that
# it is not done with it before the next command comes.
ORPHANED = ("--rate", "1.5", "--fault", "orphan:30")
AS_IT_WAS = Seen({"SelfMX": OLD, **STRANGERS}, app_runs=True)


@pytest.fixture
def site(tmp_path: Path, driver: str) -> RestoreSite:
    return RestoreSite(tmp_path, driver=driver, standin=SLOW)


def kill_in(site: RestoreSite, process: subprocess.Popen[str], line: str, command: str) -> None:
    """Kill it once it has said that line and the server works on that command."""
    assert process.stderr is not None
    while line not in process.stderr.readline():
        assert process.poll() is None, process.stderr.read()
    deadline = time.monotonic() + 30
    sql = "SELECT command AS command FROM sys.dm_exec_requests WHERE session_id <> @@SPID"
    while command not in [row.command for row in site.sql(sql)]:
        assert time.monotonic() < deadline
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


STATEMENTS = (
    ("proving", "RESTORE VERIFYON"),
    ("restoring 25 %", "RESTORE DATABASE"),
    ("checking", "DBCC TABLE CHECK"),
)


@pytest.mark.parametrize(("line", "command"), STATEMENTS)
def test_a_kill_in_the_middle_of_a_long_statement_is_put_right_by_undo(
    site: RestoreSite, line: str, command: str
) -> None:
    with site:
        site.make_strangers()
        kill_in(site, site.start("selfmx-restore", "--latest", "--yes"), line, command)
        assert site.seen().databases["SelfMX"] == OLD
        assert site.app.calls == []
        undo = site.restore("--undo")
        assert undo.returncode == (2 if line == "proving" else 0), undo.stderr
        assert site.seen() == AS_IT_WAS
        assert site.backup_is_intact()
        assert site.app.calls == []


@pytest.mark.parametrize(("line", "command"), STATEMENTS[1:])
def test_undo_ends_the_statement_that_a_killed_restore_left_running(
    site: RestoreSite, line: str, command: str
) -> None:
    with site:
        site.make_strangers()
        site.restart_server(*ORPHANED)
        kill_in(site, site.start("selfmx-restore", "--latest", "--yes"), line, command)
        undo = site.restore("--undo")
        assert undo.returncode == 0, undo.stderr
        assert "ended session" in undo.stderr
        assert site.seen() == AS_IT_WAS


def test_a_kill_in_the_overwriting_restore_is_put_right_from_the_safety_backup(
    site: RestoreSite,
) -> None:
    with site:
        site.make_strangers()
        process = site.start("selfmx-restore", "--in-place", site.file, "--yes")
        kill_in(site, process, "restoring 25", "RESTORE DATABASE")
        (safety,) = [each["file"] for each in site.listed() if each["tiers"] == ["pre_restore"]]
        assert site.seen().databases["SelfMX"][0] == "RESTORING"
        undo = site.restore("--undo")
        assert undo.returncode == 0, undo.stderr
        assert safety in undo.stdout
        assert site.seen() == AS_IT_WAS
        assert site.backup_is_intact()


def test_undo_ends_the_overwriting_restore_that_a_killed_process_left_running(
    site: RestoreSite,
) -> None:
    with site:
        site.make_strangers()
        site.restart_server(*ORPHANED)
        process = site.start("selfmx-restore", "--in-place", site.file, "--yes")
        kill_in(site, process, "restoring 25", "RESTORE DATABASE")
        undo = site.restore("--undo")
        assert undo.returncode == 0, undo.stderr
        assert site.seen() == AS_IT_WAS


def test_a_kill_in_the_safety_backup_leaves_nothing_but_what_was(site: RestoreSite) -> None:
    with site:
        site.make_strangers()
        process = site.start("selfmx-restore", "--in-place", site.file, "--yes")
        kill_in(site, process, "backing up 25", "BACKUP DATABASE")
        undo = site.restore("--undo")
        assert undo.returncode == 0, undo.stderr
        assert site.seen() == AS_IT_WAS
        assert site.restore("--in-place", site.file).returncode == 0
        assert not [name for name in site.files() if name.endswith(".part")]


@pytest.mark.parametrize("driver", ["freetds"])
def test_a_killed_undo_that_was_done_goes_back_no_further(tmp_path: Path, driver: str) -> None:
    """Two restores; the undo of the second dies at its end, and is typed again."""
    with RestoreSite(tmp_path, driver=driver) as site:
        assert site.restore("--latest").returncode == 0
        site.sql("DELETE FROM SelfMX.dbo.Domains")
        assert site.restore("--latest").returncode == 0
        way = Way("undo", ("--undo",), nothing, 0)
        _, acts = run_until(site, WAYS[2], 0)
        assert site.restore("--latest").returncode == 0
        kill_at = max(n for n, act in enumerate(acts, 1) if "os.rename state" in act) - 6
        code, _ = run_until(site, way, kill_at)
        assert code == -signal.SIGKILL
        assert site.plan is not None
        assert (site.plan["kind"], site.plan["step"]) == ("undo", "starting")
        undo = site.restore("--undo")
        assert undo.returncode == 0, undo.stderr
        assert site.sql("SELECT COUNT(*) FROM SelfMX.dbo.Domains")[0][0] == 0
        assert site.seen().databases["SelfMX"] == NEW


@pytest.mark.parametrize("driver", ["freetds"])
def test_a_kill_while_the_safety_backup_comes_back_is_never_taken_for_a_success(
    tmp_path: Path, driver: str
) -> None:
    with RestoreSite(tmp_path, driver=driver) as site:
        way = Way("safety", ("--in-place", site.file), nothing, 40)
        site.restart_server("--fault", "fail-restore:50@1")
        code, acts = run_until(site, way, 0)
        assert code == 6
        assert site.seen() == Seen({"SelfMX": OLD}, app_runs=True)
        renames = [n for n, act in enumerate(acts, 1) if "os.rename state" in act]
        for kill_at in renames[-3:]:
            site.restart_server("--fault", "fail-restore:50@1")
            code, done = run_until(site, way, kill_at)
            assert code == -signal.SIGKILL, done
            undo = site.restore("--undo")
            assert site.seen() == Seen({"SelfMX": OLD}, app_runs=True), done[-1]
            assert site.plan is not None
            assert site.plan["step"] == "given_up", (done[-1], undo.stdout, undo.stderr)
            assert undo.returncode in (0, 2), undo.stderr
