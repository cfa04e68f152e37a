"""A signal at every step: before the swap all is as it was, from the swap on it is done."""

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.restore_site import NEW, OLD, RestoreSite, Seen

pytestmark = pytest.mark.faults

SLOW = ("--size", "4", "--rate", "4")
AS_IT_WAS = Seen({"SelfMX": OLD}, app_runs=True)
SWAPPED = Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD}, app_runs=True)
OVERWRITTEN = Seen({"SelfMX": NEW}, app_runs=True)
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.fixture
def site(tmp_path: Path, driver: str) -> Iterator[RestoreSite]:
    with RestoreSite(tmp_path, driver=driver, standin=SLOW) as site:
        # So long each of them takes, and a signal finds it at work.
        site.app.make("slow-stop", "1")
        site.app.make("slow-start", "1")
        yield site


@dataclass(frozen=True)
class Ended:
    """A command that was signalled; `calls` are those of the application."""

    code: int
    stdout: str
    stderr: str
    calls: list[str]


class Restore:
    """`selfmx-restore` under way."""

    def __init__(self, site: RestoreSite, *words: str) -> None:
        self._site = site
        self._process = site.start("selfmx-restore", *words, "--yes")

    def signal_at(self, line: str, *numbers: signal.Signals) -> None:
        """Wait until it says this on standard error, then send signals."""
        stream = self._process.stderr
        assert stream is not None
        heard: list[str] = []
        while not heard or not heard[-1].startswith(line):
            heard.append(stream.readline())
            assert heard[-1], heard
        for number in numbers:
            self._process.send_signal(number)

    def end(self) -> Ended:
        try:
            stdout, stderr = self._process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
        return Ended(self._process.returncode, stdout, stderr, self._site.app.calls)


BEFORE_THE_SWAP: tuple[tuple[str, signal.Signals, list[str]], ...] = (
    ("proving", INT, []),
    ("restoring", INT, []),
    ("restoring 50 %", INT, []),
    ("checking", INT, []),
    ("stopping the application", INT, ["stop", "start"]),
    ("restoring", TERM, []),
    ("restoring", HUP, []),
    ("stopping the application", TERM, ["stop", "start"]),
)


@pytest.mark.parametrize(("line", "number", "calls"), BEFORE_THE_SWAP)
def test_a_signal_before_the_swap_leaves_everything_as_it_was(
    site: RestoreSite, line: str, number: signal.Signals, calls: list[str]
) -> None:
    restore = Restore(site, "--latest")
    restore.signal_at(line, number)
    ended = restore.end()
    assert ended.code == 128 + number, ended.stderr
    assert f"error: stopped by {number.name}" in ended.stderr
    assert "giving up, one moment (again to end at once)" in ended.stderr
    assert ended.calls == calls
    assert site.seen() == AS_IT_WAS
    assert site.backup_is_intact()
    if line == "proving":
        assert site.plan is None
    else:
        assert "note: SelfMX is the database that it was before" in ended.stderr
        assert site.plan is not None
        assert (site.plan["step"], site.plan["app_stopped"]) == ("given_up", False)
    assert "restore" not in site.outcomes()["jobs"], "a wish is not a failure"
    assert site.restore("--undo").returncode == 2


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("swapping", INT),
        ("swapping", TERM),
        ("starting the application", INT),
        ("starting the application", HUP),
    ],
)
def test_a_signal_from_the_swap_on_does_not_stop_it(
    site: RestoreSite, line: str, number: signal.Signals
) -> None:
    restore = Restore(site, "--latest")
    restore.signal_at(line, number)
    ended = restore.end()
    assert ended.code in (0, 10), ended.stderr
    assert f"SelfMX is what {site.file} holds" in ended.stdout
    assert ended.calls[:2] == ["stop", "start"]
    assert site.seen() == SWAPPED
    assert site.plan is not None
    assert (site.plan["step"], site.plan["app_stopped"]) == ("done", False)


def test_a_signal_ends_the_wait_for_the_applications_health_and_that_is_told(
    site: RestoreSite,
) -> None:
    site.settings["application"]["health_timeout_s"] = 60
    site.write_config()
    site.app.make("wont-health")
    restore = Restore(site, "--latest")
    restore.signal_at("starting the application", INT)
    ended = restore.end()
    assert ended.code == 10, ended.stderr
    assert re.search("LOOK: the application on SelfMX: its health was not waited for", ended.stdout)
    assert site.seen() == SWAPPED


def test_a_second_signal_in_the_swap_does_not_end_the_process(site: RestoreSite) -> None:
    # Whoever holds the only place has to be put out first, so that the swap takes a moment.
    holder = site.server.connect(site.driver)
    holder.execute("ALTER DATABASE SelfMX SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
    restore = Restore(site, "--latest")
    restore.signal_at("swapping", INT, TERM)
    ended = restore.end()
    assert ended.code in (0, 10), ended.stderr
    assert site.seen() == SWAPPED
    assert site.plan is not None
    assert site.plan["step"] == "done"


def test_a_second_signal_while_it_restores_ends_it_at_once_and_undo_puts_it_right(
    site: RestoreSite,
) -> None:
    restore = Restore(site, "--latest")
    restore.signal_at("restoring 25 %", INT, TERM)
    ended = restore.end()
    assert ended.code == 128 + TERM
    assert site.plan is not None
    assert site.plan["step"] == "copying"
    assert site.restore("--undo").returncode == 0
    assert site.seen() == AS_IT_WAS


IN_PLACE = (
    "proving",
    "stopping the application",
    "backing up",
    "verifying",
    "restoring",
    "restoring 50 %",
)


@pytest.mark.parametrize("line", IN_PLACE)
def test_a_signal_before_all_is_overwritten_brings_the_old_one_back(
    site: RestoreSite, line: str
) -> None:
    restore = Restore(site, "--in-place", site.file)
    if line == "verifying":
        restore.signal_at("backing up")
    restore.signal_at(line, INT)
    ended = restore.end()
    assert ended.code == 130, ended.stderr
    assert site.seen() == AS_IT_WAS
    assert site.backup_is_intact()
    if line.startswith("restoring"):
        (safety,) = [each["file"] for each in site.listed() if each["tiers"] == ["pre_restore"]]
        assert safety in ended.stderr
        assert site.plan is not None
        assert (site.plan["step"], site.plan["safety"]) == ("given_up", safety)
    # A complete one, not yet verified, is left to the next backup.
    assert not [name for name in site.files() if name.endswith(".part")] or line == "verifying"
    assert site.restore("--undo").returncode == 2


def test_a_second_signal_while_the_safety_backup_comes_back_does_not_end_the_process(
    site: RestoreSite,
) -> None:
    restore = Restore(site, "--in-place", site.file)
    restore.signal_at("restoring 25 %", INT)
    restore.signal_at("restoring 25 %", INT, INT)
    ended = restore.end()
    assert ended.code == 130, ended.stderr
    assert site.seen() == AS_IT_WAS
    assert site.plan is not None
    assert site.plan["step"] == "given_up"


@pytest.mark.parametrize("line", ["checking", "adapting", "starting the application"])
def test_a_signal_once_it_is_overwritten_does_not_stop_it(site: RestoreSite, line: str) -> None:
    restore = Restore(site, "--in-place", site.file)
    restore.signal_at("restoring")
    restore.signal_at(line, INT)
    ended = restore.end()
    assert ended.code in (0, 10), ended.stderr
    if line == "checking":
        assert "LOOK: SelfMX was not checked to the end: stopped by SIGINT" in ended.stdout
    assert site.seen() == OVERWRITTEN
    assert site.plan is not None
    assert site.plan["step"] == "done"


def test_a_signal_in_an_undo_before_the_swap_leaves_the_restored_one_in_service(
    site: RestoreSite,
) -> None:
    assert site.restore("--latest").returncode == 0
    restore = Restore(site, "--undo")
    restore.signal_at("stopping the application", INT)
    ended = restore.end()
    assert ended.code == 130, ended.stderr
    assert site.seen() == SWAPPED
    assert site.restore("--undo").returncode == 0
    assert site.seen() == Seen({"SelfMX": OLD, "SelfMX_undone_STAMP": NEW}, app_runs=True)
