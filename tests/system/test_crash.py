"""The process dies at every step of a backup: no backup is lost, and none is invented."""

import hashlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import DaemonProcess, Installation

pytestmark = pytest.mark.faults

KILL = Path(__file__).resolve().parents[1] / "kill"
# A manual backup acts on files about this often; fewer would mean that the hook is blind.
FEWEST_ACTS = 20


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("crash")) as installation:
        yield installation


def empty(site: Installation) -> None:
    for path in (*site.backups.iterdir(), *site.state.glob("*")):
        path.unlink()


def run_until(site: Installation, kill_at: int) -> tuple[int, list[str]]:
    """A manual backup that dies before its n-th act; 0 never dies."""
    acts = site.root / "acts"
    acts.unlink(missing_ok=True)
    env = {
        "PYTHONPATH": str(KILL),
        "SELFMX_TEST_ROOT": str(site.root),
        "SELFMX_TEST_ACTS": str(acts),
        "SELFMX_TEST_KILL_AT": str(kill_at),
    }
    done = site.run("selfmx-backup", env=env)
    return done.returncode, acts.read_text().splitlines()


def published(site: Installation) -> set[str]:
    """Every `.bak`, each of which must have a manifest that is true of it."""
    names = {path.name for path in site.backups.glob("*.bak")}
    for name in names:
        manifest = json.loads((site.backups / name).with_suffix(".json").read_text())
        content = (site.backups / name).read_bytes()
        assert manifest["verified"], name
        assert manifest["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert manifest["size_bytes"] == len(content), name
    return names


def complete(site: Installation) -> set[str]:
    """What a crash left complete: a `.part` with a manifest."""
    return {
        path.name.removesuffix(".part")
        for path in site.backups.glob("*.part")
        if path.with_name(path.name.removesuffix(".bak.part") + ".json").exists()
    }


@pytest.mark.timeout(300)
def test_a_crash_at_any_act_on_a_file_loses_nothing_and_invents_nothing(
    site: Installation,
) -> None:
    code, acts = run_until(site, 0)
    assert code == 0
    assert len(acts) >= FEWEST_ACTS, acts
    unpublished_but_complete = 0
    for kill_at in range(1, len(acts) + 1):
        empty(site)
        code, done = run_until(site, kill_at)
        assert code == -signal.SIGKILL, (kill_at, done)
        before, pending = published(site), complete(site)
        unpublished_but_complete += len(pending)

        again = site.run("selfmx-backup")

        assert again.returncode == 0, (done[-1], again.stderr)
        after = published(site)
        assert before | pending < after, (done[-1], before, pending, after)
        assert len(after) == len(before | pending) + 1, done[-1]
        assert {Path(name).suffix for name in site.files()} == {".bak", ".json"}, done[-1]
        assert {each["state"] for each in site.listed()} == {"verified"}, done[-1]
    assert unpublished_but_complete, "no kill point lay between the manifest and the name"


@pytest.mark.parametrize("driver", ["msodbcsql18", "freetds"])
@pytest.mark.parametrize("step", ["backing up 25 %", "verifying 25 %"])
def test_a_kill_in_the_middle_of_a_statement_is_repaired_by_the_next_start(
    tmp_path: Path, driver: str, step: str
) -> None:
    with Installation(tmp_path, driver=driver, standin=("--size", "8", "--rate", "8")) as site:
        process = site.start("selfmx-backup")
        kill_at_line(process, step)
        assert published(site) == set()
        pending = complete(site)
        assert bool(pending) == step.startswith("verifying")

        with DaemonProcess(site) as daemon:
            daemon.wait_for(lambda message: "verified backup" in message)
            daemon.wait_for(lambda message: "STATUS=newest backup" in message)
            log = daemon.stop()

        assert pending < published(site) or not pending
        assert "died with its process while" in log
        newest = [each for each in site.listed() if "daily" in each["tiers"]]
        assert [each["state"] for each in newest] == ["verified"]


def test_a_died_run_counts_as_a_failed_attempt_and_paces_the_next(tmp_path: Path) -> None:
    with Installation(tmp_path, standin=("--size", "8", "--rate", "4")) as site:
        site.settings["schedule"]["retry_after_s"] = [3600]
        site.write_config()
        with DaemonProcess(site) as daemon:
            daemon.wait_for(lambda message: "STATUS=backing up" in message)
            daemon.process.kill()
            daemon.process.wait()
        with DaemonProcess(site) as daemon:
            status = daemon.wait_for(lambda message: "1 failed backup run in a row" in message)
            assert "died with its process while backing up" in status
            time.sleep(1)
            log = daemon.stop()
        assert "backing up SelfMX to" not in log
        assert published(site) == set()
        assert site.outcomes()["jobs"]["backup"]["failures_in_a_row"] == 1


def kill_at_line(process: subprocess.Popen[str], wanted: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if wanted in line:
            break
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
