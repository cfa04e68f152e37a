"""Retention over directories that hypothesis makes up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from selfmx_backupd.model import Backup, Decision, Entry, Pin, State, Tier
from selfmx_backupd.policy.retention import Retention, decide
from tests.build import FAMILY, OTHER_FAMILY, VIENNA, backup, entry
from tests.property.directories import DAY, NOW, entries, families, retentions, tiers

UTC_ZONE = ZoneInfo("UTC")


def ask(
    directory: Sequence[Entry], retention: Retention, now: datetime = NOW
) -> dict[str, Decision]:
    return {each.file: each for each in decide(directory, retention, VIENNA, now)}


def about(each: Entry) -> Backup:
    assert each.backup is not None
    return each.backup


def counting(directory: Sequence[Entry]) -> list[Backup]:
    """Backups that count: verified, not going, not from the future; the newest first."""
    found = [about(each) for each in directory if each.state is State.VERIFIED]
    found = [each for each in found if each.going is None and each.started_at <= NOW]
    return sorted(found, key=lambda each: each.started_at, reverse=True)


def of_family(backups: Sequence[Backup], family: str) -> list[Backup]:
    return [each for each in backups if each.backup_set.family_guid == family]


def may_go(directory: Sequence[Entry], retention: Retention) -> set[str]:
    """Backups that count and that the rules let go, the brake left aside."""
    names = {each.file for each in counting(directory)}
    return {f for f, each in ask(directory, retention).items() if f in names and each.goes}


def without(directory: Sequence[Entry], files: set[str]) -> list[Entry]:
    return [each for each in directory if each.file not in files]


def holds(pin: Pin | None) -> bool:
    return pin is not None and (pin.until is None or pin.until > NOW)


laws = settings(max_examples=35, deadline=None)


@laws
@given(entries(), retentions, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(
    directory: list[Entry], retention: Retention, random: Random
) -> None:
    shuffled = random.sample(directory, len(directory))
    assert decide(shuffled, retention, VIENNA, NOW) == decide(directory, retention, VIENNA, NOW)


@laws
@given(entries(), retentions)
def test_every_entry_is_decided_once_with_a_reason_newest_first(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = decide(directory, retention, VIENNA, NOW)
    # The builder names a backup after its start in UTC.
    assert [each.file for each in decisions] == sorted((e.file for e in directory), reverse=True)
    for each in decisions:
        assert bool(each.keeps) is each.keep
        assert bool(each.goes) is (not each.keep or each.held_back)


@laws
@given(entries(), retentions)
def test_the_newest_verified_backups_of_each_family_never_go(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = ask(directory, retention)
    for family in (FAMILY, OTHER_FAMILY):
        newest = of_family(counting(directory), family)[: retention.minimum]
        assert all(decisions[each.file].keep and not decisions[each.file].goes for each in newest)


@laws
@given(entries(), retentions)
def test_a_backup_in_one_of_its_windows_never_goes(
    directory: list[Entry], retention: Retention
) -> None:
    # Bounds from below: no day is shorter than 23 hours, no month than 28 days.
    least = {
        Tier.DAILY: retention.daily,
        Tier.WEEKLY: (retention.weekly or 0) * 7,
        Tier.MONTHLY: (retention.monthly or 0) * 28,
        Tier.MANUAL: retention.manual,
        Tier.PRE_RESTORE: retention.pre_restore,
    }
    decisions = ask(directory, retention)
    for each in counting(directory):
        for tier in each.tiers:
            days = least[tier]
            if days is None or NOW - each.started_at < days * DAY - timedelta(hours=1):
                assert not decisions[each.file].goes


def calendar_end(tier: Tier, retention: Retention, start: datetime) -> datetime:
    """The end of a window in UTC, found by walking from day to day."""
    if tier is not Tier.MONTHLY:
        days = {
            Tier.DAILY: retention.daily,
            Tier.WEEKLY: (retention.weekly or 0) * 7,
            Tier.MANUAL: retention.manual,
            Tier.PRE_RESTORE: retention.pre_restore,
        }[tier]
        return datetime.max.replace(tzinfo=UTC) if days is None else start + days * DAY
    end, months = start, 0
    while months < (retention.monthly or 0):
        end += DAY
        clamped = (end + DAY).day == 1 and end.day < start.day
        months += end.day == start.day or clamped
    return end


def let_go(each: Backup, retention: Retention, family: Sequence[Backup]) -> bool:
    """The rules of retention, word by word; `family` holds the backups that count."""
    newer = [other for other in family if other.started_at > each.started_at]
    wanted = {Tier.DAILY: retention.daily, Tier.WEEKLY: retention.weekly}
    wanted[Tier.MONTHLY] = retention.monthly
    for tier in each.tiers:
        if calendar_end(tier, retention, each.started_at) > NOW:
            return False
        if sum(tier in other.tiers for other in newer) < (wanted.get(tier) or 0):
            return False
    return len(newer) >= retention.minimum and not holds(each.pin)


@settings(max_examples=80, deadline=None)
@given(entries(), retentions)
def test_a_backup_may_go_exactly_when_no_rule_keeps_it(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = {each.file: each for each in decide(directory, retention, UTC_ZONE, NOW)}
    counted = counting(directory)
    for each in counted:
        family = of_family(counted, each.backup_set.family_guid)
        assert bool(decisions[each.file].goes) is let_go(each, retention, family)


@laws
@given(entries(), retentions)
def test_what_is_not_verified_or_from_the_future_never_goes(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = ask(directory, retention)
    for each in directory:
        decision = decisions[each.file]
        if about(each).going is not None:
            assert not decision.keep
        elif each.state is not State.VERIFIED or about(each).started_at > NOW:
            assert decision.keep
            assert not decision.held_back


@laws
@given(entries(), retentions)
def test_what_counts_for_nothing_changes_nothing(
    directory: list[Entry], retention: Retention
) -> None:
    counted = {each.file for each in counting(directory)}
    alone = [each for each in directory if each.file in counted]
    everything = ask(directory, retention)
    assert ask(alone, retention) == {f: each for f, each in everything.items() if f in counted}


@laws
@given(entries(min_size=1), retentions, st.data())
def test_a_pin_holds_its_own_file_and_changes_no_other(
    directory: list[Entry], retention: Retention, data: st.DataObject
) -> None:
    staying = [each for each in directory if about(each).going is None]
    assume(staying)
    chosen = data.draw(st.sampled_from(staying))
    held = replace(chosen, backup=replace(about(chosen), pin=Pin(until=None, reason="evidence")))
    pinned = [held if each is chosen else each for each in directory]
    decision = ask(pinned, retention)[chosen.file]
    assert decision.keep
    assert not decision.goes
    assert may_go(pinned, retention) == may_go(directory, retention) - {chosen.file}


@laws
@given(entries(), retentions)
def test_another_family_changes_nothing_but_the_measure_of_the_brake(
    directory: list[Entry], retention: Retention
) -> None:
    ours = [each for each in directory if about(each).backup_set.family_guid == FAMILY]
    theirs = [each for each in directory if each not in ours]
    assert may_go(directory, retention) == may_go(ours, retention) | may_go(theirs, retention)


@laws
@given(entries(), retentions)
def test_a_sweep_takes_the_oldest_and_no_more_than_the_brake_allows(
    directory: list[Entry], retention: Retention
) -> None:
    decisions = ask(directory, retention)
    counted = counting(directory)
    free = [each.file for each in counted if decisions[each.file].goes]
    taken = [file for file in free if not decisions[file].keep]
    allowed = max(2, len(counted) // 4)
    assert taken == free[max(0, len(free) - allowed) :]
    assert {f for f, each in decisions.items() if each.held_back} == set(free) - set(taken)


@laws
@given(entries(), retentions)
def test_sweeps_come_to_an_end_at_what_the_first_one_would_keep(
    directory: list[Entry], retention: Retention
) -> None:
    free = may_go(directory, retention)
    begun = {f for f, each in ask(directory, retention).items() if not each.keep} - free
    here = directory
    while taken := {f for f, each in ask(here, retention).items() if not each.keep}:
        here = without(here, taken)
    assert here == without(directory, free | begun)
    assert not any(each.held_back or each.goes for each in ask(here, retention).values())


@laws
@given(entries(), retentions, st.data())
def test_removals_in_any_order_change_no_answer_for_the_rest(
    directory: list[Entry], retention: Retention, data: st.DataObject
) -> None:
    """A sweep that fails half way leaves a directory for which the same still holds."""
    free = may_go(directory, retention)
    removed = set(data.draw(st.lists(st.sampled_from(sorted(free)))) if free else [])
    assert may_go(without(directory, removed), retention) == free - removed


@laws
@given(entries(), retentions, tiers, families, st.integers(0, 24 * 100))
def test_one_more_backup_keeps_no_older_one(
    directory: list[Entry],
    retention: Retention,
    carried: tuple[Tier, ...],
    family: str,
    age_h: int,
) -> None:
    """It adds to counts and pushes others down from the newest, so it can only let go.

    This is about what may go. Which of these a sweep takes is the brake's choice: an older
    one that is let go in addition comes first, and then another waits.
    """
    added = backup(NOW - timedelta(hours=age_h, minutes=-30), carried, family=family)
    if added.started_at > NOW:
        added = replace(added, started_at=NOW)
    older = {each.file for each in directory if about(each).started_at < added.started_at}
    before, after = may_go(directory, retention), may_go([*directory, entry(added)], retention)
    assert before & older <= after


@laws
@given(entries(), retentions)
def test_goes_at_is_the_first_moment_at_which_time_alone_lets_a_backup_go(
    directory: list[Entry], retention: Retention
) -> None:
    for file, decision in ask(directory, retention).items():
        if not decision.keep:
            assert decision.goes_at == NOW
        elif decision.goes_at is not None:
            assert decision.goes_at > NOW
            just_before = decision.goes_at - timedelta.resolution
            assert ask(directory, retention, decision.goes_at)[file].goes
            assert not ask(directory, retention, just_before)[file].goes


def test_the_directories_above_reach_every_kind_of_decision() -> None:
    """Laws about backups that go would hold for directories in which none ever does."""
    seen: Counter[str] = Counter()

    @settings(max_examples=400, deadline=None, derandomize=True)  # the rarest kind comes 50 times
    @given(entries(), retentions)
    def look(directory: list[Entry], retention: Retention) -> None:
        for each in ask(directory, retention).values():
            seen["goes"] += bool(each.goes) and not each.held_back
            seen["held back"] += each.held_back
            seen["dated"] += each.goes_at is not None and each.keep
            seen.update(reason.partition(" ")[0] for reason in (*each.keeps, *each.goes))

    look()
    every = ("goes", "held back", "dated", "daily", "daily:", "weekly:", "pinned", "its", "left")
    assert {kind for kind in every if not seen[kind]} == set(), seen
