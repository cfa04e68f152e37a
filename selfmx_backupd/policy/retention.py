"""Which backups may go, and why the others stay.

- A backup leaves a scheduled tier when it is older than the tier's window and at
  least as many newer backups of its database family carry that tier as the window
  counts. Age alone would empty the directory after an outage, a count alone after a
  burst of backups. It leaves manual and pre_restore by age alone.
- A backup may go when it has left all its tiers, no pin holds it, and it is not one
  of the newest of its family, which always stay.
- Only a verified backup counts, and only a verified one may go. One that is dated in
  the future never goes and counts for nothing: it only proves that a clock was wrong.
- A pin holds its own file and changes nothing for any other. This needs no special
  case, and it makes no difference whether a backup that only its pin keeps is counted:
  it has left its tier because enough newer backups carry it, and those are newer than
  everything older too. Nor is it one of the newest: they stay without a pin.
- For the same reason no removal changes the answer for what remains.
- The brake: one sweep takes a quarter of the backups at most, oldest first, so that a
  mistake costs days and not a night.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from selfmx_backupd.model import SCHEDULED_TIERS, Backup, Decision, Entry, Pin, State, Tier

# A century of days. Everything up to here is a date that the calendar of Python has.
LONGEST_WINDOW = 36_500

# What one sweep may take: a quarter, and two even where a quarter is less.
BRAKE_SHARE = 4
BRAKE_ALWAYS = 2

HELD_BACK = "held back by the brake"

_DAYS_A_WEEK = 7
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long backups are kept; None is for ever.

    Attributes:
        daily: Days, and also how many newer daily backups there must be.
        weekly: Weeks, and how many newer weekly backups.
        monthly: Months, and how many newer monthly backups.
        manual: Days.
        pre_restore: Days.
        minimum: So many of the newest backups of each database family always stay.
    """

    daily: int | None
    weekly: int | None
    monthly: int | None
    manual: int | None
    pre_restore: int | None
    minimum: int

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value is not None and not 1 <= value <= LONGEST_WINDOW:
                raise ValueError(f"{entry.name} is {value}, write 1 to {LONGEST_WINDOW}")

    def window(self, tier: Tier) -> int | None:
        """Return the tier's window in its own unit: days, weeks or months."""
        match tier:
            case Tier.DAILY:
                return self.daily
            case Tier.WEEKLY:
                return self.weekly
            case Tier.MONTHLY:
                return self.monthly
            case Tier.MANUAL:
                return self.manual
            case Tier.PRE_RESTORE:
                return self.pre_restore


@dataclass(frozen=True, slots=True)
class _Standing:
    """One thing that keeps a backup, or kept it once.

    Attributes:
        words: For the operator.
        holds: Whether it keeps the backup now.
        ends_at: When time alone ends it, UTC; None where time alone does not.
    """

    words: str
    holds: bool = True
    ends_at: datetime | None = None


def decide(
    entries: Sequence[Entry], retention: Retention, zone: ZoneInfo, now: datetime
) -> tuple[Decision, ...]:
    """Decide for every backup whether it stays.

    A decision that is held back has `keep` and also `goes`, the reasons that will let it go
    in a later sweep. Whoever passes the brake takes it as well. `goes_at` is `now` where the
    backup may go at once.

    Args:
        entries: All backups of the directory, in any order; of any number of databases.
        retention: The rules.
        zone: Windows are calendar arithmetic in it, and dates in reasons are local to it.
        now: UTC.

    Returns:
        One decision for each entry, the newest first; entries without a readable manifest
        are last. Equal dates are ordered by the file's name.
    """
    judge = _Judge(retention, zone, now)
    ordered = sorted(entries, key=_age_key, reverse=True)
    counted = [entry.backup for entry in ordered if entry.backup and _counts(entry, now)]
    by_file = {decision.file: decision for decision in _brake(judge.counted(counted))}
    return tuple(by_file.get(entry.file) or judge.uncounted(entry) for entry in ordered)


@dataclass(frozen=True, slots=True)
class _Judge:
    """What every judgement needs: the rules, the zone of dates and windows, the time in UTC."""

    retention: Retention
    zone: ZoneInfo
    now: datetime

    def counted(self, backups: Sequence[Backup]) -> list[Decision]:
        """Decide for all backups that count, given and returned newest first; without the brake."""
        newer: Counter[tuple[str, Tier]] = Counter()
        ranks: Counter[str] = Counter()
        decisions = []
        for backup in backups:
            family = backup.backup_set.family_guid
            ranks[family] += 1
            # In the order of Tier, and each one once, however the manifest has them.
            tiers = [tier for tier in Tier if tier in backup.tiers]
            by_tier = {tier: self._tier(tier, backup, newer[family, tier]) for tier in tiers}
            others = (*self._rank(ranks[family]), *self._pin(backup.pin))
            decisions.append(self._conclude(backup, by_tier, others))
            newer.update((family, tier) for tier in tiers)
        return decisions

    def uncounted(self, entry: Entry) -> Decision:
        """Decide for one that counts for nothing: it stays, unless its deletion has begun."""
        backup = entry.backup
        if backup is None:
            return _stays(entry.file, (f"{entry.state}: {entry.reason}",))
        if backup.going:  # a pin that comes later takes this mark away, see jobs/pins.py
            begun = f"deletion begun on {self._date(backup.going.at)} ({backup.going.reason})"
            return _goes(entry.file, (begun,), self.now)
        pins = tuple(pin.words for pin in self._pin(backup.pin) if pin.holds)
        if entry.state is not State.VERIFIED:
            return _stays(entry.file, (f"{entry.state}: {entry.reason}", *pins))
        return _stays(entry.file, (f"dated in the future, {self._date(backup.started_at)}", *pins))

    def _conclude(
        self, backup: Backup, by_tier: Mapping[Tier, _Standing], others: Sequence[_Standing]
    ) -> Decision:
        standings = (*by_tier.values(), *others)
        holding = [standing for standing in standings if standing.holds]
        if not backup.tiers:
            # No rule speaks of such a backup, so no rule lets it go.
            return _stays(backup.file, ("carries no tier", *(each.words for each in holding)))
        if not holding:
            return _goes(backup.file, tuple(each.words for each in standings), self.now)
        ends = [standing.ends_at for standing in holding if standing.ends_at is not None]
        goes_at = max(ends) if len(ends) == len(holding) else None
        kept_as = tuple(tier for tier, standing in by_tier.items() if standing.holds)
        return _stays(backup.file, tuple(each.words for each in holding), goes_at, kept_as)

    def _tier(self, tier: Tier, backup: Backup, newer: int) -> _Standing:
        """Judge by one tier; so many `newer` backups of the family carry it."""
        window = self.retention.window(tier)
        if window is None:
            return _Standing(f"{tier} for ever")
        wanted = window if tier in SCHEDULED_TIERS else 0
        until = self._until(tier, window, backup.started_at)
        enough = newer >= wanted
        if until > self.now:
            words = f"{tier} until {self._date(until)}"
            return _Standing(words, ends_at=until if enough else None)
        if not enough:
            return _Standing(f"{tier}: only {newer} newer, {wanted} wanted")
        # The window's end. When the last of the newer ones came can no longer be told: some of
        # them have gone since.
        return _Standing(f"left {tier} on {self._date(until)}", holds=False)

    def _rank(self, rank: int) -> tuple[_Standing, ...]:
        """Judge by the place, from 1 on, among the newest of the family."""
        minimum = self.retention.minimum
        if rank > minimum:
            return ()
        return (_Standing("the newest" if minimum == 1 else f"one of the {minimum} newest"),)

    def _pin(self, pin: Pin | None) -> tuple[_Standing, ...]:
        if pin is None:
            return ()
        why = f" ({pin.reason})" if pin.reason else ""
        if pin.until is None:
            return (_Standing(f"pinned for ever{why}"),)
        holds = pin.until > self.now
        words = f"pinned until {self._date(pin.until)}{why}" if holds else "its pin has ended"
        return (_Standing(words, holds=holds, ends_at=pin.until),)

    def _until(self, tier: Tier, window: int, started_at: datetime) -> datetime:
        """Return the end of a window, in UTC: the same wall time on a later local day.

        A month that is too short for the day ends the window on its last day.
        """
        local = started_at.astimezone(self.zone)
        if tier is Tier.MONTHLY:
            years, month_index = divmod(local.month - 1 + window, _MONTHS_A_YEAR)
            year, month = local.year + years, month_index + 1
            day = min(local.day, monthrange(year, month)[1])
            end = local.replace(year=year, month=month, day=day, fold=0)
        else:
            days = window * _DAYS_A_WEEK if tier is Tier.WEEKLY else window
            end = local + timedelta(days=days)  # of wall time, which is wanted here
        return end.astimezone(UTC)

    def _date(self, moment: datetime) -> str:
        # Not strftime, which is slow where a simulation asks for thousands of dates.
        return moment.astimezone(self.zone).date().isoformat()


def pick(
    decisions: Sequence[Decision], *, guarded: bool = False, force: bool = False
) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """Tell what one sweep takes from what waits for another, both oldest first.

    Args:
        decisions: Of all backups, as `decide` returns them.
        guarded: The clock cannot be trusted with the age of backups: nothing goes.
        force: A person says that it goes all the same, and what the brake holds back too.
    """
    may_go = [decision for decision in reversed(decisions) if decision.goes]
    if force:
        return tuple(may_go), ()
    waits = [decision for decision in may_go if guarded or decision.held_back]
    return tuple(each for each in may_go if each not in waits), tuple(waits)


def _age_key(entry: Entry) -> tuple[datetime, str]:
    started_at = entry.backup.started_at if entry.backup else datetime.min.replace(tzinfo=UTC)
    return started_at, entry.file


def _counts(entry: Entry, now: datetime) -> bool:
    backup = entry.backup
    if entry.state is not State.VERIFIED or backup is None:
        return False
    return backup.going is None and backup.started_at <= now


def _brake(decisions: Sequence[Decision]) -> list[Decision]:
    """Hold back what is too much for one sweep, the newest first; the order stays."""
    allowed = max(BRAKE_ALWAYS, len(decisions) // BRAKE_SHARE)
    may_go = [decision for decision in decisions if not decision.keep]
    waiting = {decision.file for decision in may_go[: max(0, len(may_go) - allowed)]}
    return [_hold_back(each) if each.file in waiting else each for each in decisions]


def _stays(
    file: str,
    keeps: tuple[str, ...],
    goes_at: datetime | None = None,
    kept_as: tuple[Tier, ...] = (),
) -> Decision:
    return Decision(file, keep=True, keeps=keeps, goes=(), goes_at=goes_at, kept_as=kept_as)


def _goes(file: str, goes: tuple[str, ...], now: datetime) -> Decision:
    return Decision(file, keep=False, keeps=(), goes=goes, goes_at=now)


def _hold_back(decision: Decision) -> Decision:
    return replace(decision, keep=True, keeps=(HELD_BACK,), goes_at=None, held_back=True)
