"""The words of a schedule: rules, and the configuration's texts that they are read from.

The parse_ functions read those texts. Their ValueErrors say what is wrong and what
would be right.
"""

import re
from dataclasses import dataclass
from datetime import time
from difflib import get_close_matches
from typing import Literal

OFF = "off"
LAST: Literal["last"] = "last"

# In the order of date.weekday(). Not calendar.day_name: that speaks the operator's language.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_COMMON_DAY = 28  # the last day that every month has

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DAY_OF_MONTH = re.compile(r"0?[1-9]|[12][0-9]|3[01]")


@dataclass(frozen=True, slots=True)
class Daily:
    """Once every local day at the wall time `at`."""

    at: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """Once every local week; `weekday` counts from 0, Monday, as date.weekday() does."""

    weekday: int
    at: time

    def __post_init__(self) -> None:
        if self.weekday not in range(len(WEEKDAYS)):
            raise ValueError(f"there is no weekday {self.weekday}, 0 to 6 would be one")


@dataclass(frozen=True, slots=True)
class Monthly:
    """Once every local month, on the day 1 to 28 or on the month's last."""

    day: int | Literal["last"]
    at: time

    def __post_init__(self) -> None:
        if self.day != LAST and not 1 <= self.day <= LAST_COMMON_DAY:
            raise ValueError(f'not every month has a day {self.day}, write 1 to 28 or "last"')


Rule = Daily | Weekly | Monthly


def parse_time(text: str) -> time | None:
    """Read a time of day, "03:00"; None for "off"."""
    return None if _is_off(text) else _time_of_day(text.strip())


def parse_daily(text: str) -> Daily | None:
    """Read a daily rule, "03:00"; None for "off"."""
    return None if _is_off(text) else Daily(_time_of_day(text.strip()))


def parse_weekly(text: str) -> Weekly | None:
    """Read a weekly rule, "sunday 03:00"; None for "off"."""
    if _is_off(text):
        return None
    weekday, at = _two_words(text, 'a weekday and a time, write it like "sunday 03:00"')
    return Weekly(_weekday(weekday), _time_of_day(at))


def parse_monthly(text: str) -> Monthly | None:
    """Read a monthly rule, "1 03:00" or "last 03:00"; None for "off"."""
    if _is_off(text):
        return None
    day, at = _two_words(text, 'a day and a time, write it like "1 03:00" or "last 03:00"')
    return Monthly(_day_of_month(day), _time_of_day(at))


def _is_off(text: str) -> bool:
    return text.strip().lower() == OFF


def _time_of_day(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not a time of day, write "00:00" to "23:59"')
    return time(int(found[1]), int(found[2]))


def _two_words(text: str, wanted: str) -> tuple[str, str]:
    first, _, second = " ".join(text.lower().split()).partition(" ")
    if not second:
        raise ValueError(f'"{text}" is not {wanted}')
    return first, second


def _weekday(word: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    meant = [name for name in WEEKDAYS if name.startswith(word)]
    meant = meant or get_close_matches(word, WEEKDAYS, n=1)
    right = f'"{meant[0]}"' if len(meant) == 1 else f"one of {', '.join(WEEKDAYS)}"
    raise ValueError(f'"{word}" is not a weekday, write {right}')


def _day_of_month(word: str) -> int | Literal["last"]:
    if word == LAST:
        return LAST
    if _DAY_OF_MONTH.fullmatch(word) is None:
        raise ValueError(f'"{word}" is not a day of the month, write 1 to 28 or "last"')
    if int(word) > LAST_COMMON_DAY:
        raise ValueError(f'not every month has a day {int(word)}, write "last" for its last day')
    return int(word)
