"""SHA-256 of a backup while SQL Server reads it too: together they take as long as the slower."""

import signal
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from selfmx_backupd.adapters.backup_dir import BackupDir
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.model import Progress

_TELL_EVERY_S = 0.5


class Hashing:
    """SHA-256 in a thread of its own; hashlib and reads let other threads run.

    Args:
        directory: Where the file is.
        name: Its name.
        size_bytes: Its size.
        cancel: The wish to stop.
    """

    def __init__(self, directory: BackupDir, name: str, size_bytes: int, cancel: Cancel) -> None:
        self._directory = directory
        self._name = name
        self._size_bytes = size_bytes
        self._read_bytes = 0
        self._cancel = Cancel(parent=cancel)
        self._sha256: str | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="sha256", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._cancel.request(signal.SIGTERM)
        self._thread.join()

    def result(self, progress: Callable[[Progress], None]) -> str:
        """Wait for the sum; raise what hindered it.

        Args:
            progress: Told how far it is, where it is the slower of the two.
        """
        self._thread.join(_TELL_EVERY_S)
        while self._thread.is_alive():
            progress(Progress.of("computing SHA-256", self._read_bytes, self._size_bytes))
            self._thread.join(_TELL_EVERY_S)
        if self._error is not None:
            raise self._error
        assert self._sha256 is not None  # noqa: S101  # the thread ended without an error
        return self._sha256

    def _work(self) -> None:
        try:
            self._sha256 = self._directory.sha256(self._name, self._cancel, self._note)
        except Exception as error:  # noqa: BLE001  # it is raised in the thread that asks
            self._error = error

    def _note(self, read_bytes: int) -> None:
        self._read_bytes = read_bytes
