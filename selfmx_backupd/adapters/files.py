"""Files written whole and read without following a link.

Whole: a crash leaves the old content or the new, never half of one.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selfmx_backupd.cancel import Cancel

FILE_MODE = 0o640
_CHUNK_BYTES = 1 << 20


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file's content: temporary name, fsync, rename, fsync of the directory."""
    temporary = path.with_name(path.name + ".tmp")
    # Always a new file: what a killed run of root left there could not be opened, and what
    # somebody else put there must not be.
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, FILE_MODE)
    try:
        os.fchmod(descriptor, FILE_MODE)
        adopt_owner(descriptor, path.parent)
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)


def adopt_owner(descriptor: int, directory: Path) -> None:
    """Give a file that root made to the owner and group of its directory.

    Otherwise a command typed by root would leave files that the daemon cannot rewrite.
    """
    if os.geteuid() != 0:
        return
    owner = directory.stat()
    os.fchown(descriptor, owner.st_uid, owner.st_gid)


def sync_directory(directory: Path) -> None:
    """Make renames and removals in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def opened(path: Path) -> Iterator[io.FileIO]:
    """A regular file, opened to be read: never through a link, and never a pipe's end.

    SQL Server's user may write to the directory, and root reads in it.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with io.FileIO(os.open(path, flags), "rb") as stream:
        yield stream


def sha256(path: Path, cancel: Cancel, tell: Callable[[int], object]) -> str:
    """SHA-256 of a file, as lower-case hex.

    Args:
        path: Where it is.
        cancel: The wish to stop; it is heard after each MiB.
        tell: Told after each MiB how many bytes have been read.
    """
    digest = hashlib.sha256()
    read_bytes = 0
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            cancel.check()
            digest.update(chunk)
            read_bytes += len(chunk)
            tell(read_bytes)
    return digest.hexdigest()
