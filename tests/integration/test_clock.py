"""The file of the clock's ticks, and this host's boot."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from selfmx_backupd.adapters.clock import FILE, Boot, Ticks, this_boot
from tests.build import TINY, mounted, utc

NOW = utc("2026-11-24 12:00")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Host:
    """A state directory, and a clock that is watched there."""

    directory: Path
    now: datetime = NOW
    elapsed_s: float = 1000.0

    def ticks(self) -> Ticks:
        """What a process of this host begins with."""
        return Ticks(self.directory, Boot("boot", lambda: self.elapsed_s))

    def pass_by(self, span: timedelta) -> None:
        self.now += span
        self.elapsed_s += span.total_seconds()

    def watch(self, ticks: Ticks, span: timedelta) -> None:
        ticks.beat(self.now)
        for _ in range(int(span / HOUR)):
            self.pass_by(HOUR)
            ticks.beat(self.now)

    def written(self) -> float:
        return (self.directory / FILE).stat().st_mtime_ns


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_what_one_process_has_watched_another_trusts(host: Host) -> None:
    assert host.ticks().guard(host.now)
    host.watch(host.ticks(), DAY)
    assert host.ticks().guard(host.now) is None
    host.pass_by(DAY)
    assert host.ticks().guard(host.now) is None
    host.pass_by(2 * DAY)
    assert host.ticks().guard(host.now)


def test_a_process_that_takes_no_ticks_sees_that_the_clock_was_set(host: Host) -> None:
    host.watch(host.ticks(), DAY)
    host.now += HOUR
    assert host.ticks().guard(host.now)


def test_only_a_tick_that_is_news_is_written(host: Host) -> None:
    ticks = host.ticks()
    host.watch(ticks, HOUR)
    before = host.written()
    host.pass_by(4 * MINUTE)
    ticks.beat(host.now)
    assert host.written() == before
    host.pass_by(MINUTE)
    ticks.beat(host.now)
    assert host.written() > before
    before = host.written()
    host.now += HOUR
    ticks.beat(host.now)
    assert host.written() > before


def test_a_directory_that_cannot_be_written_is_said_once_and_the_guard_goes_on(host: Host) -> None:
    with mounted(host.directory, *TINY):
        fill(host.directory / "ballast")
        ticks = host.ticks()
        error = ticks.beat(host.now)
        assert error is not None
        assert error.message == f"cannot write {host.directory / FILE}: no space left on device"
        host.watch(ticks, DAY)
        assert ticks.beat(host.now) is None
        assert ticks.guard(host.now) is None
        assert host.ticks().guard(host.now)
        (host.directory / "ballast").unlink()
        ticks.beat(host.now)
        assert host.ticks().guard(host.now) is None


def fill(ballast: Path) -> None:
    with suppress(OSError):
        ballast.write_bytes(b"x" * (1 << 20))


WRITTEN = {
    "schema": 1,
    "at": NOW.isoformat(),
    "boot_id": "boot",
    "offset_s": NOW.timestamp() - 1000,
    "steady_since": (NOW - 2 * DAY).isoformat(),
}


def test_a_file_that_was_written_by_hand_is_understood(host: Host) -> None:
    (host.directory / FILE).write_text(json.dumps(WRITTEN))
    assert host.ticks().guard(host.now) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 100_000,
        json.dumps({"at": WRITTEN["at"]}),
        json.dumps(WRITTEN | {"at": "yesterday"}),
        json.dumps(WRITTEN | {"at": None}),
        json.dumps(WRITTEN | {"offset_s": {}}),
        json.dumps(WRITTEN | {"offset_s": float("nan")}),
        json.dumps(WRITTEN | {"steady_since": "9999-12-31T23:59:59-23:00"}),
    ],
)
def test_a_file_that_makes_no_sense_is_no_watch_over_the_clock(host: Host, content: str) -> None:
    (host.directory / FILE).write_text(content)
    ticks = host.ticks()
    assert ticks.guard(host.now)
    host.watch(ticks, DAY)
    assert host.ticks().guard(host.now) is None


def test_the_time_since_boot_is_the_hosts() -> None:
    boot = this_boot()
    assert boot.boot_id == this_boot().boot_id
    assert boot.elapsed_s() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    assert boot.elapsed_s() == pytest.approx(uptime_s, abs=60)
