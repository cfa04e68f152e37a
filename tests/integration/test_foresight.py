"""What `schedule` and `simulate` refuse, and what they say where no clock is needed."""

import re
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd.cli import schedule as command
from selfmx_backupd.cli.door import enter
from selfmx_backupd.model import Tier
from selfmx_backupd.policy.rules import Daily, Rule, Weekly
from selfmx_backupd.policy.schedule import Schedule
from tests.build import VIENNA, in_zone


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines of a refusal; nothing was answered."""
    assert enter("selfmx-backupd", list(words)) == 2
    told = capsys.readouterr()
    assert told.out == ""
    return told.err.splitlines()


@pytest.mark.parametrize("number", ["0", "3661", "-5", "x", "1e3", "1_0", "1.5", "", "9" * 5000])
def test_a_number_of_days_that_makes_no_sense_is_refused(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "simulate", f"--days={number}") == [
        f'error: argument --days: "{number}" is no whole number from 1 to 3660, write one',
        "hint: Type: selfmx-backupd simulate --help",
    ]


@pytest.mark.parametrize("number", ["0", "1001", "ten"])
def test_a_count_that_makes_no_sense_is_refused(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error, _ = refused(capsys, "schedule", "--count", number)
    assert error == (
        f'error: argument --count: "{number}" is no whole number from 1 to 1000, write one'
    )


@pytest.mark.parametrize(
    ("off", "why"),
    [
        ("5", "is no range of days"),
        ("", "is no range of days"),
        ("a..b", "is no range of days"),
        ("1...3", "is no range of days"),
        ("-1..3", "is no range of days"),
        ("9..3", "ends before it begins"),
        ("0..3", "is not within the days 1 to 30"),
        ("3..31", "is not within the days 1 to 30"),
    ],
)
def test_days_off_that_make_no_sense_are_refused(
    off: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "simulate", "--days", "30", "--off", "1..2", f"--off={off}") == [
        f'error: argument --off: "{off}" {why}',
        "hint: Write the first and the last day that are off, like 1..30; day 1 is today.",
    ]


def test_a_simulation_wants_to_know_how_many_days(capsys: pytest.CaptureFixture[str]) -> None:
    error, _ = refused(capsys, "simulate")
    assert error == "error: the following arguments are required: --days"


def test_a_missing_configuration_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.toml"
    assert enter("selfmx-backupd", ["schedule", "--config", str(missing)]) == 3
    assert f"error: {missing}: no such file" in capsys.readouterr().err


def test_runs_that_the_clocks_touch_have_a_note_below_them() -> None:
    rules: dict[Tier, Rule] = {Tier.DAILY: Daily(time(3)), Tier.WEEKLY: Weekly(6, time(2, 30))}
    there = Schedule(VIENNA, rules, time(2, 45))
    assert command.as_text(there, in_zone("2027-03-27 12:00"), 2) == (
        "BACKUP                 UTC                   IN    TIERS\n"
        "2027-03-28 03:00 CEST  2027-03-28 01:00 UTC  14 h  daily, weekly\n"
        "  note: 02:30 does not exist on 2027-03-28: it runs when the gap ends, 03:00\n"
        "2027-03-29 03:00 CEST  2027-03-29 01:00 UTC  38 h  daily\n"
        "\n"
        "sweep: every day at 02:45, next 2027-03-28 03:00 CEST, 2027-03-28 01:00 UTC, in 14 h\n"
        "  note: 02:45 does not exist on 2027-03-28: it runs when the gap ends, 03:00\n"
        "off: monthly"
    )


def test_a_gap_that_reaches_into_the_next_day_is_told_with_its_date() -> None:
    nuuk = ZoneInfo("America/Nuuk")
    there = Schedule(nuuk, {Tier.DAILY: Daily(time(23, 30))})
    told = command.as_text(there, in_zone("2026-03-28 12:00", nuuk), 1)
    assert (
        "note: 23:30 does not exist on 2026-03-28: it runs when the gap ends, 2026-03-29 00:00\n"
        in told
    )


def test_a_time_that_exists_twice_is_told_with_the_first_zone() -> None:
    there = Schedule(VIENNA, {Tier.DAILY: Daily(time(2, 30))})
    told = command.as_text(there, in_zone("2026-10-24 12:00"), 1)
    assert "note: 02:30 exists twice on 2026-10-25: it runs at the first, CEST\n" in told


def test_where_all_is_off_it_says_so() -> None:
    assert command.as_text(Schedule(VIENNA, {}), in_zone("2026-10-24 12:00"), 10) == (
        "no backup is scheduled\n\noff: daily, weekly, monthly, sweep"
    )


def simulated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path, *words: str
) -> str:
    """The answer with a retention of one of each, whatever the host's zone."""
    config = root / "config.toml"
    config.write_text("[retention]\ndaily = 1\nweekly = 1\nmonthly = 1\nminimum = 1\n")
    monkeypatch.setenv("SELFMX_BACKUPD_SCHEDULE__TIMEZONE", "Europe/Vienna")
    assert enter("selfmx-backupd", ["simulate", "--config", str(config), *words]) == 0
    return capsys.readouterr().out


def test_days_that_no_tier_keeps_are_marked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SELFMX_BACKUPD_SCHEDULE__SWEEP", "off")
    told = simulated(capsys, monkeypatch, tmp_path, "--days", "20")
    assert "\n* no tier keeps it: among the newest, or it may go at the next sweep\n" in told
    # At most one day is the month's, two are the weeks', and two the days'.
    drawn = [line for line in told.splitlines() if re.match("20[0-9][0-9]-", line)]
    assert "".join(drawn).count("*") >= 15
    removed, sweep = told.splitlines()[-2:]
    assert removed.endswith(" taken, 0 removed")
    assert sweep == "schedule.sweep is off: nothing is ever removed"


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ("61", "the clock has been steady only since 20"),
        ("62", "one removes a quarter at most"),
    ],
)
def test_what_is_held_back_is_told_with_the_reason(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    days: str,
    reason: str,
) -> None:
    monkeypatch.setenv("SELFMX_BACKUPD_SCHEDULE__SWEEP", "00:00")
    told = simulated(capsys, monkeypatch, tmp_path, "--days", days, "--off", "15..60")
    assert re.search(rf"\nthe last sweep held [1-9] backups? back: {reason}", told)
