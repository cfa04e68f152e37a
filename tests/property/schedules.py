"""Zones, moments in them and schedules that hypothesis makes up."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from selfmx_backupd.model import SCHEDULED_TIERS
from selfmx_backupd.policy.rules import Daily, Monthly, Rule, Weekly
from selfmx_backupd.policy.schedule import Schedule

ZONES = (
    "Europe/Vienna",
    "America/New_York",
    "Australia/Lord_Howe",  # shifts by half an hour
    "Africa/Casablanca",  # turns back for Ramadan
    "Pacific/Apia",  # had no 30 December 2011
    "America/Nuuk",  # shifts at midnight, from one day into the other
    "America/Havana",  # shifts at midnight, within the day
    "America/St_Johns",  # went from 00:01 back into the day before until 2011
    "UTC",
)
FIRST, LAST = datetime(2009, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@cache
def transitions(zone: ZoneInfo) -> tuple[datetime, ...]:
    """Noon in UTC after each change of the zone's offset; FIRST where there is none."""
    noons = [FIRST + timedelta(days=n, hours=12) for n in range((LAST - FIRST).days)]
    offsets = [(noon, noon.astimezone(zone).utcoffset()) for noon in noons]
    return tuple(b for (_, was), (b, is_) in pairwise(offsets) if was != is_) or (FIRST,)


zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
rules: st.SearchStrategy[Rule] = st.one_of(
    st.builds(Daily, times),
    st.builds(Weekly, st.integers(0, 6), times),
    st.builds(Monthly, st.integers(1, 28) | st.just("last"), times),
)


@st.composite
def moments(draw: st.DrawFn, zone: ZoneInfo) -> datetime:
    """An instant of any year, or one within two days of a change of the clocks."""
    anywhere = st.integers(0, int((LAST - FIRST).total_seconds())).map(
        lambda s: FIRST + timedelta(seconds=s)
    )
    near = st.builds(
        lambda at, s: at + timedelta(seconds=s),
        st.sampled_from(transitions(zone)),
        st.integers(-2 * 86400, 2 * 86400),
    )
    return draw(near | anywhere)


@st.composite
def places(draw: st.DrawFn) -> tuple[ZoneInfo, datetime]:
    zone = draw(zones)
    return zone, draw(moments(zone))


@st.composite
def schedules(draw: st.DrawFn, zone: ZoneInfo) -> Schedule:
    tiers = draw(st.sets(st.sampled_from(SCHEDULED_TIERS), min_size=1))
    return Schedule(zone, {tier: draw(rules) for tier in sorted(tiers)}, draw(st.none() | times))
