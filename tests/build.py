"""Builders for values of the domain: say what matters to a test, the rest is plausible."""

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd.model import (
    Backup,
    BackupSet,
    Check,
    Damaged,
    Durations,
    Entry,
    Going,
    Pin,
    Server,
    State,
    Tier,
    Trigger,
    Verified,
)

FAMILY = "11111111-1111-1111-1111-111111111111"
OTHER_FAMILY = "22222222-2222-2222-2222-222222222222"

VIENNA = ZoneInfo("Europe/Vienna")


def utc(text: str) -> datetime:
    """`2026-11-24 03:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def in_zone(text: str, zone: ZoneInfo = VIENNA) -> datetime:
    """The UTC instant at which clocks in `zone` show `text`, `2026-11-24 03:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def backup(
    started_at: datetime,
    tiers: Iterable[Tier] = (Tier.DAILY,),
    *,
    family: str = FAMILY,
    verified: bool = True,
    damaged: bool = False,
    going: Going | None = None,
    pin: Pin | None = None,
) -> Backup:
    """A backup whose name carries its start in UTC, to the second."""
    return Backup(
        file=f"selfmx_{started_at:%Y%m%d_%H%M%S}.bak",
        database="SelfMX",
        tiers=tuple(tiers),
        trigger=Trigger.SCHEDULE,
        started_at=started_at,
        finished_at=started_at,
        timezone="UTC",
        size_bytes=8192,
        sha256="0" * 64,
        verified=Verified(at=started_at, by=(Check.VERIFYONLY,)) if verified else None,
        damaged=Damaged(at=started_at, by="verify", reason="checksum") if damaged else None,
        going=going,
        pin=pin,
        server=Server("sql1", "16.0.4135.4", "Express Edition (64-bit)"),
        backup_set=backup_set(family),
        files=(),
        duration_s=Durations(),
        writer="selfmx-backupd 0.1.0",
    )


def backup_set(family: str = FAMILY) -> BackupSet:
    return BackupSet(
        guid="33333333-3333-3333-3333-333333333333",
        family_guid=family,
        first_lsn="37000000042400001",
        last_lsn="37000000044800001",
        checkpoint_lsn="37000000042400037",
        database_backup_lsn="0",
        recovery_model="SIMPLE",
        compressed=False,
        copy_only=True,
        size_bytes=8192,
    )


def entry(of: Backup, state: State = State.VERIFIED, reason: str = "") -> Entry:
    """The directory's view of a backup."""
    return Entry(of.file, state, reason, of, of.size_bytes)


TINY = ("-t", "tmpfs", "-o", "size=64k", "none")


@contextmanager
def mounted(place: Path, *what: str) -> Iterator[None]:
    """Something mounted on a file or directory; a test that may not mount is skipped."""
    words = ["mount", *what, str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607
