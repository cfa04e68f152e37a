from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from selfmx_backupd.assessment import Outlook
from selfmx_backupd.model import Backup, Tier
from selfmx_backupd.policy.growth import next_bytes, outlook
from tests.build import FAMILY, OTHER_FAMILY, backup, utc

NOW = utc("2026-11-24 03:00")
DAY = timedelta(days=1)
MIB = 1 << 20
DAILY: Mapping[Tier, int | None] = {Tier.DAILY: 7}


def dailies(sizes: Sequence[int], *, family: str = FAMILY) -> list[Backup]:
    """One a day, of these sizes, newest first."""
    return [
        replace(backup(NOW - age * DAY, family=family), size_bytes=size)
        for age, size in enumerate(sizes)
    ]


def of(backups: Sequence[Backup], free_bytes: int, windows: Mapping[Tier, int | None]) -> Outlook:
    ahead = outlook(backups, windows, free_bytes)
    assert ahead is not None
    return ahead


def test_where_there_is_no_backup_nothing_is_known() -> None:
    assert outlook([], DAILY, 100) is None


def test_the_next_backup_needs_a_fifth_more_than_the_last() -> None:
    assert next_bytes(dailies([100])[0]) == 120
    assert of(dailies([100, 900]), 0, DAILY).next_bytes == 120


def test_one_backup_tells_what_retention_will_add_and_not_how_long_the_disk_lasts() -> None:
    windows: dict[Tier, int | None] = {Tier.DAILY: 7, Tier.WEEKLY: 4, Tier.MONTHLY: 12}
    ahead = of([replace(backup(NOW, windows), size_bytes=MIB)], 0, windows)
    assert ahead.to_come_bytes == (7 + 4 + 12) * MIB
    assert (ahead.growth_bytes_a_day, ahead.known_days, ahead.lasts_days) == (None, 0, None)


def test_what_is_kept_for_ever_has_no_end() -> None:
    assert of(dailies([MIB]), 0, {**DAILY, Tier.MONTHLY: None}).to_come_bytes is None


def test_a_tier_that_is_full_adds_nothing() -> None:
    assert of(dailies([MIB] * 8), 0, DAILY).to_come_bytes == 0
    assert of(dailies([MIB] * 7), 0, DAILY).to_come_bytes == MIB


@pytest.mark.parametrize(("days", "known"), [(6, 0), (7, 7), (29, 29)])
def test_it_looks_no_further_ahead_than_back_and_not_at_all_within_a_week(
    days: int, known: int
) -> None:
    ahead = of(dailies([MIB] * (days + 1)), 1000 * MIB, DAILY)
    assert (ahead.known_days, ahead.lasts_days) == (known, None)


def test_backups_that_do_not_grow_fill_a_disk_until_their_tier_is_full() -> None:
    ten = dailies([MIB] * 10)
    windows: dict[Tier, int | None] = {Tier.DAILY: 14}
    room = next_bytes(ten[0])
    assert of(ten, room + 5 * MIB, windows).lasts_days is None
    assert of(ten, room + 5 * MIB - 1, windows).lasts_days == 4
    assert of(ten, room + 2 * MIB, windows).lasts_days == 2


def test_what_is_kept_for_ever_fills_every_disk() -> None:
    assert of(dailies([MIB] * 30), 11 * MIB, {Tier.DAILY: None}).lasts_days == 9


def test_growth_is_the_steeper_of_all_backups_and_of_the_last_days() -> None:
    steady = [1000 + 10 * (20 - age) for age in range(21)]
    assert of(dailies(steady), 0, DAILY).growth_bytes_a_day == 10
    lately = [5000, *[1000] * 20]
    assert of(dailies(lately), 0, DAILY).growth_bytes_a_day == 500
    long_ago = [5000] * 20 + [1000]
    assert of(dailies(long_ago), 0, DAILY).growth_bytes_a_day == 200


def test_backups_that_became_smaller_do_not_grow() -> None:
    assert of(dailies([100, *[1000] * 20]), 0, DAILY).growth_bytes_a_day == 0


def test_growth_shortens_the_time_of_a_tier_that_is_full() -> None:
    growing = [1000 + 10 * (20 - age) for age in range(21)]
    ahead = of(dailies(growing), 1440 + 21 * 10 * 12, DAILY)
    assert ahead.lasts_days == 12


def test_sizes_are_compared_within_one_family_and_one_compression() -> None:
    packed = [
        replace(each, backup_set=replace(each.backup_set, compressed=True))
        for each in dailies([100] * 8)
    ]
    before = [replace(each, started_at=each.started_at - 8 * DAY) for each in dailies([1000] * 8)]
    assert of([*packed, *before], 10**6, DAILY).growth_bytes_a_day == 0
    assert of([*packed, *before], 10**6, DAILY).known_days == 7
    others = dailies([1] * 8, family=OTHER_FAMILY)
    older = [replace(each, started_at=each.started_at - 8 * DAY) for each in others]
    assert of([*packed, *older], 10**6, DAILY).known_days == 7
