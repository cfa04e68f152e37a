"""Signals as values that the main thread waits for.

A handler that set a threading.Event could deadlock with the very wait that it
interrupts. So handlers only take a note, and Python's wake-up descriptor ends the wait
(signal.set_wakeup_fd). Other threads end it with `ring`.
"""

import os
import select
import signal
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Self


class Bell:
    """Something that the main thread waits for: a signal, a ring, or a time-out."""

    def __init__(self, signals: Iterable[signal.Signals]) -> None:
        self._signals = tuple(signals)
        self._arrived: deque[int] = deque()
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before: dict[int, object] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in self._signals:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave us
        signal.set_wakeup_fd(self._wakeup_before)
        # The descriptors stay open: a thread that rings late must not write into a file
        # that got the same number since.

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._arrived.append(number)

    def ring(self) -> None:
        """End the wait, from any thread."""
        with suppress(BlockingIOError):  # full: it will ring anyway
            os.write(self._write, b"\0")

    def wait(self, timeout_s: float | None) -> tuple[int, ...]:
        """Sleep until a signal, a ring or the time-out; return the signals that came."""
        select.select([self._read], [], [], timeout_s)
        with suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass
        arrived = tuple(self._arrived)
        for _ in arrived:
            self._arrived.popleft()
        return arrived
