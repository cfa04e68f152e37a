"""SelfMX's old script is noticed where systemd would run it, and where it does harm."""

from pathlib import Path

import pytest

from selfmx_backupd.adapters.old_script import deletes_from

TIMER = "selfmx-backup.timer"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The administrator's units: the old timer is there, and something else is enabled."""
    units = tmp_path / "units"
    (units / "timers.target.wants").mkdir(parents=True)
    (units / TIMER).write_text("[Timer]\nOnCalendar=daily\n")
    (units / "timers.target.wants" / "logrotate.timer").symlink_to("/dev/null")
    return units


def enable(units: Path) -> Path:
    link = units / "timers.target.wants" / TIMER
    link.symlink_to(units / TIMER)
    return link


def test_a_timer_that_is_only_there_deletes_nothing(units: Path, tmp_path: Path) -> None:
    assert not deletes_from(tmp_path, units=units, its_own=tmp_path)


def test_an_enabled_timer_deletes_from_its_own_directory_and_from_no_other(
    units: Path, tmp_path: Path
) -> None:
    enable(units)
    other = tmp_path / "other"
    other.mkdir()
    same = tmp_path / "same"
    same.symlink_to(tmp_path)
    assert deletes_from(tmp_path, units=units, its_own=tmp_path)
    assert deletes_from(same, units=units, its_own=tmp_path)
    assert not deletes_from(other, units=units, its_own=tmp_path)


def test_a_link_whose_unit_has_been_removed_starts_nothing(units: Path, tmp_path: Path) -> None:
    enable(units)
    (units / TIMER).unlink()
    assert not deletes_from(tmp_path, units=units, its_own=tmp_path)


def test_a_directory_whose_links_lead_round_in_a_circle_is_no_error(
    units: Path, tmp_path: Path
) -> None:
    enable(units)
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    assert not deletes_from(circle, units=units, its_own=tmp_path)


def test_without_systemd_there_is_no_timer(tmp_path: Path) -> None:
    assert not deletes_from(tmp_path, units=tmp_path / "nowhere", its_own=tmp_path)
