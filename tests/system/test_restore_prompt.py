"""A person at a terminal: consent, Ctrl-C, and a terminal that goes away."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.installation import environment
from tests.system.restore_site import NEW, OLD, RestoreSite, Seen

pytestmark = pytest.mark.faults

SLOW = ("--size", "4", "--rate", "4")
AS_IT_WAS = Seen({"SelfMX": OLD}, app_runs=True)
SWAPPED = Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD}, app_runs=True)
PROMPT = "Type SelfMX to go on: "
# As the kernel's /proc shows a system call and its first argument, on x86-64.
READ, STANDARD_INPUT = "0", "0x0"
CTRL_C, END_OF_INPUT = "\x03", "\x04"


class Terminal:
    """`selfmx-restore` in a session of its own, whose terminal is ours.

    Attributes:
        shown: Everything that has appeared on it.
    """

    def __init__(self, site: RestoreSite, *words: str) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (25, 80))  # without a width there is no bar
        self.shown = ""
        self.process = subprocess.Popen(
            ["/usr/bin/setsid", "--ctty", *site.command("selfmx-restore", *words)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(),
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def wait_for(self, words: str, timeout_s: float = 40) -> None:
        """Read until these words have appeared."""
        deadline = time.monotonic() + timeout_s
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), self.shown

    def wait_until_it_reads(self, timeout_s: float = 40) -> None:
        """Wait until it waits for a key: Python loses a Ctrl-C between its prompt and its read."""
        deadline = time.monotonic() + timeout_s
        doing = Path(f"/proc/{self.process.pid}/syscall")
        while (said := doing.read_text().split())[:2] != [READ, STANDARD_INPUT]:
            assert time.monotonic() < deadline, said
            time.sleep(0.01)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def hang_up(self) -> None:
        """The terminal goes away, as when a connection by ssh breaks."""
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def end(self) -> int:
        """Read all the rest; its exit code."""
        while self._master >= 0 and self._read():
            pass
        return self.process.wait(60)

    def _read(self) -> bool:
        """Take what comes; False at the end."""
        ready, _, _ = select.select([self._master], [], [], 40)
        assert ready, self.shown
        try:
            text = os.read(self._master, 65536).decode(errors="replace")
        except OSError:
            return False
        self.shown += text
        return bool(text)


@pytest.fixture
def site(tmp_path: Path, driver: str) -> Iterator[RestoreSite]:
    with RestoreSite(tmp_path, driver=driver, standin=SLOW) as site:
        yield site


def assert_nothing_happened(site: RestoreSite) -> None:
    assert site.seen() == AS_IT_WAS
    assert site.app.calls == []
    assert site.plan is None
    assert not [each for each in site.statements() if each.startswith("RESTORE DATABASE")]


@pytest.mark.parametrize("keys", ["no\n", "selfmx\n", "y\n", "\n", END_OF_INPUT])
def test_another_answer_than_the_name_is_a_no(site: RestoreSite, keys: str) -> None:
    with Terminal(site, "--latest") as terminal:
        terminal.wait_for(PROMPT)
        terminal.type(keys)
        assert terminal.end() == 9
        assert "error: nothing was done, because the name was not typed" in terminal.shown
    assert_nothing_happened(site)


@pytest.mark.parametrize("words", [("--latest",), ("--latest", "--in-place")])
def test_the_name_is_a_yes(site: RestoreSite, words: tuple[str, ...]) -> None:
    with Terminal(site, *words) as terminal:
        terminal.wait_for(PROMPT)
        assert site.seen() == AS_IT_WAS
        terminal.type("SelfMX\n")
        assert terminal.end() == 0
        assert f"SelfMX is what {site.file} holds" in terminal.shown
    assert site.seen().databases["SelfMX"] == NEW


def test_ctrl_c_at_the_prompt_ends_it_and_nothing_has_happened(site: RestoreSite) -> None:
    with Terminal(site, "--latest") as terminal:
        terminal.wait_for(PROMPT)
        terminal.wait_until_it_reads()
        terminal.type(CTRL_C)
        assert terminal.end() == 130
        assert "Traceback" not in terminal.shown
    assert_nothing_happened(site)


def test_ctrl_c_while_it_restores_gives_it_up_and_spares_the_application(
    site: RestoreSite,
) -> None:
    with Terminal(site, "--latest", "--yes") as terminal:
        terminal.wait_for("restoring")
        terminal.type(CTRL_C)
        assert terminal.end() == 130
        assert "giving up, one moment (again to end at once)" in terminal.shown
        assert re.search("note: SelfMX is the database that it was before", terminal.shown)
    assert site.seen() == AS_IT_WAS
    assert site.app.calls == []


def test_a_terminal_that_goes_away_while_it_restores_gives_it_up(site: RestoreSite) -> None:
    with Terminal(site, "--latest", "--yes") as terminal:
        terminal.wait_for("restoring")
        terminal.hang_up()
        assert terminal.end() == 128 + signal.SIGHUP
    assert site.seen() == AS_IT_WAS
    assert site.plan is not None
    assert site.plan["step"] == "given_up"


@pytest.mark.parametrize("step", ["swapping", "starting"])
def test_a_terminal_that_goes_away_from_the_swap_on_does_not_stop_it(
    site: RestoreSite, step: str
) -> None:
    site.app.make("slow-start", "1")
    with Terminal(site, "--latest", "--yes") as terminal:
        terminal.wait_for(step)
        terminal.hang_up()
        assert terminal.end() in (0, 10)
    assert site.seen() == SWAPPED
    assert site.plan is not None
    assert site.plan["step"] == "done"


def test_a_terminal_that_goes_away_while_it_overwrites_brings_the_old_one_back(
    site: RestoreSite,
) -> None:
    with Terminal(site, "--in-place", site.file, "--yes") as terminal:
        terminal.wait_for("restoring")
        terminal.hang_up()
        assert terminal.end() == 128 + signal.SIGHUP
    assert site.seen() == AS_IT_WAS
    assert site.plan is not None
    assert site.plan["step"] == "given_up"
