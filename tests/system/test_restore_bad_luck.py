"""What fails before the swap, and an application that does not do as it is told."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.restore_site import NEW, OLD, STRANGERS, Database, RestoreSite, Seen, told

pytestmark = pytest.mark.faults

UNTOUCHED = Seen({"SelfMX": OLD, **STRANGERS}, app_runs=True)
DONE = Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD, **STRANGERS}, app_runs=True)
UNDONE = Seen({"SelfMX": OLD, "SelfMX_undone_STAMP": NEW, **STRANGERS}, app_runs=True)
HALF: Database = ("RESTORING", "MULTI_USER", None)
LINK_LOST = "docker ps -a --filter name=selfmx-sqlserver"


@pytest.fixture
def site(tmp_path: Path, driver: str) -> RestoreSite:
    return RestoreSite(tmp_path, driver=driver)


@dataclass(frozen=True)
class Case:
    """A fault while the copy is made or checked; `error` and `hint` are patterns.

    Attributes:
        left: The copy where the server is dead and nobody could drop it.
    """

    fault: str
    error: str
    hint: str = LINK_LOST
    code: int = 5
    left: Database | None = None


RESTORE = r"the restore of selfmx_\w+\.bak to SelfMX_restore_\w+ "
CHECK = r"the check of SelfMX_restore_\w+ "
CASES = (
    Case("die-restore:50", RESTORE + "(failed|ended without SQL Server's message)", left=HALF),
    Case("drop-restore:50", RESTORE + "(failed|ended without SQL Server's message)"),
    Case("kill-restore:50", RESTORE + "failed"),
    Case("fail-restore:50", RESTORE + r"failed: .*\(error 3183\)", "The list: selfmx-restore", 6),
    Case("hang-restore:50", RESTORE + "made no progress for 1 s", "docker logs"),
    Case("die-checkdb:50", CHECK + "failed", left=NEW),
    Case("drop-checkdb:50", CHECK + "failed"),
    Case("kill-checkdb:50", CHECK + "failed"),
    Case("hang-checkdb:50", CHECK + "made no progress for 1 s", "docker logs"),
    Case(
        "checkdb:2",
        r"DBCC CHECKDB finds 4 errors in what selfmx_\w+\.bak holds, the first: Object ID",
        r"older backup.* selfmx-restore --as SelfMX_damaged selfmx_\w+\.bak",
        6,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault.partition(":")[0])
def test_what_fails_before_the_swap_changes_nothing_in_service(
    site: RestoreSite, case: Case
) -> None:
    site.settings["backup"]["stall_timeout_s"] = 1
    with site:
        site.make_strangers()
        site.restart_server("--fault", case.fault)
        done = site.restore("--latest")
        assert done.returncode == case.code, done.stderr
        assert re.search(case.error, told(done, "error")[0]), done.stderr
        assert re.search(case.hint, told(done, "hint")[0]), done.stderr
        if case.left is None:
            assert_given_up(site, " ".join(told(done, "note")))
        else:
            assert_left(site, " ".join(told(done, "note")), case.left)
        assert site.app.calls == []
        assert site.backup_is_intact()
        site.restart_server()
        assert site.restore("--latest").returncode == 0
        assert site.seen() == DONE


def assert_given_up(site: RestoreSite, notes: str) -> None:
    assert "SelfMX is the database that it was before" in notes
    assert site.seen() == UNTOUCHED
    assert site.plan is not None
    assert site.plan["step"] == "given_up"
    undo = site.restore("--undo")
    assert (undo.returncode, told(undo, "error")) == (2, ["there is no restore to undo"])


def assert_left(site: RestoreSite, notes: str, copy: Database) -> None:
    """The server is dead, and the copy is there when it comes back."""
    assert "SelfMX has not been touched" in notes
    assert re.search(r"the unfinished copy SelfMX_restore_\w+ may be left", notes)
    assert "selfmx-restore --undo" in notes
    assert "it could not be put right: SQL Server at 127.0.0.1" in notes
    assert site.server.wait() == 70
    site.restart_server()
    left = {"SelfMX": OLD, "SelfMX_restore_STAMP": copy, **STRANGERS}
    assert site.seen() == Seen(left, app_runs=True)
    assert site.plan is not None
    assert site.plan["step"] == "copying"
    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    assert "put right: SelfMX is the database that it was before" in undo.stdout
    assert site.seen() == UNTOUCHED


def test_a_copy_with_damage_stays_to_be_looked_at(site: RestoreSite) -> None:
    with site:
        site.make_strangers()
        site.restart_server("--fault", "checkdb:2")
        done = site.restore("--as", "copy", site.file)
        assert done.returncode == 10, done.stderr
        assert re.search(rf"LOOK: DBCC CHECKDB finds 4 errors in what {site.file}", done.stdout)
        assert site.seen() == Seen({"SelfMX": OLD, "copy": NEW, **STRANGERS}, app_runs=True)
        assert site.backup_is_intact()
        assert site.restore("--undo").returncode == 2
        assert site.restore("--drop-old").returncode == 0
        assert site.seen().databases["copy"] == NEW


@pytest.mark.parametrize("fault", ["fail-restore:50", "drop-restore:50", "die-restore:50"])
def test_a_copy_that_fails_is_dropped_and_nothing_else(site: RestoreSite, fault: str) -> None:
    with site:
        site.make_strangers()
        site.restart_server("--fault", fault)
        done = site.restore("--as", "copy", site.file)
        assert done.returncode in (5, 6), done.stderr
        site.restart_server()
        if fault == "die-restore:50":
            assert "the unfinished copy copy may be left" in " ".join(told(done, "note"))
            assert site.restore("--undo").returncode == 0
        assert site.seen() == UNTOUCHED
        assert site.app.calls == []


def test_the_end_of_a_copy_that_died_is_not_called_a_way_back(site: RestoreSite) -> None:
    """The restore before it stays what it is: the restored database is in service."""
    with site:
        site.make_strangers()
        assert site.restore("--latest").returncode == 0
        site.restart_server("--fault", "die-restore:50")
        assert site.restore("--as", "copy", site.file).returncode == 5
        site.restart_server()
        undo = site.restore("--undo")
        assert undo.returncode == 0, undo.stderr
        assert site.seen() == DONE
        assert "is what it was before the last restore" not in undo.stdout
        assert site.restore("--undo").returncode == 0
        assert site.seen() == UNDONE


def test_an_application_that_does_not_stop_ends_it_before_anything_is_changed(
    site: RestoreSite,
) -> None:
    with site:
        site.make_strangers()
        site.app.make("wont-stop")
        done = site.restore("--latest")
        assert done.returncode == 1, done.stderr
        assert re.search(
            r"the application does not stop: .* ended with exit code 1: Error response from "
            "daemon: cannot stop container: selfmx-app",
            told(done, "error")[0],
        )
        assert "application.stop = []" in told(done, "hint")[0]
        assert site.app.calls == ["stop", "start"]
        assert site.backup_is_intact()
        assert_given_up(site, " ".join(told(done, "note")))


@dataclass(frozen=True)
class Unwell:
    """An application that is stopped, and then is not what it was; `became` and `look` tell."""

    what: str
    became: str
    look: str
    runs: bool


UNWELL = (
    Unwell(
        "wont-start",
        "it does not start",
        "the application does not start: .*daemon: cannot start container: selfmx-app",
        runs=False,
    ),
    Unwell(
        "wont-health",
        "it runs, and is not well",
        "the application on SelfMX: it is not healthy after 2 s: .*daemon: cannot health",
        runs=True,
    ),
)


@pytest.mark.parametrize("case", UNWELL, ids=lambda case: case.what)
@pytest.mark.parametrize("way", ["--latest", "--in-place"])
def test_an_application_that_is_not_well_on_the_new_database_is_told_and_swaps_nothing_back(
    site: RestoreSite, way: str, case: Unwell
) -> None:
    with site:
        site.make_strangers()
        site.app.make(case.what)
        done = site.restore(*(["--latest"] if way == "--latest" else [way, site.file]))
        assert done.returncode == 10, done.stderr
        assert re.search(f"application +{case.became}", done.stdout)
        assert re.search(f"LOOK: {case.look}", done.stdout)
        old = {"SelfMX_before_STAMP": OLD} if way == "--latest" else {}
        assert site.seen() == Seen({"SelfMX": NEW, **old, **STRANGERS}, app_runs=case.runs)
        assert site.plan is not None
        assert (site.plan["step"], site.plan["app_stopped"]) == ("done", False)
        back = re.search(r"go back +selfmx-restore (.*)", done.stdout)
        assert back is not None
        site.app.repair(case.what)
        undo = site.restore(*back[1].split())
        assert undo.returncode == 0, undo.stderr
        assert site.seen().databases["SelfMX"] == OLD
        assert site.app.is_running


def test_an_application_that_does_not_start_after_a_failure_is_told(site: RestoreSite) -> None:
    with site:
        site.make_strangers()
        site.app.make("wont-start")
        site.restart_server("--fault", "drop-after:MODIFY NAME@1")
        done = site.restore("--latest")
        assert done.returncode == 5, done.stderr
        notes = " ".join(told(done, "note"))
        assert "SelfMX had been renamed to SelfMX_before_" in notes
        assert re.search("the application does not start: .*cannot start container", notes)
        assert site.seen() == Seen({"SelfMX": OLD, **STRANGERS}, app_runs=False)
