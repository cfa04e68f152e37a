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
    descriptor = _take(path)
    since = now.isoformat(timespec="seconds")
    try:
        # A courtesy to others: a full disk must not keep the sweep from making room, nor turn
        # what has been done into an error.
        with suppress(OSError):
            _write(descriptor, {"what": what, "pid": os.getpid(), "since": since})
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def pid_in(path: Path) -> int | None:
    """Which process wrote that it holds the lock; it may have died since.

    Looking takes no lock: that could turn away somebody who wants it at this moment.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        return int(json.loads(path.read_bytes())["pid"])
    return None


def _take(path: Path) -> int:
    """Open and lock the file; again, where it was removed between the two."""
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise Busy(f"another job is running: {holder}") from None
        except OSError as error:
            os.close(descriptor)
            raise _unusable(path, "take", error) from error
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the path still leads to what was opened."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


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
