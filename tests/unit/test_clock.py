"""The clock guard: which ticks are steady, and what may be swept after them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from selfmx_backupd.policy.clock import Tick, guard, tick
from tests.build import utc

NOW = utc("2026-11-24 12:00")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Host:
    """A host whose wall clock can be set, unlike the time since its boot."""

    now: datetime = NOW
    boottime_s: float = 1000.0
    boot_id: str = "first"
    last: Tick | None = None

    def look(self) -> None:
        self.last = tick(self.last, self.now, self.boottime_s, self.boot_id)

    def watch(self, span: timedelta, every: timedelta = HOUR) -> None:
        """Take a tick now, and one whenever some time has passed, until the span is over."""
        self.look()
        end = self.now + span
        while self.now < end:
            self.pass_by(every)
            self.look()

    def pass_by(self, span: timedelta) -> None:
        self.now += span
        self.boottime_s += span.total_seconds()

    def reboot(self, off: timedelta) -> None:
        self.now += off
        self.boottime_s, self.boot_id = 20.0, self.boot_id + "'"

    def guard(self) -> str | None:
        return guard(self.last, self.now)


@pytest.fixture
def steady() -> Host:
    host = Host()
    host.watch(30 * HOUR)
    assert host.guard() is None
    return host


def test_nothing_is_swept_where_nothing_is_known() -> None:
    assert Host().guard() == "the daemon has not yet watched the clock for 24 hours"


def test_the_first_day_of_ticks_is_waited_for_and_not_a_moment_more() -> None:
    host = Host()
    host.watch(DAY - HOUR)
    host.pass_by(HOUR - SECOND)
    host.look()
    assert host.guard() == (
        "the clock has been steady only since 2026-11-24 12:00 UTC, "
        "trusted from 2026-11-25 12:00 UTC on"
    )
    host.pass_by(SECOND)
    host.look()
    assert host.guard() is None


@pytest.mark.parametrize("step", [10 * MINUTE + SECOND, 25 * HOUR, 3650 * DAY])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_is_set_is_not_trusted_for_a_day(
    steady: Host, step: timedelta, sign: int
) -> None:
    steady.now += sign * step
    steady.watch(DAY - HOUR)
    assert steady.guard()
    steady.watch(HOUR)
    assert steady.guard() is None


@pytest.mark.parametrize("step", [10 * MINUTE, -10 * MINUTE, SECOND, -SECOND])
def test_a_clock_that_is_put_right_by_minutes_is_trusted(steady: Host, step: timedelta) -> None:
    steady.now += step
    steady.look()
    assert steady.guard() is None


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_is_set_in_small_steps_is_not_trusted(steady: Host, sign: int) -> None:
    for _ in range(3):
        steady.now += sign * 5 * MINUTE
        steady.watch(HOUR)
    assert steady.guard()


def test_a_clock_that_is_set_and_set_right_again_is_not_trusted(steady: Host) -> None:
    steady.now += DAY
    steady.look()
    steady.now -= DAY
    steady.look()
    assert steady.guard()


@pytest.mark.parametrize(
    ("off", "trusted"),
    [(MINUTE, True), (2 * DAY, True), (2 * DAY + SECOND, False), (400 * DAY, False)],
)
def test_a_reboot_is_steady_within_two_days(steady: Host, off: timedelta, *, trusted: bool) -> None:
    steady.reboot(off)
    steady.look()
    assert (steady.guard() is None) is trusted
    steady.watch(DAY)
    assert steady.guard() is None


def test_a_reboot_into_the_past_is_not_steady(steady: Host) -> None:
    steady.reboot(-SECOND)
    steady.look()
    assert steady.guard()


def test_a_daemon_that_was_stopped_for_days_waits_for_a_day(steady: Host) -> None:
    steady.pass_by(3 * DAY)
    steady.look()
    assert steady.guard()


def test_the_offset_of_another_boot_means_nothing(steady: Host) -> None:
    steady.reboot(HOUR)
    steady.watch(HOUR)
    assert steady.guard() is None
    steady.now += HOUR
    steady.look()
    assert steady.guard()


def test_while_the_daemon_is_down_the_age_of_its_last_tick_decides(steady: Host) -> None:
    assert steady.last is not None
    assert guard(steady.last, steady.now + 2 * DAY) is None
    said = guard(steady.last, steady.now + 2 * DAY + SECOND)
    assert said == "the daemon has not watched the clock since 2026-11-25 18:00 UTC"


def test_a_last_tick_that_lies_ahead_says_that_the_clock_was_set_back(steady: Host) -> None:
    assert guard(steady.last, steady.now - 10 * MINUTE) is None
    assert guard(steady.last, steady.now - DAY) == (
        "the clock was set back: it showed 2026-11-25 18:00 UTC before it shows "
        "2026-11-24 18:00 UTC"
    )


def test_a_beginning_that_lies_ahead_is_none(steady: Host) -> None:
    assert steady.last is not None
    ahead = replace(steady.last, steady_since=steady.now + 400 * DAY)
    assert guard(ahead, steady.now)
