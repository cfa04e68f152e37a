"""Small files written so that a crash leaves the old content or the new, never half."""

import os
from pathlib import Path

FILE_MODE = 0o640


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
