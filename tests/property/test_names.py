"""Names of files that hypothesis makes up: ours are recognised, and no others."""

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from selfmx_backupd.policy.inventory import BACKUP, MANIFEST, PART, Listing, is_stem, take
from tests.build import utc

prefixes = st.from_regex(r"[a-z0-9-]{1,60}", fullmatch=True)
starts = st.datetimes(min_value=datetime(1000, 1, 1)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001  # a name carries wall time
endings = st.sampled_from((BACKUP, PART, MANIFEST))

laws = settings(max_examples=100, deadline=None)


@laws
@given(prefixes, starts)
def test_every_name_that_we_give_is_ours(prefix: str, start: datetime) -> None:
    assert is_stem(f"{prefix}_{start:%Y%m%d_%H%M%S}", prefix)


@laws
@given(prefixes, prefixes, starts, endings)
def test_a_name_of_another_prefix_is_never_ours(
    ours: str, theirs: str, start: datetime, ending: str
) -> None:
    name = f"{theirs}_{start:%Y%m%d_%H%M%S}{ending}"
    holds = take(Listing({name: 1}, (), {}), ours, utc("2026-11-24 03:00"))
    assert (holds.strangers == (name,)) == (ours != theirs)


@laws
@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), unique=True))
def test_any_other_name_is_a_stranger_and_none_is_forgotten(names: list[str]) -> None:
    holds = take(Listing(dict.fromkeys(names, 1), (), {}), "selfmx", utc("2026-11-24 03:00"))
    assert set(holds.strangers) == set(names) - {"selfmx.lock", "selfmx.probe"}
    assert not holds.entries
    assert not holds.unfinished


@laws
@given(st.integers(0, 99999999), st.integers(0, 999999))
def test_digits_are_ours_where_they_are_a_date_and_a_time(day: int, time: int) -> None:
    text = f"{day:08}_{time:06}"
    try:
        datetime.strptime(text, "%Y%m%d_%H%M%S")  # noqa: DTZ007  # the same
        real = True
    except ValueError:
        real = False
    assert is_stem(f"selfmx_{text}", "selfmx") == real
