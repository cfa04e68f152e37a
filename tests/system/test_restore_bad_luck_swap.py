"""What fails while two databases change places: one of them is in service afterwards."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.restore_site import NEW, OLD, STRANGERS, Database, RestoreSite, Seen, told

pytestmark = pytest.mark.faults

AS_IT_WAS = Seen({"SelfMX": OLD, **STRANGERS}, app_runs=True)
SWAPPED = Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD, **STRANGERS}, app_runs=True)
UNDONE = Seen({"SelfMX": OLD, "SelfMX_undone_STAMP": NEW, **STRANGERS}, app_runs=True)
ALONE_OLD: Database = ("ONLINE", "SINGLE_USER", 0)
ALONE_NEW: Database = ("ONLINE", "SINGLE_USER", 240)
BETWEEN = {"SelfMX_before_STAMP": ALONE_OLD, "SelfMX_restore_STAMP": ALONE_NEW}
RENAMED_BACK = r"SelfMX had been renamed to SelfMX_before_\w+ and gets its name back"


@pytest.fixture
def site(tmp_path: Path, driver: str) -> Iterator[RestoreSite]:
    with RestoreSite(tmp_path, driver=driver) as site:
        site.make_strangers()
        yield site


@contextmanager
def restarted_at_once(site: RestoreSite, *faults: str) -> Iterator[None]:
    """As docker does with `--restart unless-stopped`: it comes back as soon as it has died."""

    def restart() -> None:
        site.server.wait(60)
        site.restart_server(*faults)

    docker = threading.Thread(target=restart, daemon=True)
    docker.start()
    yield
    docker.join(60)
    assert not docker.is_alive()


def test_a_server_that_dies_between_the_renames_and_stays_dead_is_healed_when_it_is_back(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "die-after:MODIFY NAME@1")
    done = site.restore("--latest")
    assert done.returncode == 5, done.stderr
    assert re.search(r"^swapping SelfMX and SelfMX_restore_\w+ failed", told(done, "error")[0])
    assert "docker ps -a" in told(done, "hint")[0]
    notes = told(done, "note")
    assert re.fullmatch(r"SelfMX may be called SelfMX_before_\d{8}_\d{6} now", notes[0])
    assert "the application stays stopped" in notes
    assert "once SQL Server answers, put it right with: selfmx-restore --undo" in notes
    site.restart_server()
    assert site.seen() == Seen({**BETWEEN, **STRANGERS}, app_runs=False)
    assert f"SelfMX may be called {_named(site, '_before_2')} now" == notes[0]
    assert site.plan is not None
    assert (site.plan["step"], site.plan["app_stopped"]) == ("swapping", True)
    assert site.backup_is_intact()

    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    assert "A restore of" in undo.stdout
    assert re.search(f"put right: {RENAMED_BACK}", undo.stdout)
    assert re.search(r"^  application  it has been started again$", undo.stdout, re.MULTILINE)
    assert site.seen() == AS_IT_WAS
    assert site.plan["step"] == "given_up"


def _named(site: RestoreSite, part: str) -> str:
    (name,) = [each for each in site.names() if part in each]
    return name


def test_a_server_that_dies_between_the_renames_and_comes_back_is_healed_at_once(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "die-after:MODIFY NAME@1")
    with restarted_at_once(site):
        done = site.restore("--latest")
    assert done.returncode == 5, done.stderr
    notes = " ".join(told(done, "note"))
    assert re.search(RENAMED_BACK, notes)
    assert re.search(r"the copy SelfMX_restore_\w+ has been dropped again", notes)
    assert "the application has been started again" in notes
    assert site.seen() == AS_IT_WAS
    assert site.plan is not None
    assert (site.plan["step"], site.plan["app_stopped"]) == ("given_up", False)
    assert site.backup_is_intact()
    assert site.restore("--undo").returncode == 2
    assert site.restore("--latest").returncode == 0
    assert site.seen() == SWAPPED


def test_a_server_that_dies_after_both_renames_is_completed_first_and_then_undone(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "die-after:MODIFY NAME@2")
    done = site.restore("--latest")
    assert done.returncode == 5, done.stderr
    assert "the application stays stopped" in told(done, "note")
    assert "selfmx-restore --undo" in " ".join(told(done, "note"))
    site.restart_server()
    left = {"SelfMX": ALONE_NEW, "SelfMX_before_STAMP": ALONE_OLD, **STRANGERS}
    assert site.seen() == Seen(left, app_runs=False)
    assert site.backup_is_intact()

    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    assert "put right: SelfMX is the restored database already" in undo.stdout
    assert re.search(r"kept +SelfMX_undone_\d{8}_\d{6}, in service until", undo.stdout)
    assert site.seen() == UNDONE
    assert site.restore("--undo").returncode == 2


def test_a_server_that_dies_in_the_undo_of_a_restore_is_healed_too(site: RestoreSite) -> None:
    assert site.restore("--latest").returncode == 0
    site.restart_server("--fault", "die-after:MODIFY NAME@1")
    with restarted_at_once(site):
        undo = site.restore("--undo")
    assert undo.returncode == 5, undo.stderr
    assert re.search(
        r"SelfMX had been renamed to SelfMX_undone_\w+ and gets its name back",
        " ".join(told(undo, "note")),
    )
    assert site.seen() == SWAPPED
    again = site.restore("--undo")
    assert again.returncode == 0, again.stderr
    assert site.seen() == UNDONE


@dataclass(frozen=True)
class Cut:
    """The connection is cut once that statement has run."""

    fault: str
    error: str
    note: str
    after: Seen


RESTORED = "SelfMX is the restored database already"
CUTS = (
    Cut("drop-after:SET SINGLE_USER@1", "having SelfMX alone", "database that it was", AS_IT_WAS),
    Cut("drop-after:SET SINGLE_USER@2", r"having \w+ alone", "database that it was", AS_IT_WAS),
    Cut("drop-after:MODIFY NAME@1", "swapping SelfMX and", RENAMED_BACK, AS_IT_WAS),
    Cut("drop-after:MODIFY NAME@2", "swapping SelfMX and", RESTORED, SWAPPED),
    Cut("drop-after:SET MULTI_USER@1", "opening SelfMX again", RESTORED, SWAPPED),
    Cut("drop-after:SET MULTI_USER@2", r"opening \w+ again", RESTORED, SWAPPED),
)


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut.fault.partition(":")[2])
def test_a_connection_that_is_cut_in_the_swap_is_healed_in_another_session(
    site: RestoreSite, cut: Cut
) -> None:
    site.restart_server("--fault", cut.fault)
    done = site.restore("--latest")
    assert done.returncode == 5, done.stderr
    assert re.search(f"^{cut.error}.* failed", told(done, "error")[0])
    assert "docker ps -a" in told(done, "hint")[0]
    notes = " ".join(told(done, "note"))
    assert re.search(cut.note, notes)
    assert "the application has been started again" in notes
    assert site.seen() == cut.after
    assert site.backup_is_intact()
    assert site.plan is not None
    is_new = cut.after == SWAPPED
    assert site.plan["step"] == ("done" if is_new else "given_up")
    assert bool(re.search(r"SelfMX_before_\d{8}_\d{6} is kept", notes)) == is_new
    site.restart_server()
    assert site.restore("--undo").returncode == (0 if is_new else 2)
    assert site.seen() == (UNDONE if is_new else AS_IT_WAS)


def test_an_empty_database_that_the_application_made_meanwhile_is_moved_aside_whole(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "die-after:MODIFY NAME@1")
    assert site.restore("--latest").returncode == 5
    site.restart_server()
    site.app.start_by_hand()
    site.sql("CREATE DATABASE SelfMX")
    site.sql(
        "CREATE TABLE dbo.stray(id int IDENTITY(1,1) PRIMARY KEY, v nvarchar(20) NOT NULL)",
        database="SelfMX",
    )
    undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    stray: Database = ("ONLINE", "MULTI_USER", None)
    in_service = {"SelfMX": OLD, "SelfMX_stray_STAMP": stray, **STRANGERS}
    assert site.seen() == Seen(in_service, app_runs=True)
    name = _named(site, "_stray_")
    assert site.sql(f"SELECT COUNT(*) FROM [{name}].dbo.stray")[0][0] == 0
    assert f"put right: {name} is kept" in undo.stdout
    cleaned = site.restore("--drop-old")
    assert cleaned.stdout.endswith(f"dropped {name}\n")
    assert site.seen() == AS_IT_WAS
