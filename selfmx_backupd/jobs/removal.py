"""What cannot be removed is reported and stays: it must not stop a backup."""

from collections.abc import Iterator
from contextlib import contextmanager

from selfmx_backupd import log
from selfmx_backupd.errors import DirectoryUnusable
from selfmx_backupd.events import REMOVAL_FAILED


@contextmanager
def removing(file: str) -> Iterator[None]:
    """Report a file that cannot be removed, and go on."""
    try:
        yield
    except DirectoryUnusable as error:
        log.emit(REMOVAL_FAILED, file=file, error=error.in_one_line)
