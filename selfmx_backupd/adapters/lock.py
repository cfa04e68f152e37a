"""The lock that every job holds which writes, deletes, proves or restores.

A kernel lock (flock): it ends with its holder, so a stale one cannot exist.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from selfmx_backupd.adapters.files import adopt_owner
from selfmx_backupd.errors import Busy, DirectoryUnusable

_MODE = 0o660


@contextmanager
def hold(path: Path, what: str, now: datetime) -> Iterator[None]:
    """Hold the lock, or say at once who does.

    Args:
        path: The lock's file; it is made where it is missing and never removed.
        what: What the holder does, for whoever finds the lock taken.
        now: Since when, UTC.

    Raises:
        Busy: Another job holds it.
        DirectoryUnusable: The file cannot be opened.
    """
    descriptor = _open(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"another job is running: {_holder(descriptor)}") from None
        except OSError as error:
            raise _unusable(path, "take", error) from error
        with suppress(OSError):
            # A courtesy: a full disk must not keep the sweep from making room.
            _write(
                descriptor,
                {"what": what, "pid": os.getpid(), "since": now.isoformat(timespec="seconds")},
            )
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, _MODE)
    except OSError as error:
        raise _unusable(path, "open", error) from error
    if os.fstat(descriptor).st_uid == os.geteuid():
        # The umask took the group's write permission; daemon and root share this file.
        os.fchmod(descriptor, _MODE)
        adopt_owner(descriptor, path.parent)
    return descriptor


def _write(descriptor: int, holder: dict[str, object]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return f"{holder['what']} by process {holder['pid']} since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        # It was taken this very moment: its holder has not yet written its name.
        return "it began this moment"


def _unusable(path: Path, what: str, error: OSError) -> DirectoryUnusable:
    return DirectoryUnusable(
        f"cannot {what} the lock {path}: {(error.strerror or str(error)).lower()}",
        hint=f"Type: ls -ld {path.parent}",
    )
