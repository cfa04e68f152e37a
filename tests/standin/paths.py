"""Paths as the server sees them, and what goes wrong with them in Windows' numbers.

SQL Server on Linux prints Win32 codes and texts for Linux errors (capture: 2 and 5).
"""

import errno
import posixpath
from collections.abc import Sequence
from pathlib import Path

from tests.standin.options import Mount

DATA_DIRECTORY = "/var/opt/mssql/data"

_TEXTS = {
    2: "The system cannot find the file specified.",  # capture
    5: "Access is denied.",  # capture
    31: "A device attached to the system is not functioning.",  # report
    38: "Reached the end of the file.",  # docs: system error codes
    112: "There is not enough space on the disk.",  # docs; not verified for Linux
    1117: "The request could not be performed because of an I/O device error.",  # docs
}
# Whatever is not listed comes out as 5 [inferred].
_FROM_ERRNO = {errno.ENOENT: 2, errno.ENOSPC: 112, errno.EDQUOT: 112, errno.EIO: 1117}

MISSING_FILE = 2
ACCESS_DENIED = 5
VOLUME_FULL_IN_RESTORE = 31
END_OF_FILE = 38
DISK_FULL = 112


def described(code: int) -> str:
    """A Win32 code as messages show it: `5(Access is denied.)`."""
    return f"{code}({_TEXTS[code]})"


def code_of(error: OSError) -> int:
    """The Win32 code for a host's error."""
    return _FROM_ERRNO.get(error.errno or 0, ACCESS_DENIED)


def absolute(server_path: str) -> str:
    """A relative path lands in the default directory (report)."""
    return posixpath.normpath(posixpath.join(DATA_DIRECTORY, server_path))


def directory_exists(server_path: str, mounts: Sequence[Mount]) -> bool:
    """Whether a database file may be there: the default directory, or one inside a mount.

    A path of Windows is none (docs: 5133).
    """
    if "\\" in server_path or ":" in server_path:
        return False
    directory = posixpath.dirname(absolute(server_path))
    host = on_host(directory, mounts)
    return directory == DATA_DIRECTORY if host is None else host.is_dir()


def on_host(server_path: str, mounts: Sequence[Mount]) -> Path | None:
    """The host's path, or None where no mount holds it.

    The longest mount wins.
    """
    wanted = absolute(server_path)
    for mount in sorted(mounts, key=lambda one: len(one.server_path), reverse=True):
        if wanted == mount.server_path:
            return mount.host_path
        inside = mount.server_path.rstrip("/") + "/"
        if wanted.startswith(inside):
            return mount.host_path / wanted.removeprefix(inside)
    return None
