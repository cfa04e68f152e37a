from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from selfmx_backupd.model import (
    SCHEDULED_TIERS,
    Backup,
    Decision,
    Entry,
    Going,
    Pin,
    State,
    Tier,
)
from selfmx_backupd.policy.retention import HELD_BACK, Retention, decide
from tests.build import OTHER_FAMILY, VIENNA, backup, entry, in_zone, utc

DAY = timedelta(days=1)
SEVEN_FOUR_TWELVE = Retention(daily=7, weekly=4, monthly=12, manual=30, pre_restore=30, minimum=3)
NOW = in_zone("2026-11-24 04:00")


def rules(
    *, daily: int | None = 7, monthly: int | None = 12, manual: int | None = 30, minimum: int = 1
) -> Retention:
    return Retention(
        daily=daily, weekly=4, monthly=monthly, manual=manual, pre_restore=30, minimum=minimum
    )


def dailies(count: int, newest: str = "2026-11-24 03:00") -> list[Backup]:
    """One backup a day, the newest first."""
    return [backup(in_zone(newest) - n * DAY) for n in range(count)]


def ask(
    backups: Iterable[Backup], retention: Retention = SEVEN_FOUR_TWELVE, now: datetime = NOW
) -> list[Decision]:
    return list(decide([entry(each) for each in backups], retention, VIENNA, now))


def test_a_backup_in_its_window_says_until_when() -> None:
    (*_, oldest) = ask(dailies(7))
    assert oldest.keeps == ("daily until 2026-11-25",)
    assert oldest.keep
    assert oldest.goes == ()


def test_the_newest_stay_whatever_their_age() -> None:
    old = [backup(in_zone("2020-01-01 03:00") + n * DAY, (Tier.MANUAL,)) for n in range(4)]
    first, second, third, fourth = ask(old)
    assert first.keeps == second.keeps == third.keeps == ("one of the 3 newest",)
    assert third.goes_at is None
    assert not fourth.keep


def test_a_minimum_of_one_is_called_the_newest() -> None:
    (only,) = ask([backup(in_zone("2020-01-01 03:00"), (Tier.MANUAL,))], rules(minimum=1))
    assert only.keeps == ("the newest",)


def test_the_eighth_daily_goes_when_seven_newer_ones_are_there() -> None:
    *others, eighth = ask(dailies(8))
    assert all(decision.keep for decision in others)
    assert eighth == Decision(
        eighth.file, keep=False, keeps=(), goes=("left daily on 2026-11-24",), goes_at=NOW
    )


def test_age_alone_lets_no_scheduled_backup_go() -> None:
    assert all(decision.keep for decision in ask(dailies(7), now=NOW + 1000 * DAY))
    oldest = ask(dailies(4), now=NOW + 1000 * DAY)[-1]
    assert oldest.keeps == ("daily: only 3 newer, 7 wanted",)
    assert oldest.goes_at is None


def test_a_burst_lets_no_backup_go_before_its_window_ends() -> None:
    burst = [backup(NOW - timedelta(minutes=n)) for n in range(30)]
    assert all(decision.keep for decision in ask(burst))


def test_a_backup_stays_until_it_has_left_all_its_tiers() -> None:
    oldest = backup(in_zone("2026-11-01 03:00"), SCHEDULED_TIERS)
    decision = ask([*dailies(8), oldest])[-1]
    assert decision.keeps == ("weekly until 2026-11-29", "monthly until 2027-11-01")


def test_an_outage_keeps_a_backup_until_enough_newer_ones_have_come() -> None:
    oldest = backup(in_zone("2026-01-01 03:00"))
    assert ask([*dailies(6), oldest])[-1].keeps == ("daily: only 6 newer, 7 wanted",)
    assert ask([*dailies(7), oldest])[-1].goes == ("left daily on 2026-01-08",)


def test_another_database_pushes_nothing_out() -> None:
    real = dailies(5, "2026-11-01 03:00")
    emptied = [backup(NOW - n * DAY, family=OTHER_FAMILY) for n in range(20)]
    kept = {decision.file for decision in ask([*real, *emptied]) if decision.keep}
    assert {each.file for each in real} <= kept


def test_manual_backups_leave_by_age_alone() -> None:
    newest = backup(NOW - DAY)
    manual = backup(in_zone("2026-10-25 04:00"), (Tier.MANUAL,))
    assert ask([newest, manual], rules())[1].goes == ("left manual on 2026-11-24",)
    before = ask([newest, manual], rules(), NOW - timedelta(seconds=1))[1]
    assert before.keeps == ("manual until 2026-11-24",)
    assert before.goes_at == NOW


def test_a_safety_backup_leaves_by_age_alone() -> None:
    undo = backup(NOW - 31 * DAY, (Tier.PRE_RESTORE,))
    assert ask([backup(NOW), undo], rules())[1].goes == ("left pre_restore on 2026-11-23",)


def test_for_ever_is_for_ever() -> None:
    oldest = ask([*dailies(20), backup(utc("2001-01-01 03:00"))], rules(daily=None))[-1]
    assert oldest.keeps == ("daily for ever",)
    assert oldest.goes_at is None


@pytest.mark.parametrize(
    ("tier", "started", "ends"),
    [
        (Tier.DAILY, "2026-03-22 02:30", "2026-03-29 03:30"),  # 02:30 does not exist
        (Tier.DAILY, "2026-10-24 03:00", "2026-10-31 03:00"),  # 7 days and one hour
        (Tier.WEEKLY, "2026-03-08 03:00", "2026-04-05 03:00"),  # 28 days less one hour
        (Tier.MONTHLY, "2025-01-31 03:00", "2026-01-31 03:00"),
        (Tier.MONTHLY, "2024-02-29 03:00", "2025-02-28 03:00"),
        (Tier.MONTHLY, "2025-03-29 02:30", "2026-03-29 03:30"),  # 02:30 does not exist
    ],
)
def test_windows_are_calendar_time_of_the_zone(tier: Tier, started: str, ends: str) -> None:
    oldest = backup(in_zone(started), (tier,))
    newer = [backup(in_zone(started) + timedelta(hours=n + 1), (tier,)) for n in range(12)]
    end = in_zone(ends)
    decision = ask([oldest, *newer], now=end - timedelta(seconds=1))[-1]
    assert decision.goes_at == end
    assert decision.goes_at.tzinfo is UTC
    assert not ask([oldest, *newer], now=end)[-1].keep


def test_a_month_that_is_too_short_ends_a_window_on_its_last_day() -> None:
    started = in_zone("2026-01-31 03:00")
    newer = backup(started + timedelta(hours=1), (Tier.MONTHLY,))
    decision = ask([backup(started, (Tier.MONTHLY,)), newer], rules(monthly=1), newer.started_at)
    assert decision[1].keeps == ("monthly until 2026-02-28",)
    assert decision[1].goes_at == in_zone("2026-02-28 03:00")


def test_a_window_of_a_century_is_a_date() -> None:
    longest = rules(daily=36_500, monthly=36_500)
    (decision,) = ask([backup(NOW, (Tier.DAILY, Tier.MONTHLY))], longest)
    assert decision.keeps[0] == "daily until 2126-10-31"


def test_dates_are_local() -> None:
    manual = backup(utc("2026-11-01 23:30"), (Tier.MANUAL,))
    assert ask([backup(NOW), manual], rules())[1].keeps == ("manual until 2026-12-02",)


def test_a_pin_holds_and_says_why() -> None:
    pin = Pin(until=in_zone("2026-12-24 00:00"), reason="before upgrade")
    *others, oldest = [*dailies(8), backup(in_zone("2026-11-01 03:00"), pin=pin)]
    decision = ask([*others, oldest])[-1]
    assert decision.keeps == ("pinned until 2026-12-24 (before upgrade)",)
    assert decision.goes_at == pin.until


def test_a_pin_without_an_end_holds_for_ever() -> None:
    pinned = backup(in_zone("2026-11-01 03:00"), pin=Pin(until=None, reason=""))
    decision = ask([*dailies(8), pinned])[-1]
    assert decision.keeps == ("pinned for ever",)
    assert decision.goes_at is None


def test_a_pin_that_has_ended_holds_nothing() -> None:
    pinned = backup(in_zone("2026-11-01 03:00"), pin=Pin(until=NOW, reason="before upgrade"))
    decision = ask([*dailies(8), pinned])[-1]
    assert decision.goes == ("left daily on 2026-11-08", "its pin has ended")


def test_a_pinned_backup_in_its_window_names_both() -> None:
    pin = Pin(until=in_zone("2026-12-24 00:00"), reason="")
    manual = backup(NOW - DAY, (Tier.MANUAL,), pin=pin)
    decision = ask([backup(NOW), manual], rules())[1]
    assert decision.keeps == ("manual until 2026-12-23", "pinned until 2026-12-24")
    assert decision.goes_at == pin.until


@pytest.mark.parametrize("state", [State.DAMAGED, State.UNKNOWN, State.MISSING])
def test_only_a_verified_backup_goes_and_only_a_verified_one_counts(state: State) -> None:
    *newer, oldest = dailies(8)
    worthless = entry(newer[0], state, "its size differs")
    decisions = decide(
        [worthless, *(entry(each) for each in [*newer[1:], oldest])],
        SEVEN_FOUR_TWELVE,
        VIENNA,
        NOW + 100 * DAY,
    )
    assert decisions[0].keeps == (f"{state}: its size differs",)
    assert decisions[-1].keeps == ("daily: only 6 newer, 7 wanted",)


def test_a_worthless_backup_names_its_pin_too() -> None:
    damaged = backup(NOW, pin=Pin(until=None, reason="evidence"))
    (decision,) = decide([entry(damaged, State.DAMAGED, "checksum")], rules(), VIENNA, NOW)
    assert decision.keeps == ("damaged: checksum", "pinned for ever (evidence)")


def test_a_backup_without_a_manifest_stays_and_is_last() -> None:
    bare = Entry("selfmx_20990101_030000.bak", State.UNKNOWN, "it has no manifest", None, 8192)
    decisions = decide([bare, entry(backup(NOW))], rules(), VIENNA, NOW)
    assert decisions[1] == Decision(
        bare.file, keep=True, keeps=("unknown: it has no manifest",), goes=(), goes_at=None
    )


def test_a_backup_from_the_future_never_goes_and_pushes_nothing_out() -> None:
    ahead = backup(NOW + timedelta(minutes=5))
    *newer, oldest = dailies(7)
    decisions = ask([ahead, *newer, oldest], now=NOW + timedelta(minutes=4))
    assert decisions[0].keeps == ("dated in the future, 2026-11-24",)
    assert all(decision.keep for decision in decisions)
    alone = ask([ahead, backup(NOW - 99 * DAY, (Tier.MANUAL,))], rules())
    assert alone[1].keeps == ("the newest",)


def test_a_deletion_that_has_begun_goes_on_and_counts_for_nothing() -> None:
    begun = Going(at=in_zone("2026-11-23 04:00"), reason="left daily on 2026-11-23")
    *newer, oldest = dailies(8)
    going = backup(newer[0].started_at, going=begun)
    decisions = ask([going, *newer[1:], oldest])
    assert not decisions[0].keep
    assert decisions[0].goes == ("deletion begun on 2026-11-23 (left daily on 2026-11-23)",)
    assert decisions[-1].keep


def test_a_deletion_that_has_begun_is_ended_by_no_pin() -> None:
    begun = Going(at=NOW - DAY, reason="left daily on 2026-11-23")
    going = backup(NOW - 9 * DAY, going=begun, pin=Pin(until=None, reason="evidence"))
    assert not ask([going])[0].keep


def test_a_backup_that_carries_no_tier_stays() -> None:
    assert ask([*dailies(8), backup(NOW - 99 * DAY, ())])[-1].keeps == ("carries no tier",)


def test_a_tier_that_a_manifest_names_twice_counts_once() -> None:
    twice = [backup(NOW - n * DAY, (Tier.DAILY, Tier.DAILY)) for n in range(5)]
    assert all(decision.keep for decision in ask(twice, now=NOW + 99 * DAY))


@pytest.mark.parametrize(("extra", "allowed"), [(3, 2), (1, 1), (20, 6)])
def test_the_brake_holds_back_all_but_the_oldest_quarter(extra: int, allowed: int) -> None:
    decisions = ask(dailies(7 + extra))
    gone = [decision for decision in decisions if not decision.keep]
    assert gone == decisions[len(decisions) - allowed :]
    held_back = decisions[7 : len(decisions) - allowed]
    assert all(each.held_back and each.keeps == (HELD_BACK,) for each in held_back)
    assert all(each.goes and each.goes_at is None for each in held_back)
    assert not any(each.held_back for each in [*decisions[:7], *gone])


def test_only_backups_that_count_give_the_brake_its_measure() -> None:
    manual = [backup(NOW - (40 + n) * DAY, (Tier.MANUAL,)) for n in range(11)]
    damaged = [entry(backup(NOW - (400 + n) * DAY), State.DAMAGED, "checksum") for n in range(20)]
    decisions = decide(
        [*damaged, *(entry(each) for each in [backup(NOW), *manual])], rules(), VIENNA, NOW
    )
    assert sum(not decision.keep for decision in decisions) == 3


@pytest.mark.parametrize("wrong", [0, -1, 36_501])
def test_a_window_that_makes_no_sense_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match=f"daily is {wrong}, write 1 to 36500"):
        rules(daily=wrong)
    with pytest.raises(ValueError, match="minimum"):
        rules(minimum=min(wrong, 0))
