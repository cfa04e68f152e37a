"""Processes, really there and really gone."""

import os
import subprocess
import sys

from selfmx_backupd.adapters.process import is_alive

_ASKS = """\
import os
from selfmx_backupd.adapters.process import is_alive
if os.geteuid() == 0:
    os.setuid(65534)
print(os.geteuid(), is_alive(1))
"""


def test_we_are_alive() -> None:
    assert is_alive(os.getpid())


def test_a_process_is_alive_until_it_has_ended() -> None:
    process = subprocess.Popen(["sleep", "60"])  # noqa: S607
    assert is_alive(process.pid)
    process.kill()
    process.wait()
    assert not is_alive(process.pid)


def test_somebody_elses_process_is_alive_too() -> None:
    """The daemon may not send a signal to a command of root's."""
    done = subprocess.run(
        [sys.executable, "-c", _ASKS], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    user, answer = done.stdout.split()
    assert (user != "0", answer) == (True, "True")
