"""Python loads this at start, where a test puts its folder on PYTHONPATH.

It counts what the process is about to do to the files below SELFMX_TEST_ROOT, writes each
such act to SELFMX_TEST_ACTS, and kills the process before the act number
SELFMX_TEST_KILL_AT. The product knows nothing of it.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

_ACTS = frozenset({"os.rename", "os.remove", "fcntl.flock", "os.truncate"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _hook(root: str, log: int, kill_at: int) -> Callable[[str, tuple[Any, ...]], None]:
    done = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        if not _counts(event, arguments, root):
            return
        done += 1
        os.write(log, f"{done} {event} {_name(arguments)}\n".encode())
        if done == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _counts(event: str, arguments: tuple[Any, ...], root: str) -> bool:
    if event == "open":
        path, _, flags = arguments
        return isinstance(path, str) and path.startswith(root) and bool(flags & _WRITING)
    if event not in _ACTS:
        return False
    first = arguments[0]
    # A name relative to a directory's descriptor, or a descriptor, can only be ours.
    if isinstance(first, int):
        return True
    return not os.fspath(first).startswith("/") or os.fspath(first).startswith(root)


def _name(arguments: tuple[Any, ...]) -> str:
    names = (os.fspath(it) for it in arguments if isinstance(it, str | os.PathLike))
    return " ".join(name.rpartition("/")[2] for name in names)


if "SELFMX_TEST_ROOT" in os.environ:
    sys.addaudithook(
        _hook(
            os.environ["SELFMX_TEST_ROOT"],
            os.open(os.environ["SELFMX_TEST_ACTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            int(os.environ.get("SELFMX_TEST_KILL_AT", "0")),
        )
    )
