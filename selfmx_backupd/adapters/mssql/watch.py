"""The eye on a running statement: it ends it on request, or for want of progress.

The thread that runs a statement is blocked inside the driver; only `cancel` may be
called on its cursor from another thread.
"""

import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import BackupdError, Stalled

_LOOK_EVERY_S = 0.2
# An attention that was sent in the moment before the statement began is lost, so it is
# sent again, but not so fast that one statement gets many.
_CANCEL_AGAIN_S = 3.0
_PULSE_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Stall:
    """When a statement is given up.

    Attributes:
        limit_s: Seconds without any sign of progress.
        pulse: Anything that changes while the server works; None where that cannot be
            seen, and then there is no limit. It is asked in the watching thread, and only
            after the server has been silent for a while.
    """

    limit_s: float
    pulse: Callable[[], Hashable | None]


class Watch:
    """Watches one statement; `cause` tells why it was ended, if it was ended by us."""

    def __init__(
        self, interrupt: Callable[[], object], cancel: Cancel, stall: Stall | None, doing: str
    ) -> None:
        self._interrupt = interrupt
        self._cancel = cancel
        self._stall = stall
        self._doing = doing
        self._finished = threading.Event()
        self._moved_at = time.monotonic()
        self._pulse: Hashable | None = None
        self.cause: BackupdError | None = None
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._finished.set()
        self._thread.join()
        self._cancel.has_ended()

    def moved(self) -> None:
        """The server said something."""
        self._moved_at = time.monotonic()

    def _look(self) -> None:
        asked_at = time.monotonic()
        while not self._finished.wait(_LOOK_EVERY_S):
            if self._cancel.requested:
                self._end(self._cancel.error())
            elif self._stall and time.monotonic() - asked_at > self._patience(self._stall):
                asked_at = time.monotonic()
                self._feel(self._stall)

    def _patience(self, stall: Stall) -> float:
        return min(stall.limit_s / 4, _PULSE_EVERY_S)

    def _feel(self, stall: Stall) -> None:
        if time.monotonic() - self._moved_at < self._patience(stall):
            return
        try:
            pulse = stall.pulse()
        except Exception:  # noqa: BLE001  # a thread that died of it could cancel nothing
            pulse = None
        if pulse is None or pulse != self._pulse:
            self._pulse = pulse
            self.moved()
        elif time.monotonic() - self._moved_at > stall.limit_s:
            self._end(Stalled(f"{self._doing} made no progress for {stall.limit_s:.0f} s"))

    def _end(self, cause: BackupdError) -> None:
        self.cause = self.cause or cause
        self._cancel.told(self._doing)
        with suppress(Exception):  # the statement may end in this very moment
            self._interrupt()
        self._finished.wait(_CANCEL_AGAIN_S)
