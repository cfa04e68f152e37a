"""The process dies at every act of an adoption; the daemon adopts what it finds, in its turn."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import DaemonProcess, environment
from tests.system.adopting import AdoptSite, begin, look
from tests.system.test_crash import KILL

pytestmark = pytest.mark.faults

REPOSITORY = Path(__file__).resolve().parents[2]
MOVED = "selfmx_20200202_020202.bak"
# The new manifest is written under another name and renamed, the old one removed; and one more.
FEWEST_ACTS = 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdoptSite]:
    with AdoptSite(tmp_path_factory.mktemp("killed")) as installation:
        yield installation


def adopt_until(site: AdoptSite, kill_at: int) -> tuple[int, list[str]]:
    """A process that adopts, and dies before its n-th act on a file; 0 never dies."""
    acts = site.root / "acts"
    acts.unlink(missing_ok=True)
    hook = {
        "PYTHONPATH": f"{KILL}{os.pathsep}{REPOSITORY}",
        "SELFMX_TEST_ROOT": str(site.root),
        "SELFMX_TEST_ACTS": str(acts),
        "SELFMX_TEST_KILL_AT": str(kill_at),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.adopting", str(site.config)],
        env=environment(hook),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, acts.read_text().splitlines()


def on_manifests(acts: list[str]) -> range:
    """From the first act on a manifest to the one after the last; others are met by a backup."""
    found = [at for at, act in enumerate(acts, 1) if "selfmx_" in act]
    return range(found[0], found[-1] + 2)


def test_a_crash_at_any_act_of_taking_up_a_moved_backup_is_healed(site: AdoptSite) -> None:
    name = site.ours()
    known, content = site.json(name).read_bytes(), site.bak(name).read_bytes()

    def move() -> None:
        site.empty()
        site.json(name).write_bytes(known)
        site.bak(MOVED).write_bytes(content)
        site.age(MOVED)

    move()
    code, acts = adopt_until(site, 0)
    assert code == 0
    points = on_manifests(acts)
    assert len(points) >= FEWEST_ACTS, acts
    seen = set()
    for kill_at in points:
        move()
        code, done = adopt_until(site, kill_at)
        assert code == -signal.SIGKILL, (kill_at, done)
        states = site.states()
        seen.add(tuple(sorted(states.values())))
        assert states.get(name, "missing") == "missing", done[-1]
        if states[MOVED] == "unknown":
            assert site.json(name).read_bytes() == known, done[-1]

        begin(site.world())

        assert site.states() == {MOVED: "verified"}, done[-1]
        assert site.files() == {MOVED, site.json(MOVED).name}, done[-1]
        assert site.manifest(MOVED)["trigger"] == "manual", done[-1]
        assert site.bak(MOVED).read_bytes() == content
    # Before the new manifest, between the two, and after the old one is gone.
    assert seen == {("missing", "unknown"), ("missing", "verified"), ("verified",)}


def test_the_daemon_backs_up_what_is_due_first_and_then_adopts(site: AdoptSite) -> None:
    site.empty()
    names = [site.script(f"2026030{day}_030000") for day in (1, 2)]
    before = {name: look(site.bak(name)) for name in names}
    late = site.root / "late.bak"
    site.bak(site.script("20260303_030000")).rename(late)
    with DaemonProcess(site, env={"WATCHDOG_USEC": "1000000"}) as daemon:
        daemon.wait_for(lambda message: "3 verified backups" in message)
        late.rename(site.bak("selfmx_20260303_030000.bak"))
        daemon.wait_for(lambda message: "4 verified backups" in message)
        log = daemon.stop()
    assert log.index("is complete and verified") < log.index(f"{names[1]} had no manifest")
    assert log.index(f"{names[1]} had no manifest") < log.index(f"{names[0]} had no manifest")
    assert {name: look(site.bak(name)) for name in names} == before
    triggers = sorted(each["trigger"] for each in site.listed())
    assert triggers[:3] == ["adopted"] * 3
    assert site.outcomes()["running"] is None


def test_the_daemon_says_once_what_it_refuses_and_the_command_adopts_nothing(
    site: AdoptSite,
) -> None:
    site.empty()
    name = site.script("20260301_030000")
    site.bak(name).write_bytes(site.bak(name).read_bytes()[:-9])
    site.age(name)
    with DaemonProcess(site, env={"WATCHDOG_USEC": "400000"}) as daemon:
        daemon.wait_for(lambda message: "1 verified backup " in f"{message} ")
        pings = daemon.heard.count("WATCHDOG=1")
        daemon.wait_for(lambda _: daemon.heard.count("WATCHDOG=1") >= pings + 5)
        log = daemon.stop()
    assert log.count("not adopted, and left as it is: ") == 1
    site.empty()
    name = site.script("20260301_030000")
    assert site.run("selfmx-backup").returncode == 0
    assert sorted(site.states().values()) == ["unknown", "verified"]
    (refused,) = [each for each in site.listed() if each["file"] == name]
    assert refused["reason"] == (
        "it has no manifest: the daemon adopts it, or its log says why not"
    )
