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
from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step

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


STAMP = "20261124_120000"


def plan(  # noqa: PLR0913  # each may matter to a test
    kind: Kind = Kind.BESIDE,
    step: Step = Step.COPYING,
    *,
    file: str | None = "selfmx_20261124_030000.bak",
    live_state: str | None = "ONLINE",
    safety: str | None = None,
    app_stopped: bool = False,
    ended_at: datetime | None = None,
    kept: Iterable[Kept] = (),
) -> RestorePlan:
    """The plan of a restore into SelfMX, with the names and files that it would have."""
    data = "/var/opt/mssql/data"
    live_files = (f"{data}/SelfMX.mdf", f"{data}/SelfMX_log.ldf")
    fresh = (f"{data}/SelfMX_{STAMP}.mdf", f"{data}/SelfMX_{STAMP}_log.ldf")
    names = {
        Kind.BESIDE: ("SelfMX", f"SelfMX_restore_{STAMP}", f"SelfMX_before_{STAMP}"),
        Kind.IN_PLACE: ("SelfMX", "SelfMX", f"SelfMX_before_{STAMP}"),
        Kind.COPY: ("SelfMX", "SelfMX_copy", f"SelfMX_copy_before_{STAMP}"),
        Kind.UNDO: ("SelfMX", "SelfMX_before_20261123_120000", f"SelfMX_undone_{STAMP}"),
    }
    database, incoming, aside = names[kind]
    return RestorePlan(
        kind=kind,
        file=None if kind is Kind.UNDO else file,
        database=database,
        incoming=incoming,
        aside=aside,
        step=step,
        started_at=utc("2026-11-24 12:00"),
        ended_at=ended_at,
        live_state=live_state,
        live_files=live_files if live_state is not None else (),
        incoming_files=live_files if kind is Kind.IN_PLACE else fresh,
        app_stopped=app_stopped,
        safety=safety,
        kept=tuple(kept),
    )


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
