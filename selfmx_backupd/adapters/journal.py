"""The journal's own protocol: an entry with its fields, in one datagram.

These lines are our own and not the library logging-journald, which is pure Python and kept,
because it waits for a journal that does not read and cannot give a field several values.

Source: systemd.io/JOURNAL_NATIVE_PROTOCOL, systemd.exec(5) for JOURNAL_STREAM.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Iterable, Mapping
from typing import TextIO

SOCKET = "/run/systemd/journal/socket"

# What sd_journal_sendv(3) takes for "too large for a datagram"; Linux says either.
_TOO_LARGE = frozenset({errno.EMSGSIZE, errno.ENOBUFS})
# journald trusts no file that its sender could still change.
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
# journalctl shows a value with any other control character as "blob data".
_SHOWN = frozenset("\n\t")
_CONTROL = {code: "?" for code in (*range(32), *range(127, 160)) if chr(code) not in _SHOWN}


def is_behind(stream: TextIO) -> bool:
    """Whether a stream ends in the journal: $JOURNAL_STREAM holds its device and inode."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def send(fields: Mapping[str, object], path: str) -> bool:
    """Send one entry, without ever waiting; return whether the journal has taken it.

    Args:
        fields: By the journal's names (A to Z, 0 to 9, _). None is left out, and a sequence
            is one field for each of its values.
        path: The journal's socket.
    """
    entry = encode(fields)
    try:
        # A new socket each time: nothing is held across a fork or a restart of the journal.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.settimeout(0)
            door.connect(path)
            _send(door, entry)
    except OSError:
        return False
    return True


def encode(fields: Mapping[str, object]) -> bytes:
    """An entry as the journal reads it, in UTF-8 whatever a file's name or a driver holds."""
    return b"".join(
        _field(name, str(value)) for name, values in fields.items() for value in _each(values)
    )


def _send(door: socket.socket, entry: bytes) -> None:
    try:
        door.send(entry)
    except OSError as error:
        if error.errno not in _TOO_LARGE:
            raise
        with os.fdopen(os.memfd_create("journal-entry", os.MFD_ALLOW_SEALING), "wb") as file:
            file.write(entry)
            file.flush()
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
            socket.send_fds(door, [b""], [file.fileno()])


def _each(values: object) -> Iterable[object]:
    if values is None:
        return ()
    return values if isinstance(values, tuple | list | frozenset | set) else (values,)


def _field(name: str, value: str) -> bytes:
    # A byte that is no UTF-8 comes from the system as a lone surrogate (PEP 383).
    data = value.translate(_CONTROL).encode(errors="backslashreplace")
    if "\n" in value:
        return b"%b\n%b%b\n" % (name.encode(), len(data).to_bytes(8, "little"), data)
    return b"%b=%b\n" % (name.encode(), data)
