"""Work in a thread, signals in the main one.

The thread that runs a statement is blocked inside the ODBC driver, where Python hears no
signal: in the main thread, Ctrl-C would wait for the server's next message.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from selfmx_backupd.adapters.signals import Bell
from selfmx_backupd.cancel import Cancel, leave_signals_to_the_main_thread

_Result = TypeVar("_Result")
_SIGNALLED = 128


def run(work: Callable[[Cancel], _Result]) -> _Result:
    """Run `work`, cancelling it on SIGINT, SIGTERM and SIGHUP; raise what it raises.

    A second signal ends the process at once: the next run repairs what that leaves.
    """
    cancel = Cancel()
    with Bell((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)) as bell:
        job = _Job(work, cancel, bell.ring)
        job.start()
        while not job.finished:
            for number in bell.wait(None):
                if cancel.requested:
                    os._exit(_SIGNALLED + number)
                cancel.request(number)
                with suppress(OSError):  # a hang-up takes the terminal with it
                    print("giving up, one moment (again to end at once)", file=sys.stderr)
    return job.result()


def say(words: str) -> None:
    """Say how work ended; it is done, whether or not anybody still reads that."""
    with suppress(OSError):
        print(words, flush=True)


class _Job(threading.Thread, Generic[_Result]):
    def __init__(
        self, work: Callable[[Cancel], _Result], cancel: Cancel, ring: Callable[[], None]
    ) -> None:
        super().__init__(name="job", daemon=True)
        self._work = work
        self._cancel = cancel
        self._ring = ring
        self._results: list[_Result] = []
        self._error: BaseException | None = None
        self.finished = False

    def run(self) -> None:
        leave_signals_to_the_main_thread()
        try:
            self._results.append(self._work(self._cancel))
        except BaseException as error:  # noqa: BLE001  # raised again in the main thread
            self._error = error
        finally:
            # Not is_alive(): the thread still lives when the bell wakes the main one.
            self.finished = True
            self._ring()

    def result(self) -> _Result:
        self.join()
        if self._error is not None:
            raise self._error
        return self._results[0]
