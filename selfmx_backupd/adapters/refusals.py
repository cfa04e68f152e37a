"""What the system refuses in the backup directory, said in errors that name it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfmx_backupd.errors import DirectoryUnusable, NotEnoughSpace


@contextmanager
def translated(what: str, directory: Path, prefix: str) -> Iterator[None]:
    """Translate OSErrors.

    Args:
        what: What was tried: "read", "rename a file in".
        directory: The backup directory.
        prefix: What our names in it begin with.

    Raises:
        NotEnoughSpace: Its file system is full.
        DirectoryUnusable: Anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NotEnoughSpace(
                f"no space is left in {directory}", hint=f"Type: df -h {directory}"
            ) from error
        reason = (error.strerror or str(error)).lower()
        name = f" ({Path(os.fsdecode(error.filename)).name})" if error.filename else ""
        raise DirectoryUnusable(
            f"cannot {what} {directory}: {reason}{name}", hint=_hint(error, directory, prefix)
        ) from error


def _hint(error: OSError, directory: Path, prefix: str) -> str:
    if error.errno == errno.ENOENT:
        return f"Make the directory, or set backup.directory. Type: ls -ld {directory}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            "SQL Server writes files of mode 0640, so the directory, its files and we must "
            f"share a group. Type: chgrp selfmx-backupd {directory} {directory}/{prefix}_*"
            f"; chmod 2770 {directory}; chmod g+r {directory}/{prefix}_*"
        )
    return f"Type: ls -la {directory}"
