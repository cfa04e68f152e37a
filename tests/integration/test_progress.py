import os
import pty
import termios
from io import StringIO

import pytest

from selfmx_backupd.cli.progress import progress_for
from selfmx_backupd.model import Progress


def shown_on_a_terminal(columns: int) -> str:
    """What a person sees there of a step at 50 %."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (25, columns))
    with os.fdopen(slave, "w") as stream, progress_for(stream) as tell:
        tell(Progress("backing up", 50))
        seen = os.read(master, 65536).decode()
    os.close(master)
    return seen


def test_a_terminal_gets_a_bar() -> None:
    assert "\r" in shown_on_a_terminal(80)


def test_a_terminal_without_a_width_gets_lines() -> None:
    """A serial console, or `docker exec` without a size: a bar of no columns is silence."""
    assert shown_on_a_terminal(0) == "backing up 50 %\r\n"


@pytest.mark.parametrize("percents", [(0, 10, 24, 25, 60)])
def test_a_file_gets_a_line_for_each_quarter(percents: tuple[int, ...]) -> None:
    stream = StringIO()
    with progress_for(stream) as tell:
        for percent in percents:
            tell(Progress("backing up", percent))
    lines = ["backing up 0 %", "backing up 25 %", "backing up 60 %"]
    assert stream.getvalue().splitlines() == lines
