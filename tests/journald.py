"""A datagram socket in journald's place, which reads entries as journald does."""

import fcntl
import os
import re
import socket
import sys
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

# One of our commands, to whom this journal is the journal.
_COMMAND = """
import sys
from selfmx_backupd.adapters import journal
journal.SOCKET = sys.argv[1]
from selfmx_backupd.cli import door
sys.exit(door.enter(sys.argv[2], sys.argv[3:]))
"""

Entry = dict[str, list[str]]

# A field's name as journald takes it; others it drops in silence (journal-file.c).
_NAME = re.compile(rb"[A-Z0-9][A-Z0-9_]{0,63}")
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class Journald:
    """Binds `path`. `read` takes what has come so far; nothing is answered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.socket.close()

    def read(self) -> list[Entry]:
        """Every entry that has come since the last look."""
        return [decode(each) for each in self.datagrams()]

    def command(self, program: str, *words: str) -> list[str]:
        """One of our commands, `selfmx-backup` and so on, which speaks to this journal."""
        return [sys.executable, "-c", _COMMAND, str(self.path), program, *words]

    def datagrams(self) -> list[bytes]:
        """The same as they were sent, whichever way."""
        taken: list[bytes] = []
        while True:
            try:
                data, files, _, _ = socket.recv_fds(self.socket, 1 << 20, 1)
            except BlockingIOError:
                return taken
            taken.append(_content(data, files))


def stream_of(number: int) -> str:
    """JOURNAL_STREAM for a standard error with this descriptor."""
    status = os.fstat(number)
    return f"{status.st_dev}:{status.st_ino}"


def _content(data: bytes, files: list[int]) -> bytes:
    """A datagram's bytes, or those of the sealed file that it carries instead."""
    if not files:
        return data
    assert data == b""
    (number,) = files
    with os.fdopen(number, "rb") as file:
        assert fcntl.fcntl(number, fcntl.F_GET_SEALS) == _SEALS
        file.seek(0)
        return file.read()


def decode(datagram: bytes) -> Entry:
    """The fields of one entry, each with all its values."""
    fields: Entry = defaultdict(list)
    rest = datagram
    while rest:
        line, _, rest = rest.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, end, rest = rest[8 : 8 + size], rest[8 + size : 9 + size], rest[9 + size :]
            assert end == b"\n"
        assert _NAME.fullmatch(name), name
        fields[name.decode()].append(value.decode())
    return dict(fields)
