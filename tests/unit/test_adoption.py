from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from selfmx_backupd.model import Backup, BackupSet, Damaged, Durations, Entry, Going, Pin, State
from selfmx_backupd.policy.adoption import (
    QUIET,
    Verdict,
    begun,
    earliest,
    is_quiet,
    judge,
    moved,
    pin,
    superseded,
)
from tests.build import backup, entry, utc

NOW = utc("2026-11-24 12:00")
AT = utc("2026-11-24 03:00")
X = backup(AT)
GUID = X.backup_set.guid
OTHER = replace(X.backup_set, guid="44444444-4444-4444-4444-444444444444")
Y = "selfmx_20261120_040000.bak"
PAST, FUTURE = NOW - timedelta(days=300), NOW + timedelta(days=300)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def orphan(claims: Backup | None = None, size_bytes: int = X.size_bytes) -> Entry:
    return Entry(Y, State.UNKNOWN, "", None, size_bytes, is_orphan=True, claims=claims)


def judged(
    it: Entry, entries: Iterable[Entry] = (), guid: str = GUID, unsettled: Iterable[Backup] = ()
) -> Verdict:
    return judge(it, guid, (it, *entries), unsettled)


def missing(of: Backup) -> Entry:
    return Entry(of.file, State.MISSING, "", of, None)


def of_set(backup_set: BackupSet) -> Backup:
    return replace(X, backup_set=backup_set)


@pytest.mark.parametrize("others", [[], [entry(of_set(OTHER))], [missing(of_set(OTHER))]])
def test_a_backup_of_which_nothing_is_known_may_be_adopted(others: list[Entry]) -> None:
    assert judged(orphan(), others) == Verdict()


@pytest.mark.parametrize("state", [State.VERIFIED, State.DAMAGED, State.UNKNOWN])
@pytest.mark.parametrize("claims", [None, X])
def test_a_copy_of_a_file_that_is_here_is_left_alone_and_named(
    state: State, claims: Backup | None
) -> None:
    assert judged(orphan(claims), [entry(X, state)]) == Verdict(f"is a copy of {X.file}")


def test_a_copy_of_what_is_not_finished_or_going_is_left_alone() -> None:
    assert judged(orphan(), unsettled=[X]) == Verdict(f"is a copy of {X.file}")


def test_a_missing_backup_under_another_name_was_moved() -> None:
    assert judged(orphan(), [missing(X)]) == Verdict(known=X)


def test_a_backup_moved_together_with_its_manifest_is_known_by_it() -> None:
    assert judged(orphan(X)) == Verdict(known=X)


def test_the_original_manifest_knows_better_than_a_copy_of_it() -> None:
    pinned = replace(X, pin=Pin(until=None, reason="mine"))
    assert judged(orphan(X), [missing(pinned)]) == Verdict(known=pinned)


def test_the_manifest_of_another_backup_set_is_never_written_over() -> None:
    found = judged(orphan(X), guid=OTHER.guid)
    assert found.refusal is not None
    assert found.refusal.endswith(f"its manifest says, that of {X.file}")


@pytest.mark.parametrize(("claims", "others"), [(X, []), (None, [missing(X)])])
def test_what_has_not_the_size_of_what_was_moved_is_left_alone(
    claims: Backup | None, others: list[Entry]
) -> None:
    found = judged(orphan(claims, size_bytes=1), others)
    assert found.refusal == f"holds what {X.file} held, and has not its 8192 bytes"


def test_a_moved_backup_keeps_what_is_known_of_it_but_has_to_be_proven() -> None:
    known = replace(
        backup(AT, going=Going(at=AT, reason="old"), pin=Pin(until=None, reason="mine")),
        damaged=Damaged(at=AT, by="proof", reason="a bad page"),
    )
    assert moved(known, Y) == replace(known, file=Y, verified=None, going=None)


@pytest.mark.parametrize(
    ("written_at", "unchanged_since", "has_changed", "quiet"),
    [
        (NOW - QUIET, NOW, False, True),
        (NOW - QUIET + SECOND, NOW, False, False),
        (NOW, NOW - QUIET, False, True),
        (FUTURE, NOW, False, False),
        (FUTURE, NOW - QUIET, False, True),
        (PAST, NOW, True, False),
        (PAST, NOW - QUIET + SECOND, True, False),
        (PAST, NOW - QUIET, True, True),
    ],
)
def test_a_file_is_quiet_when_nothing_about_it_has_changed_for_two_minutes(
    written_at: datetime, unchanged_since: datetime, *, has_changed: bool, quiet: bool
) -> None:
    assert is_quiet(written_at, unchanged_since, NOW, has_changed=has_changed) is quiet


def test_a_description_of_ours_says_when_it_was_begun_whatever_the_name() -> None:
    assert begun(AT, FUTURE, PAST) == AT


@pytest.mark.parametrize("offset_h", range(-12, 15))
def test_a_name_says_when_it_was_begun_in_whatever_zone_the_server_is(offset_h: int) -> None:
    assert begun(None, AT, AT + offset_h * HOUR) == AT
    waited = AT + timedelta(minutes=30)
    assert begun(None, AT, waited + offset_h * HOUR) == AT


@pytest.mark.parametrize("named", [None, PAST, FUTURE, AT + 13 * HOUR, AT - 16 * HOUR])
def test_a_name_that_no_zone_explains_counts_for_nothing(named: datetime | None) -> None:
    assert begun(None, named, AT) is None


@pytest.mark.parametrize("offset_h", range(-12, 15))
def test_what_a_clock_shows_is_never_dated_too_late(offset_h: int) -> None:
    assert earliest(AT + offset_h * HOUR) <= AT


def test_what_is_adopted_is_held_for_thirty_days() -> None:
    assert pin(NOW) == Pin(until=NOW + timedelta(days=30), reason="adopted")


def test_a_manifest_goes_when_another_says_the_same_of_a_file_that_is_here() -> None:
    new = replace(X, file=Y, duration_s=Durations(verify=3.0))
    assert superseded([missing(X), entry(new)]) == ((X.file, Y),)
    unsummed = replace(X, sha256=None, verified=None)
    assert superseded([missing(unsummed), entry(new)]) == ((X.file, Y),)


@pytest.mark.parametrize(
    "entries",
    [
        [missing(X)],
        [entry(X), entry(replace(X, file=Y))],
        [missing(X), missing(replace(X, file=Y))],
        [missing(X), entry(replace(X, file=Y, pin=Pin(until=NOW, reason="")))],
        [missing(replace(X, pin=Pin(until=NOW, reason=""))), entry(replace(X, file=Y))],
        [missing(X), entry(replace(X, file=Y, sha256="1" * 64))],
        [missing(X), entry(replace(X, file=Y, verified=None))],
        [missing(X), entry(replace(X, file=Y, tiers=()))],
        [missing(X), replace(entry(replace(X, file=Y)), size_bytes=1)],
        [missing(replace(X, extra={"note": "of a later version"})), entry(replace(X, file=Y))],
        [missing(X), entry(replace(of_set(OTHER), file=Y))],
    ],
)
def test_a_manifest_that_says_anything_more_stays(entries: list[Entry]) -> None:
    assert superseded(entries) == ()
