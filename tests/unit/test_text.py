from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd import text
from selfmx_backupd.model import NextRun, Progress, Tier
from tests.build import VIENNA, backup, utc

KIB, MIB, GIB, TIB = (1024**power for power in (1, 2, 3, 4))
NOW = utc("2026-11-24 12:00")


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
    backups = [backup(NOW - timedelta(hours=9)), backup(NOW - timedelta(hours=33))]
    run = NextRun(Tier.DAILY, utc("2026-11-25 02:00"))
    assert text.status((), backups, run, VIENNA, NOW) == (
        "newest backup 9 h old · 2 verified backups · next daily 2026-11-25 03:00 CET"
    )


def test_the_status_begins_with_every_problem_worst_first() -> None:
    problems = ("daily backup overdue for 5 h", "b")
    assert text.status(problems, [], None, VIENNA, NOW) == (
        "PROBLEM: daily backup overdue for 5 h; b · no verified backup yet"
    )


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
