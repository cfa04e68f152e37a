"""Which backup is read again first."""

from dataclasses import replace
from datetime import datetime, timedelta

from selfmx_backupd.model import Backup, Check, Entry, State, Verified
from selfmx_backupd.policy.inventory import by_oldest_proof
from tests.build import backup, entry, utc

NOW = utc("2026-11-24 04:00")
DAY = timedelta(days=1)


def proven(started_at: datetime, at: datetime) -> Backup:
    return replace(backup(started_at), verified=Verified(at=at, by=(Check.VERIFYONLY,)))


def names(entries: list[Entry], now: datetime = NOW) -> list[str]:
    return [each.file for each in by_oldest_proof(entries, now)]


def test_the_oldest_proof_comes_first_whatever_the_backups_age() -> None:
    old = proven(NOW - 90 * DAY, NOW - 1 * DAY)
    young = proven(NOW - 20 * DAY, NOW - 20 * DAY)
    middle = proven(NOW - 30 * DAY, NOW - 9 * DAY)
    wanted = [young.file, middle.file, old.file]
    assert names([entry(old), entry(young), entry(middle)]) == wanted


def test_of_equal_proofs_the_earlier_name_comes_first() -> None:
    twins = [proven(NOW - n * DAY, NOW - DAY) for n in (3, 5, 4)]
    assert names([entry(each) for each in twins]) == sorted(each.file for each in twins)


def test_a_proof_that_is_dated_ahead_may_be_of_any_age_and_comes_first() -> None:
    ahead = proven(NOW - DAY, NOW + 300 * DAY)
    past = proven(NOW - 50 * DAY, NOW - 50 * DAY)
    assert names([entry(past), entry(ahead)]) == [ahead.file, past.file]
    assert names([entry(past), entry(ahead)], NOW + 301 * DAY) == [past.file, ahead.file]


def test_what_counts_for_nothing_or_has_no_sum_is_not_read_again() -> None:
    others = [
        entry(backup(NOW - 2 * DAY, damaged=True), State.DAMAGED),
        entry(backup(NOW - 3 * DAY), State.MISSING),
        entry(backup(NOW - 4 * DAY, verified=False), State.UNKNOWN),
        Entry("selfmx_20260101_030000.bak", State.UNKNOWN, "it has no manifest", None, 5),
        entry(replace(backup(NOW - 5 * DAY), sha256=None)),
    ]
    assert names(others) == []
