"""The clocks of this host, and the file that remembers how they went.

The ticks have a file of their own: `state.json` is written by the backup lock's holder,
and a daemon that took that lock at each wake-up would make commands fail with "busy".
This one is written only by the holder of `daemon.lock`.
"""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from selfmx_backupd.adapters.files import write_whole
from selfmx_backupd.errors import DirectoryUnusable
from selfmx_backupd.policy import clock
from selfmx_backupd.policy.clock import Tick

FILE = "tick.json"
_SCHEMA = 1
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# A tick's age matters after two days: a file that is written at each wake-up would only
# wear the disk.
_WRITE_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Boot:
    """The time since boot, which nobody can set.

    Attributes:
        boot_id: Which boot.
        elapsed_s: Asks how many seconds ago it was, those of a suspended machine included.
    """

    boot_id: str
    elapsed_s: Callable[[], float]


def this_boot() -> Boot:
    """The boot of this host."""
    return Boot(_boot_id(), lambda: time.clock_gettime(time.CLOCK_BOOTTIME))


class Ticks:
    """What the clock showed at wake-ups, remembered from one process to the next."""

    def __init__(self, directory: Path, boot: Boot) -> None:
        self._path = directory / FILE
        self._boot = boot
        self._last: Tick | None = None
        self._written: Tick | None = None
        self._is_in_trouble = False

    def beat(self, now: datetime) -> DirectoryUnusable | None:
        """Take the tick of this moment; only the holder of `daemon.lock` may.

        What cannot be written is remembered in this process alone.

        Returns:
            What hindered the writing, the first time; None afterwards, and where it was written.
        """
        self._last = self._tick(now)
        if not self._is_news(self._last):
            return None
        try:
            write_whole(self._path, _encode(self._last))
        except OSError as error:
            was_in_trouble, self._is_in_trouble = self._is_in_trouble, True
            return None if was_in_trouble else self._unwritable(error)
        self._written, self._is_in_trouble = self._last, False
        return None

    def guard(self, now: datetime) -> str | None:
        """Why nothing may be swept at this moment; None where the clock can be trusted."""
        return clock.guard(self._known(), now) or clock.guard(self._tick(now), now)

    def _tick(self, now: datetime) -> Tick:
        return clock.tick(self._known(), now, self._boot.elapsed_s(), self._boot.boot_id)

    def _known(self) -> Tick | None:
        return self._last or _read(self._path)

    def _is_news(self, tick: Tick) -> bool:
        before = self._written
        return (
            before is None
            or (before.boot_id, before.steady_since) != (tick.boot_id, tick.steady_since)
            or abs(tick.at - before.at) >= _WRITE_EVERY
        )

    def _unwritable(self, error: OSError) -> DirectoryUnusable:
        reason = (error.strerror or str(error)).lower()
        return DirectoryUnusable(
            f"cannot write {self._path}: {reason}",
            hint=f"Run it as root or as the daemon's user. Type: ls -ld {self._path.parent}",
        )


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        # Hidden from us: then only this process can be sure that it has not been rebooted.
        return uuid.uuid4().hex


def _read(path: Path) -> Tick | None:
    """The tick that was written last; None where none can be read, which is never steady."""
    try:
        document = json.loads(path.read_bytes())
        return Tick(
            at=_utc(document["at"]),
            boot_id=str(document["boot_id"]),
            offset_s=float(document["offset_s"]),
            steady_since=_utc(document["steady_since"]),
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ):
        return None


def _encode(tick: Tick) -> bytes:
    document = {
        "schema": _SCHEMA,
        "at": tick.at.isoformat(),
        "boot_id": tick.boot_id,
        "offset_s": tick.offset_s,
        "steady_since": tick.steady_since.isoformat(),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _utc(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
