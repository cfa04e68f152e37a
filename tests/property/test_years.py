"""Years of an installation that hypothesis makes up: what people, clocks and crashes do to it.

The laws are checked at each sweep and each wake-up. They know nothing of how retention,
schedule and guard compute what they say.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from selfmx_backupd.model import Backup, Entry, Pin, State, Tier
from selfmx_backupd.policy.inventory import BACKUP, MANIFEST
from selfmx_backupd.policy.retention import Retention, decide
from selfmx_backupd.policy.rules import Daily, Monthly, Rule, Weekly
from selfmx_backupd.policy.schedule import Schedule
from tests.build import FAMILY, OTHER_FAMILY, utc
from tests.property.directories import retentions
from tests.property.years import Site, Sweep

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
# Before each a change of the clocks is near; Apia lost a day at the end of 2011.
BEGINNINGS = ("2011-12-20 12:00", "2026-03-26 12:00", "2026-10-22 12:00", "2024-02-26 12:00")
SPANS = (timedelta(minutes=5), HOUR, DAY, 40 * DAY, 400 * DAY, 3650 * DAY)
JUMPS = [sign * span for span in SPANS for sign in (1, -1)]

hours = st.integers(1, 72).map(lambda n: n * HOUR)
days = st.integers(2, 20).map(lambda n: n * DAY)
times = st.builds(time, st.integers(0, 5), st.sampled_from((0, 30)))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    at = draw(times)
    every: dict[Tier, Rule] = {
        Tier.DAILY: Daily(at),
        Tier.WEEKLY: Weekly(6, at),
        Tier.MONTHLY: Monthly("last", at),
    }
    off = draw(st.sampled_from([None, None, None, *every]))
    tiers = {tier: rule for tier, rule in every.items() if tier is not off}
    return Schedule(ZoneInfo(draw(st.sampled_from(ZONES))), tiers, draw(times))


class Years(RuleBasedStateMachine):
    """What may happen to an installation."""

    site: Site

    @initialize(at=st.sampled_from(BEGINNINGS), schedule=schedules(), retention=retentions)
    def begin(self, at: str, schedule: Schedule, retention: Retention) -> None:
        self.site = Site(utc(at), schedule, retention)
        self.site.live(10 * DAY)

    @rule(span=hours | days)
    def time_passes(self, span: timedelta) -> None:
        self.site.live(span)

    @rule(times=st.integers(1, 30), span=hours)
    def backups_fail(self, times: int, span: timedelta) -> None:
        self.site.failing = times
        self.site.live(span)

    @rule(where=st.sampled_from(("writing", "proving", "published")), span=hours)
    def a_run_dies(self, where: str, span: timedelta) -> None:
        self.site.killed_while = where
        self.site.live(span)

    @rule(count=st.integers(1, 12))
    def somebody_backs_up(self, count: int) -> None:
        for _ in range(count):
            self.site.pass_by(timedelta(minutes=1))
            self.site.add([Tier.MANUAL])

    @rule(index=st.integers(0, 30), days=st.none() | st.integers(1, 60))
    def somebody_pins(self, index: int, days: int | None) -> None:
        until = None if days is None else self.site.now + days * DAY
        self.pin(index, Pin(until=until, reason="evidence"))

    @rule(index=st.integers(0, 30))
    def somebody_unpins(self, index: int) -> None:
        self.pin(index, None)

    def pin(self, index: int, pin: Pin | None) -> None:
        found = [each.backup for each in self.site.inventory().entries if each.backup]
        if found:
            self.site.write(replace(found[index % len(found)], pin=pin))

    @rule(
        index=st.integers(0, 30),
        what=st.sampled_from(("file", "manifest", "both", "half", "copy", "odd copy")),
    )
    def somebody_handles_files(self, index: int, what: str) -> None:
        files, manifests = self.site.files, self.site.manifests
        named = sorted(name for name in files if name.endswith(BACKUP))
        if not named:
            return
        file = named[index % len(named)]
        manifest = file.removesuffix(BACKUP) + MANIFEST
        self.site.served.clear()
        if what == "half":
            files[file] -= 1
        if what == "odd copy":
            files[f"copy_of_{file}"] = files[file]
        if what == "copy":
            # Named like one of ours, with a manifest that speaks of the other.
            files["selfmx_20200101_000000.bak"] = files[file]
            if manifest in manifests:
                manifests["selfmx_20200101_000000.json"] = manifests[manifest]
                files["selfmx_20200101_000000.json"] = 1
        if what in ("file", "both"):
            del files[file]
        if what in ("manifest", "both"):
            files.pop(manifest, None)
            manifests.pop(manifest, None)

    @rule(jump=st.sampled_from(JUMPS), span=hours)
    def the_clock_jumps(self, jump: timedelta, span: timedelta) -> None:
        # Of a clock that is wrong by more than a life nothing else is to be learnt.
        if abs(self.site.error + jump) < 12_000 * DAY:
            self.set_clock(self.site.error + jump, span)

    @precondition(lambda self: self.site.error)
    @rule(span=hours | days)
    def the_clock_is_put_right(self, span: timedelta) -> None:
        self.set_clock(timedelta(0), span)

    def set_clock(self, error: timedelta, span: timedelta) -> None:
        if abs(error - self.site.error) >= HOUR:
            self.site.calm_since = self.site.true_now
        self.site.error = error
        self.site.served.clear()
        self.site.live(span)

    @rule(off=hours | days | st.integers(100, 1000).map(lambda n: n * DAY), span=hours)
    def the_power_is_off(self, off: timedelta, span: timedelta) -> None:
        self.site.true_now += off
        self.site.elapsed_s = 20.0
        self.site.boot += 1
        if off > 2 * DAY:
            self.site.calm_since = self.site.true_now
        self.site.live(span)

    @rule(schedule=schedules(), retention=retentions, span=hours)
    def the_configuration_changes(
        self, schedule: Schedule, retention: Retention, span: timedelta
    ) -> None:
        self.site.schedule = schedule
        self.site.retention = retention
        self.site.served.clear()
        self.site.live(span)

    @rule(span=hours | days)
    def the_database_is_created_anew(self, span: timedelta) -> None:
        self.site.family = OTHER_FAMILY if self.site.family == FAMILY else FAMILY
        self.site.live(span)

    @invariant()
    def every_sweep_keeps_the_laws(self) -> None:
        if not hasattr(self, "site"):
            return
        for sweep in self.site.sweeps:
            ensure_lawful(sweep)
            if sweep.removed:
                assert sweep.true_at - self.site.calm_since >= DAY
        self.site.sweeps.clear()


def ensure_lawful(sweep: Sweep) -> None:
    counted = counting(sweep)
    removed = [each for each in counted if each.file in sweep.removed]
    assert len(removed) == len(sweep.removed), "only what counts goes"
    assert len(removed) <= max(2, len(counted) // 4)
    for each in removed:
        assert not holds(each.pin, sweep.at)
        assert not in_a_window(each, sweep)
        assert is_replaced(each, counted, sweep.retention)
    for family in (FAMILY, OTHER_FAMILY):
        ours = [each for each in counted if each.backup_set.family_guid == family]
        stay = ours[: sweep.retention.minimum]
        assert not {each.file for each in stay} & set(sweep.removed)
    ensure_decided_once_and_for_all(sweep)


def counting(sweep: Sweep) -> list[Backup]:
    """The verified backups that are not dated ahead, the newest first."""
    found = [each.backup for each in sweep.entries if each.state is State.VERIFIED and each.backup]
    found = [each for each in found if each.started_at <= sweep.at]
    return sorted(found, key=lambda each: (each.started_at, each.file), reverse=True)


def holds(pin: Pin | None, now: datetime) -> bool:
    return pin is not None and (pin.until is None or pin.until > now)


def in_a_window(each: Backup, sweep: Sweep) -> bool:
    """By bounds from below: days of 23 hours, months of 28 days; Apia once lost a whole day."""
    rules = sweep.retention
    least = {
        Tier.DAILY: rules.daily,
        Tier.WEEKLY: (rules.weekly or 0) * 7,
        Tier.MONTHLY: (rules.monthly or 0) * 28,
        Tier.MANUAL: rules.manual,
        Tier.PRE_RESTORE: rules.pre_restore,
    }
    slack = 25 * HOUR if sweep.zone.key == "Pacific/Apia" else HOUR
    windows = [least[tier] for tier in each.tiers]
    age = sweep.at - each.started_at
    return any(window is None or age < window * DAY - slack for window in windows)


def is_replaced(each: Backup, counted: Sequence[Backup], rules: Retention) -> bool:
    """Whether enough newer ones of its family carry each of its scheduled tiers."""
    wanted = {Tier.DAILY: rules.daily, Tier.WEEKLY: rules.weekly, Tier.MONTHLY: rules.monthly}
    family = each.backup_set.family_guid
    newer = counted[: counted.index(each)]
    newer = [other for other in newer if other.backup_set.family_guid == family]
    return all(
        sum(tier in other.tiers for other in newer) >= (wanted.get(tier) or 0)
        for tier in each.tiers
    )


def ensure_decided_once_and_for_all(sweep: Sweep) -> None:
    """Neither the order of files, nor pins, nor what has gone changes the answer for others."""
    free = may_go(sweep, sweep.entries)
    assert may_go(sweep, sweep.entries[::-1]) == free
    rest = [each for each in sweep.entries if each.file not in sweep.removed]
    assert may_go(sweep, rest) == free - set(sweep.removed)
    unpinned = [
        replace(each, backup=replace(each.backup, pin=None)) if each.backup else each
        for each in sweep.entries
    ]
    pinned = {
        each.file for each in sweep.entries if each.backup and holds(each.backup.pin, sweep.at)
    }
    assert may_go(sweep, unpinned) - pinned == free


def may_go(sweep: Sweep, entries: Sequence[Entry]) -> set[str]:
    decisions = decide(entries, sweep.retention, sweep.zone, sweep.at)
    return {each.file for each in decisions if each.goes}


Years.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Where it fails, hypothesis needs minutes to find the shortest life that does.
TestYears = pytest.mark.timeout(600)(Years.TestCase)
