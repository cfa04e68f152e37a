"""Progress for a person: a bar on a terminal, plain lines elsewhere."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from selfmx_backupd import text
from selfmx_backupd.model import Progress

_LINE_EVERY_PERCENT = 25


@contextmanager
def progress_for(stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    """What to tell each progress to, while a job runs."""
    if stream.isatty() and _columns(stream):
        with _bar(stream) as tell:
            yield tell
    else:
        yield _Lines(stream)


def _columns(stream: TextIO) -> int:
    """How wide the terminal says that it is: 0 on a serial console, where no bar would appear."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 0


class _Lines:
    """A line for each step, and for each quarter of a long one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: tuple[str, int] | None = None

    def __call__(self, progress: Progress) -> None:
        now = (progress.step, (progress.percent or 0) // _LINE_EVERY_PERCENT)
        if now != self._last:
            self._last = now
            with suppress(OSError):  # nobody reads any more; the backup goes on
                print(text.progress(progress), file=self._stream, flush=True)


@contextmanager
def _bar(stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    from tqdm import tqdm  # noqa: PLC0415  # only a terminal should pay for it

    with tqdm(total=100, file=stream, bar_format="{desc:<12} {bar} {n:3.0f} %", leave=False) as bar:

        def tell(progress: Progress) -> None:
            bar.set_description_str(progress.step, refresh=False)
            bar.n = progress.percent or 0
            with suppress(OSError):  # the terminal is gone; the backup goes on
                bar.refresh()

        yield tell
