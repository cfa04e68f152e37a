"""Where a BACKUP writes: a new media set, an overwritten one, or the end of an old one."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tests.standin import media
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Refused, message
from tests.standin.session import Session
from tests.standin.statements.device import open_for_writing, read_media, writable_path


@dataclass(frozen=True, slots=True)
class Target:
    """An open device, placed where the new set begins.

    Attributes:
        position: The new set's number in the file, from 1.
    """

    device: str
    file: BinaryIO
    header: media.MediaHeader
    position: int
    compressed: bool

    @property
    def is_new_media(self) -> bool:
        """Whether the media header has still to be written."""
        return self.position == 1


@contextlib.contextmanager
def opened(
    session: Session, device: str, *, fresh: bool, overwrite: bool, compression: bool | None
) -> Iterator[Target]:
    """Open the device for one BACKUP.

    `fresh` is FORMAT, `overwrite` is INIT; without either the set is appended. A file that
    this BACKUP created goes when the BACKUP fails; one that was there stays (report).
    """
    host = writable_path(session, device)
    existed = host.exists()
    file = open_for_writing(device, host, truncate=fresh)
    try:
        yield _placed(file, device, overwrite=overwrite, compression=compression)
    except BaseException:
        if not existed:
            _remove(host)
        raise
    finally:
        # A full disk makes the last flush fail again; that was already reported.
        with contextlib.suppress(OSError):
            file.close()


def _remove(host: Path) -> None:
    with contextlib.suppress(OSError):
        host.unlink()


def _placed(file: BinaryIO, device: str, *, overwrite: bool, compression: bool | None) -> Target:
    if file.seek(0, 2) == 0:
        header = media.MediaHeader(str(uuid.uuid4()), str(uuid.uuid4()))
        return Target(device, file, header, position=1, compressed=compression or False)
    # INIT and NOINIT both read the media header; what is no backup needs FORMAT (docs).
    found = read_media(file, device)
    if overwrite:
        file.seek(0)
        file.truncate(0)
        return Target(device, file, found.header, position=1, compressed=compression or False)
    if found.sets and found.sets[-1].end is None:
        raise Refused(message(3266, device))
    file.seek(0, 2)
    compressed = found.sets[0].header.compressed if found.sets else False
    if compression is not None and compression != compressed:
        raise Refused(message(STAND_IN, "sets of one media that differ in compression"))
    # Without the option a set on compressed media is compressed too (capture).
    return Target(device, file, found.header, len(found.sets) + 1, compressed)
