from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd.policy.pins import until
from tests.build import VIENNA, in_zone, utc

NOW = utc("2026-11-24 12:00")
HAVANA = ZoneInfo("America/Havana")


def test_a_date_is_outlasted_to_the_end_of_its_local_day() -> None:
    assert until("2027-03-01", VIENNA, NOW) == in_zone("2027-03-01 23:59:59")
    assert until("2027-07-01", VIENNA, NOW) == utc("2027-07-01 21:59:59")


def test_today_is_still_to_come_until_it_is_over() -> None:
    assert until("2026-11-24", VIENNA, NOW) == in_zone("2026-11-24 23:59:59")
    with pytest.raises(ValueError, match="2026-11-23 has passed"):
        until("2026-11-23", VIENNA, NOW)
    # In Vienna the day is over an hour before it is in UTC.
    with pytest.raises(ValueError, match="has passed"):
        until("2026-11-24", VIENNA, utc("2026-11-24 23:00"))


def test_a_day_whose_last_hour_comes_twice_ends_with_the_second() -> None:
    # On 2027-11-07 clocks in Havana go from 01:00 back to 00:00: the day's end is not touched;
    # in Asuncion they went from midnight back to 23:00, and 23:59:59 came twice.
    assert until("2027-11-07", HAVANA, NOW) == utc("2027-11-08 04:59:59")
    asuncion = ZoneInfo("America/Asuncion")
    before = utc("2024-01-01 00:00")
    assert until("2024-03-23", asuncion, before) == utc("2024-03-24 03:59:59")


@pytest.mark.parametrize(
    "given", ["2027-03-01T12:00+01:00", "2027-03-01T11:00Z", "2027-03-01 11:00:00+00:00"]
)
def test_an_instant_wants_its_offset_and_is_taken_as_it_is(given: str) -> None:
    end = until(given, VIENNA, NOW)
    assert end == datetime(2027, 3, 1, 11, tzinfo=UTC)
    assert end.tzinfo is UTC


def test_an_instant_that_is_now_has_passed() -> None:
    assert until("2026-11-24T12:00:01Z", VIENNA, NOW) == NOW + timedelta(seconds=1)
    with pytest.raises(ValueError, match="has passed"):
        until("2026-11-24T12:00Z", VIENNA, NOW)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("2027-03-01T12:00", "has no offset; write"),
        ("tomorrow", "tomorrow is no date; write for example 2027-03-01"),
        ("2027-02-30", "is no date"),
        ("", "is no date"),
        ("01.03.2027", "is no date"),
        ("9999-12-31", "lies too far ahead"),
        ("9999-12-31T23:59:59-10:00", "is no date"),
    ],
)
def test_what_is_no_date_to_come_is_refused_with_a_date_to_write(given: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        until(given, VIENNA, NOW)


def test_the_last_day_of_the_calendar_is_refused_west_of_greenwich_too() -> None:
    with pytest.raises(ValueError, match="beyond the calendar"):
        until("9999-12-31", HAVANA, NOW)
