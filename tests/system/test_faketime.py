"""The daemon as a process whose wall clock is set while it runs (libfaketime).

Only the daemon's wall clock is another: its monotonic clocks, the time since boot among
them, and the stand-in have the true time.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfmx_backupd.adapters.clock import Boot, Ticks, this_boot
from tests.build import in_zone, utc
from tests.installation import DaemonProcess, Installation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIBRARY = "*/faketime/libfaketimeMT.so.1"


def library() -> Path:
    found = next(Path("/usr/lib").glob(LIBRARY), None)
    if found is None:
        missing = "libfaketime is not installed: apt-get install faketime"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


class FakeClock:
    """The file that libfaketime reads at each look at the clock."""

    def __init__(self, root: Path) -> None:
        self._path = root / "faketime"
        self.env = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Two wake-ups a second.
            "WATCHDOG_USEC": "1000000",
        }

    def set(self, moment: datetime) -> None:
        """Let the clock show this moment now, and go on from there."""
        offset_s = (moment - datetime.now(UTC)).total_seconds()  # noqa: TID251  # the true time
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"{offset_s:+.3f}\n")
        fresh.replace(self._path)


class Scene:
    """A running daemon, and its clock."""

    def __init__(self, site: Installation, clock: FakeClock, daemon: DaemonProcess) -> None:
        self.site = site
        self.clock = clock
        self.daemon = daemon

    def at(self, moment: datetime, wanted: Callable[[str], bool]) -> None:
        """Set the clock, and wait for a status."""
        self.clock.set(moment)
        self.daemon.wait_for(wanted, 60)

    def published(self) -> int:
        return sum(name.endswith(".bak") for name in self.site.files())

    def started(self) -> list[str]:
        """When the backups were begun, to the minute in UTC, the oldest first."""
        return sorted(each["started_at"][:16] for each in self.site.listed())


def idle(count: int, newest: str = " s old") -> Callable[[str], bool]:
    """A status without a problem: so many verified backups, the newest so old."""
    backups = f"{count} verified backup{'' if count == 1 else 's'} "
    return lambda said: said.startswith("STATUS=newest") and newest in said and backups in said


@contextmanager
def scene(
    root: Path, moment: datetime, *, is_trusted: bool = False, **retention: int
) -> Iterator[Scene]:
    """A daemon whose clock shows a moment, trusted by its guard or not."""
    with Installation(root) as site:
        site.settings["schedule"] |= {"daily": "02:30", "weekly": "off", "monthly": "off"}
        site.settings["schedule"] |= {"sweep": "02:45"}
        site.settings["retention"] = retention
        site.write_config()
        clock = FakeClock(root)
        clock.set(moment)
        if is_trusted:
            trust(site, moment)
        with DaemonProcess(site, env=clock.env) as daemon:
            yield Scene(site, clock, daemon)


def trust(site: Installation, moment: datetime) -> None:
    """Write what a daemon would have that has watched a clock which shows this moment now."""
    since = moment - 2 * DAY
    boot = this_boot()
    before = Boot(boot.boot_id, lambda: boot.elapsed_s() - 2 * DAY.total_seconds())
    Ticks(site.state, before).beat(since)
    Ticks(site.state, boot).beat(moment)


def test_the_hour_that_exists_twice_has_one_backup(tmp_path: Path) -> None:
    with scene(tmp_path, utc("2026-10-25 00:29")) as here:
        here.daemon.wait_for(idle(1), 60)  # yesterday's, caught up
        here.at(in_zone("2026-10-25 02:30"), idle(2))
        here.at(in_zone("2026-10-25 02:30") + HOUR, idle(2, "60 min old"))
        here.at(in_zone("2026-10-26 02:29"), idle(2, "24 h old"))
        here.at(in_zone("2026-10-26 02:30"), idle(3))
        here.daemon.stop()
        assert here.started() == ["2026-10-25T00:29", "2026-10-25T00:30", "2026-10-26T01:30"]


def test_the_hour_that_does_not_exist_has_one_backup_when_it_would_have_ended(
    tmp_path: Path,
) -> None:
    with scene(tmp_path, in_zone("2026-03-29 01:00")) as here:
        here.daemon.wait_for(idle(1), 60)
        here.at(in_zone("2026-03-29 01:59"), idle(1, "59 min old"))
        here.at(in_zone("2026-03-29 03:00"), idle(2))
        here.at(in_zone("2026-03-29 03:30"), idle(2, "30 min old"))
        here.daemon.stop()
        assert here.started() == ["2026-03-29T00:00", "2026-03-29T01:00"]


def test_a_clock_that_is_set_back_stops_no_backup_and_lets_none_go(tmp_path: Path) -> None:
    ahead = "is unknown: it is dated ahead of the clock"
    first, second = in_zone("2026-07-08 02:40"), in_zone("2026-07-10 02:40")
    with scene(tmp_path, first, daily=1, minimum=1) as here:
        here.daemon.wait_for(idle(1), 60)
        here.daemon.stop()
    with scene(tmp_path, second, is_trusted=True, daily=1, minimum=1) as here:
        # Its guard trusts the clock: what has left its tier goes, once there is a newer one.
        here.daemon.wait_for(idle(1), 60)
        here.at(second - DAY, lambda said: has(ahead)(said) and here.published() == 2)
        # The one from what is now tomorrow counts again when that day has come.
        here.at(second + timedelta(minutes=10), has("1 backup that may go is kept"))
        here.daemon.wait_for(lambda _: swept_at(here.site) > second, 60)
        here.at(in_zone("2026-07-11 02:30"), lambda _: here.published() == 3)
        log = here.daemon.stop()
        assert here.started() == ["2026-07-09T00:40", "2026-07-10T00:40", "2026-07-11T00:30"]
    assert log.count("removed selfmx_") == 1
    assert (
        "warning: 1 backup may go but wait for the next sweep: the clock has been steady only"
        in log
    )


def has(text: str) -> Callable[[str], bool]:
    return lambda said: text in said


def swept_at(site: Installation) -> datetime:
    return datetime.fromisoformat(site.outcomes()["jobs"]["sweep"]["last_success_at"])
