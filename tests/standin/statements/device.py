"""Backup devices: opening files the way a server does, with the server's errors."""

from pathlib import Path
from typing import BinaryIO

from tests.standin import media
from tests.standin.messages import Message, Refused, message
from tests.standin.options import Right
from tests.standin.paths import ACCESS_DENIED, MISSING_FILE, code_of, described
from tests.standin.session import Session
from tests.standin.statements.abnormal import outside_of_transactions

# State of 3201: 1 where BACKUP writes, 2 where RESTORE reads (capture).
_WRITING, _READING = 1, 2


def cannot_open(device: str, code: int, *, state: int) -> Refused:
    """3201 with a Win32 code."""
    return Refused(message(3201, device, described(code), state=state))


def failed_write(device: str, error: OSError) -> Refused:
    """3202 with the Win32 code of a host's error; no full stop behind it (docs)."""
    return Refused(message(3202, device, described(code_of(error))))


def failed_read(device: str, code: int) -> Message:
    """3203 with a Win32 code."""
    return message(3203, device, described(code))


def may_read(session: Session) -> None:
    """Reading a backup wants CREATE DATABASE in master (docs) and no transaction (docs)."""
    outside_of_transactions(session)
    session.require(Right.CREATE_DATABASE, "CREATE DATABASE", "master")


def writable_path(session: Session, device: str) -> Path:
    """Where BACKUP writes; outside of every mount it is denied (capture: `/nodir/x.bak`)."""
    host = session.instance.host_path(device)
    if host is None or session.instance.faults.happens("denied"):
        raise cannot_open(device, ACCESS_DENIED, state=_WRITING)
    return host


def open_for_writing(device: str, host: Path, *, truncate: bool) -> BinaryIO:
    """The device, created where it is missing with mode 0640 (report).

    An existing file keeps its owner and mode [inferred].
    """
    existed = host.exists()
    try:
        file = host.open("r+b" if existed else "x+b")
        if not existed:
            host.chmod(0o640)
        if truncate:
            file.truncate(0)
    except OSError as error:
        raise cannot_open(device, code_of(error), state=_WRITING) from error
    return file


def open_for_reading(session: Session, device: str) -> BinaryIO:
    """The device; a missing file is OS error 2 (capture), an unreadable one 5 (report)."""
    host = session.instance.host_path(device)
    if session.instance.faults.happens("unreadable"):
        raise cannot_open(device, ACCESS_DENIED, state=_READING)
    if host is None:
        raise cannot_open(device, MISSING_FILE, state=_READING)
    try:
        return host.open("rb")
    except OSError as error:
        raise cannot_open(device, code_of(error), state=_READING) from error


def read_media(file: BinaryIO, device: str) -> media.Media:
    """What the file holds: 3254 where it is empty, 3241 where it is no backup (docs)."""
    if file.seek(0, 2) == 0:
        raise Refused(message(3254, device))
    try:
        return media.read(file)
    except media.Malformed as error:
        raise Refused(message(3241, device)) from error


def read_set(found: media.Media, device: str, position: int) -> media.BackupSet:
    """The set that FILE = n names; 3287 beyond the last one (capture)."""
    if not 1 <= position <= len(found.sets):
        raise Refused(message(3287, position, device))
    return found.sets[position - 1]
