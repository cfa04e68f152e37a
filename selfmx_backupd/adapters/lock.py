"""The lock that every job holds which writes, deletes, proves or restores.

A kernel lock (flock): it ends with its holder, so a stale one cannot exist.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from selfmx_backupd.adapters.files import adopt_owner
from selfmx_backupd.errors import Busy, DirectoryUnusable

_MODE = 0o660
# A look takes the lock for an instant, and must not turn away whoever wants to hold it.
_TRIES = 3
_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock; None for what it has not yet written, or could not write."""

    what: str | None = None
    pid: int | None = None
    since: datetime | None = None


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


def look(path: Path) -> Holder | None:
    """Who holds the lock; None where nobody does.

    A kernel lock can only be seen by asking for it. A shared one is asked for, so that two
    who look see the same, and given back at once.

    Raises:
        DirectoryUnusable: The file may not be opened, so this cannot be told.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, "look at", error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(descriptor)
    except OSError as error:
        raise _unusable(path, "look at", error) from error
    finally:
        os.close(descriptor)
    return None


def _take(path: Path) -> int:
    """Open and lock the file; again, where it was removed between the two."""
    while True:
        descriptor = _open(path)
        try:
            _lock(descriptor)
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            holder = _told(_holder(descriptor))
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


def _lock(descriptor: int) -> None:
    for _ in range(_TRIES - 1):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_LOOK_S)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(descriptor: int) -> Holder:
    try:
        written = json.loads(os.pread(descriptor, 4096, 0))
        since = datetime.fromisoformat(written["since"]).astimezone(UTC)
        return Holder(str(written["what"]), int(written["pid"]), since)
    except (ValueError, KeyError, TypeError, OverflowError):
        # It was taken this very moment: its holder has not yet written its name.
        return Holder()


def _told(holder: Holder) -> str:
    if holder.since is None:
        return "it began this moment"
    since = holder.since.isoformat(timespec="seconds")
    return f"{holder.what} by process {holder.pid} since {since}"


def _unusable(path: Path, what: str, error: OSError) -> DirectoryUnusable:
    return DirectoryUnusable(
        f"cannot {what} the lock {path}: {(error.strerror or str(error)).lower()}",
        hint=f"Type: ls -ld {path.parent}",
    )
