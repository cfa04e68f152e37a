"""Directories and rules of retention that hypothesis makes up, all seen at the time NOW."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from selfmx_backupd.model import Entry, Going, Pin, State, Tier
from selfmx_backupd.policy.retention import Retention
from tests.build import FAMILY, OTHER_FAMILY, backup, entry

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
DAY = timedelta(days=1)

# Small windows, so that short directories reach their counts.
retentions = st.builds(
    Retention,
    daily=st.integers(1, 4) | st.none(),
    weekly=st.integers(1, 3),
    monthly=st.integers(1, 2),
    manual=st.integers(1, 40) | st.none(),
    pre_restore=st.integers(1, 40),
    minimum=st.integers(1, 4),
)
pins = st.one_of(
    st.none(),
    st.none(),
    st.builds(
        Pin, until=st.none() | st.integers(-9, 9).map(lambda n: NOW + n * DAY), reason=st.just("")
    ),
)
tiers = st.sets(st.sampled_from(Tier), min_size=1, max_size=2).map(tuple) | st.just((Tier.DAILY,))
states = st.sampled_from([State.VERIFIED] * 7 + [State.DAMAGED, State.UNKNOWN, State.MISSING])
going = st.sampled_from([None] * 9 + [Going(at=NOW, reason="left daily")])
families = st.sampled_from([FAMILY, FAMILY, FAMILY, OTHER_FAMILY])
# Hours before now: dense within the windows, sparse beyond, and a few ahead of the clock.
ages_h = st.integers(-3, 24 * 12) | st.integers(0, 24 * 100)


@st.composite
def entries(draw: st.DrawFn, min_size: int = 0) -> list[Entry]:
    """A directory in a random order; every start, and so every name, is there once."""
    # Drawn first, because lists alone are mostly too short to reach a count or the brake.
    size = draw(st.integers(min_size, 20))
    ages = draw(st.lists(ages_h, unique=True, min_size=size, max_size=20))
    return [
        entry(
            backup(
                NOW - timedelta(hours=age_h),
                draw(tiers),
                family=draw(families),
                pin=draw(pins),
                going=draw(going),
            ),
            draw(states),
            "found so",
        )
        for age_h in ages
    ]
