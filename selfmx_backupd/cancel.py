"""The wish to stop, carried from a signal to whatever runs."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from selfmx_backupd.errors import Cancelled

# Whoever has not ended by then is not going to: a driver that waits for a server which
# acknowledges nothing waits for ever.
DEAF_AFTER_S = 120.0

# The signals that ask for the end of the work.
STOPPING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def leave_signals_to_the_main_thread() -> None:
    """In a thread that works: no signal comes here, nor to the threads that it starts.

    While one signal waits for the main thread, the kernel gives the next one to another.
    There it interrupts a system call inside the ODBC driver, and Driver 18 takes that for
    the end of the connection (seen with two signals at once on a loaded machine).
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


@contextmanager
def hearing_signals() -> Iterator[None]:
    """While a program is started: it inherits what is blocked here, and must hear signals."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Cancel:
    """A flag that is set once, by a signal, and asked for by every long step.

    It may be set from any thread and from a signal handler. A child also ends with its
    parent; ending the child leaves the parent alone.

    Attributes:
        is_shielded: No wish is heard for a moment.
    """

    def __init__(self, parent: "Cancel | None" = None) -> None:
        self._parent = parent
        self._event = threading.Event()
        self._signal_number: int = signal.SIGTERM
        self.is_shielded = False
        self._told: tuple[str, float] | None = None

    def request(self, signal_number: int) -> None:
        """Ask for the end of the work; the first signal decides the exit code."""
        if not self._event.is_set():
            self._signal_number = signal_number
            self._event.set()

    @property
    def requested(self) -> bool:
        """Whether the work should end; not while it is shielded."""
        if self.is_shielded:
            return False
        return self._event.is_set() or (self._parent is not None and self._parent.requested)

    def wait(self, timeout_s: float) -> bool:
        """Sleep until the wish or the time-out; return whether the work should end."""
        if self.is_shielded:
            time.sleep(timeout_s)
            return False
        return self._event.wait(timeout_s)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let no wish to stop be heard meanwhile: half of this would be worse than all of it."""
        before, self.is_shielded = self.is_shielded, True
        try:
            yield
        finally:
            self.is_shielded = before

    def told(self, what: str) -> None:
        """Note that something is told to end, before that is done: it may block for ever."""
        self._told = self._told or (what, time.monotonic())

    def has_ended(self) -> None:
        """Note that it has ended, for whatever reason."""
        self._told = None

    @property
    def unheard_by(self) -> str | None:
        """What goes on although it was told to end, long ago; None where nothing does."""
        if self._told is None:
            return None
        what, at = self._told
        return what if time.monotonic() - at > DEAF_AFTER_S else None

    def check(self) -> None:
        """Go on, or raise Cancelled."""
        if self.requested:
            raise self.error()

    def error(self) -> Cancelled:
        """The error that a cancelled step ends with."""
        if self._parent is not None and self._parent.requested:
            return self._parent.error()
        name = signal.Signals(self._signal_number).name
        return Cancelled(f"stopped by {name}", signal_number=self._signal_number)
