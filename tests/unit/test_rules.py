import re
from collections.abc import Callable
from datetime import time

import pytest

from selfmx_backupd.policy.rules import (
    WEEKDAYS,
    Daily,
    Monthly,
    Weekly,
    parse_daily,
    parse_monthly,
    parse_time,
    parse_weekly,
)


def test_a_time_of_day_is_read() -> None:
    assert parse_time("03:00") == time(3)
    assert parse_time(" 23:59 ") == time(23, 59)
    assert parse_time("4:05") == time(4, 5)


def test_rules_are_read() -> None:
    assert parse_daily("03:00") == Daily(time(3))
    assert parse_weekly("sunday 03:00") == Weekly(6, time(3))
    assert parse_weekly("Monday  23:30") == Weekly(0, time(23, 30))
    assert parse_monthly("1 03:00") == Monthly(1, time(3))
    assert parse_monthly("28 03:00") == Monthly(28, time(3))
    assert parse_monthly("Last 03:00") == Monthly("last", time(3))


@pytest.mark.parametrize("parse", [parse_time, parse_daily, parse_weekly, parse_monthly])
def test_off_is_no_rule(parse: Callable[[str], object]) -> None:
    assert parse("off") is None
    assert parse(" Off ") is None


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_time, "24:00", '"24:00" is not a time of day, write "00:00" to "23:59"'),
        (parse_time, "", '"" is not a time of day, write "00:00" to "23:59"'),
        (parse_time, "03:00:00", '"03:00:00" is not a time of day, write "00:00" to "23:59"'),
        (parse_daily, "3", '"3" is not a time of day, write "00:00" to "23:59"'),
        (parse_weekly, "3:00", '"3:00" is not a weekday and a time, write it like "sunday 03:00"'),
        (parse_weekly, "sun 03:00", '"sun" is not a weekday, write "sunday"'),
        (parse_weekly, "wensday 03:00", '"wensday" is not a weekday, write "wednesday"'),
        (parse_weekly, "0 03:00", f'"0" is not a weekday, write one of {", ".join(WEEKDAYS)}'),
        (parse_weekly, "sunday off", '"off" is not a time of day, write "00:00" to "23:59"'),
        (
            parse_monthly,
            "1",
            '"1" is not a day and a time, write it like "1 03:00" or "last 03:00"',
        ),
        (parse_monthly, "29 03:00", 'not every month has a day 29, write "last" for its last day'),
        (parse_monthly, "31 03:00", 'not every month has a day 31, write "last" for its last day'),
        (parse_monthly, "0 03:00", '"0" is not a day of the month, write 1 to 28 or "last"'),
        (parse_monthly, "32 03:00", '"32" is not a day of the month, write 1 to 28 or "last"'),
        (parse_monthly, "-1 03:00", '"-1" is not a day of the month, write 1 to 28 or "last"'),
        (parse_monthly, "1 2 03:00", '"2 03:00" is not a time of day, write "00:00" to "23:59"'),
    ],
)
def test_a_wrong_text_is_refused_with_what_would_be_right(
    parse: Callable[[str], object], text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse(text)


def test_digits_of_other_scripts_are_no_time() -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        parse_time("\N{ARABIC-INDIC DIGIT THREE}:00")


@pytest.mark.parametrize("day", [0, 29, -1])
def test_a_month_rule_for_a_day_that_not_every_month_has_cannot_be_built(day: int) -> None:
    with pytest.raises(ValueError, match="1 to 28"):
        Monthly(day, time(3))


def test_a_weekday_that_does_not_exist_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="0 to 6"):
        Weekly(7, time(3))
