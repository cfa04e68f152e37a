from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd import text
from selfmx_backupd.assessment import Assessment, Cause, Situation
from selfmx_backupd.model import Progress
from selfmx_backupd.policy import health
from tests.build import VIENNA, utc
from tests.situations import FAULTS, LIMITS, well

KIB, MIB, GIB, TIB = (1024**power for power in (1, 2, 3, 4))
NOW = utc("2026-11-24 12:00")


def assessed(*causes: Cause) -> Assessment:
    seen = well()
    for cause in causes:
        seen = FAULTS[cause](seen)
    return health.assess(seen, LIMITS)


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (KIB, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (MIB - 1, "1.0 MiB"),
        (MIB - 52, "1023.9 KiB"),
        (MIB, "1.0 MiB"),
        (GIB - 1, "1.0 GiB"),
        (734003200, "700.0 MiB"),
        (TIB - 1, "1.0 TiB"),
        (TIB, "1.0 TiB"),
        (5000 * TIB, "5000.0 TiB"),
    ],
)
def test_a_size_is_told_in_the_largest_unit_that_it_fills(size_bytes: int, words: str) -> None:
    assert text.size(size_bytes) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (0.9, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (2 * 86400 - 1, "47 h"),
        (2 * 86400, "2 d"),
        (400 * 86400, "400 d"),
    ],
)
def test_an_age_is_one_number(seconds: float, words: str) -> None:
    assert text.age(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (0.4, "0.4 s"),
        (59.4, "59.4 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (3900, "1 h 5 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_a_duration_never_shows_sixty_of_anything(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


def test_an_instant_is_told_in_the_operators_zone() -> None:
    assert text.local(utc("2026-07-01 22:30"), VIENNA) == "2026-07-02 00:30 CEST"
    assert text.local(utc("2026-12-01 22:30"), VIENNA) == "2026-12-01 23:30 CET"
    assert text.local_date(utc("2026-07-01 22:30"), VIENNA) == "2026-07-02"
    assert text.local_date(utc("2026-07-01 22:30"), ZoneInfo("UTC")) == "2026-07-01"


@pytest.mark.parametrize(("number", "words"), [(0, "0 backups"), (1, "1 backup"), (2, "2 backups")])
def test_a_count_bends_its_noun(number: int, words: str) -> None:
    assert text.count(number, "backup") == words


def test_columns_are_as_wide_as_their_widest_cell_and_nothing_trails() -> None:
    table = text.table(("A", "LONG"), [("wide cell", "x"), ("y", "")])
    assert table == "A          LONG\nwide cell  x\ny"


def test_a_table_without_rows_is_its_header() -> None:
    assert text.table(("A", "B"), []) == "A  B"


def test_a_row_with_too_few_cells_is_a_fault() -> None:
    with pytest.raises((ValueError, IndexError)):
        text.table(("A", "B"), [("only",)])


def test_a_calendar_has_a_row_for_each_month_and_fits_on_a_terminal() -> None:
    days = [date(2027, 1, 31) + timedelta(days=n) for n in range(30)]
    drawn = text.calendar({day: "d" if day.day > 1 else "m" for day in days})
    assert drawn.splitlines() == [
        "         1   5    10   15   20   25   30",
        "2027-01                                d",
        "2027-02  mddddddddddddddddddddddddddd",
        "2027-03  m",
    ]


def test_the_status_says_what_can_be_got_back_and_what_comes_next() -> None:
    assert text.status(assessed(), VIENNA) == (
        "newest backup 9 h old · 3 verified backups · next daily 2026-11-25 04:00 CET"
    )


def test_the_status_begins_with_every_problem_worst_first() -> None:
    assert text.status(assessed(Cause.NO_BACKUP, Cause.FAILED), VIENNA) == (
        "PROBLEM: there is no verified backup; 1 failed sweep run in a row: the sweep is broken"
        " · next daily 2026-11-25 04:00 CET"
    )


def test_of_many_problems_the_status_tells_three_and_counts_the_others() -> None:
    many = (Cause.LATE, Cause.MISSING, Cause.UNKNOWN, Cause.FAILED, Cause.HELD_BACK)
    said = text.status(assessed(*many), VIENNA)
    assert said.count("; ") == 2
    assert " · and 2 problems more · newest backup 9 h old" in said


def test_the_headline_is_a_plug_ins_line() -> None:
    assert text.headline(assessed(), VIENNA) == (
        "OK - newest backup 9 h old, 3 verified, next daily 2026-11-25 04:00 CET"
    )


def test_the_headline_names_the_worst_and_counts_the_others() -> None:
    said = text.headline(assessed(Cause.LATE, Cause.FAILED), VIENNA)
    assert said == (
        "CRITICAL - daily backup overdue for 2 h; and 1 problem more; newest backup 9 h old, "
        "3 verified, next daily 2026-11-25 04:00 CET"
    )


def test_a_headline_of_nothing_but_a_problem_ends_there() -> None:
    blind = health.assess(Situation(now=NOW, sees_all=False), LIMITS)
    assert text.headline(blind, VIENNA) == (
        "WARNING - no backup is scheduled: daily, weekly and monthly are off"
    )


@pytest.mark.parametrize(
    ("percent", "elapsed_s", "words"),
    [
        (25, 60, "backing up 25 %, about 3 min left"),
        (50, 5, "backing up 50 %, about 5 s left"),
        (3, 97, "backing up 3 %, about 52 min left"),
        (2, 3600, "backing up 2 %"),
        (50, 4.9, "backing up 50 %"),
        (100, 60, "backing up 100 %"),
        (None, 60, "backing up"),
    ],
)
def test_the_time_left_is_told_where_there_is_something_to_estimate_from(
    percent: int | None, elapsed_s: float, words: str
) -> None:
    assert text.progress(Progress("backing up", percent), elapsed_s) == words


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress("checking"), "checking"),
        (Progress("verifying", 0), "verifying 0 %"),
        (Progress("backing up", 42, 1181116006), "backing up 42 % (1.1 GiB)"),
        (Progress("backing up", None, 1024), "backing up (1.0 KiB)"),
        (Progress("backing up", 1, 0), "backing up 1 %"),
    ],
)
def test_progress_tells_what_is_known(progress: Progress, words: str) -> None:
    assert text.progress(progress) == words
