"""The process dies at every step of a restore: nothing is lost, and `--undo` puts it right."""

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.restore_site import IN_BACKUP, IN_SERVICE, NEW, OLD, RestoreSite

pytestmark = pytest.mark.faults

KILL = Path(__file__).resolve().parents[1] / "kill"
SHARES = 4
# The acts before `state.json` gets its content; a kill between them and the last one tells
# nothing that a kill before the last one does not.
FUTILE = ("os.remove state.json.tmp", "open state.json.tmp")


def nothing(_: RestoreSite) -> None:
    """Before a restore nothing has to be done."""


def restore_first(site: RestoreSite) -> None:
    done = site.restore("--latest")
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Way:
    """A command that is killed.

    Attributes:
        prepare: What has to be done before.
        fewest: It acts on files at least so often; fewer would mean that the hook is blind.
    """

    name: str
    words: tuple[str, ...]
    prepare: Callable[[RestoreSite], None]
    fewest: int


WAYS = (
    Way("beside", ("--latest",), nothing, 30),
    Way("in_place", ("--latest", "--in-place"), nothing, 40),
    Way("undo", ("--undo",), restore_first, 25),
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RestoreSite]:
    with RestoreSite(tmp_path, driver="freetds") as site:
        yield site


def run_until(site: RestoreSite, way: Way, kill_at: int) -> tuple[int, list[str]]:
    """The way's command, which dies before its n-th act; 0 never dies."""
    acts = site.root / "acts"
    acts.unlink(missing_ok=True)
    env = {
        "PYTHONPATH": str(KILL),
        "SELFMX_TEST_ROOT": str(site.root),
        "SELFMX_TEST_ACTS": str(acts),
        "SELFMX_TEST_KILL_AT": str(kill_at),
    }
    done = site.run("selfmx-restore", *way.words, "--yes", env=env)
    return done.returncode, acts.read_text().splitlines()


def reset(site: RestoreSite) -> None:
    """As it was before the restore, and nothing remembered."""
    for name in site.names():
        if name != "SelfMX":
            site.sql(f"DROP DATABASE [{name}]")
    site.sql("DELETE FROM SelfMX.dbo.SentEmails")
    (site.state / "state.json").unlink(missing_ok=True)
    for name in site.files() - {site.file, site.file.replace(".bak", ".json")}:
        (site.backups / name).unlink()


def rows(site: RestoreSite) -> dict[str, int | None]:
    """The e-mails of every database; None where it cannot be used."""
    return {name: found[2] for name, found in site.seen().databases.items()}


def safety_backups(site: RestoreSite) -> list[str]:
    return [each["file"] for each in site.listed() if each["tiers"] == ["pre_restore"]]


def assert_nothing_is_lost(site: RestoreSite, act: str) -> None:
    found = rows(site)
    assert IN_SERVICE in found.values() or safety_backups(site), (act, found)
    assert IN_SERVICE in found.values() or IN_BACKUP in found.values(), (act, found)
    assert site.backup_is_intact(), act


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_kill_at_any_act_on_a_file_is_put_right_by_undo(
    site: RestoreSite, way: Way, share: int
) -> None:
    way.prepare(site)
    code, acts = run_until(site, way, 0)
    assert code == 0
    assert len(acts) >= way.fewest, acts
    kill_points = [n for n, act in enumerate(acts, 1) if not act.endswith(FUTILE)]
    for kill_at in kill_points[share::SHARES]:
        reset(site)
        way.prepare(site)
        code, done = run_until(site, way, kill_at)
        assert code == -signal.SIGKILL, done
        assert_nothing_is_lost(site, done[-1])
        undo(site, done[-1])
        seen = site.seen()
        kept = {"SelfMX_undone_STAMP": NEW} if len(seen.databases) > 1 else {}
        assert seen.databases == {"SelfMX": OLD, **kept}, done[-1]
        assert seen.app_runs, done[-1]
        assert site.backup_is_intact(), done[-1]


def undo(site: RestoreSite, act: str) -> None:
    """What an operator does then: `--undo`, and what that says where it is not the way."""
    is_open = site.plan is not None and site.plan["step"] not in ("done", "given_up")
    done = site.restore("--undo")
    if done.returncode == 0:
        assert "SelfMX is what it was before the last restore" in done.stdout, act
        return
    assert done.returncode == 2, (act, done.stderr)
    if "there is no restore to undo" in done.stderr:
        assert not is_open, act
        return
    hint = re.search(
        r"^hint: Type: selfmx-restore (--in-place selfmx_\w+\.bak)$", done.stderr, re.MULTILINE
    )
    assert hint is not None, (act, done.stderr)
    back = site.restore(*hint[1].split())
    assert back.returncode == 0, (act, back.stderr)
