"""`selfmx-backupd simulate`: what schedule and retention would leave, before they do.

It asks nothing but the configuration and the clock.
"""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from selfmx_backupd import text
from selfmx_backupd.config import load
from selfmx_backupd.errors import UsageError
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import SCHEDULED_TIERS, Backup, Decision, Tier
from selfmx_backupd.policy.simulation import Outcome, Reach, reach, simulate
from selfmx_backupd.wiring import world_of

_RANGE = re.compile(r"([0-9]{1,9})\.\.([0-9]{1,9})")

_MARKS = {Tier.MONTHLY: "m", Tier.WEEKLY: "w", Tier.DAILY: "d"}  # the longest kept first
_BY_NO_TIER = "*"
_NONE = "."
_OFF = "-"
_LEGEND = "m monthly, w weekly, d daily, . no backup of that day, - off"
_LEGEND_BY_NO_TIER = "* no tier keeps it: among the newest, or it may go at the next sweep"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was asked, and what came of it; `starts_at` is UTC."""

    world: World
    starts_at: datetime
    off: Sequence[tuple[int, int]]
    outcome: Outcome

    def left(self) -> Iterator[tuple[Backup, Decision]]:
        """Each backup that is left and what retention says of it, the newest first."""
        return zip(self.outcome.backups, self.outcome.decisions, strict=True)

    def kept_as(self, tier: Tier) -> Reach:
        """How far back the backups reach that a tier keeps."""
        kept = (backup for backup, decision in self.left() if tier in decision.kept_as)
        return reach(kept, self.world.zone)


def main(arguments: argparse.Namespace) -> int:
    """Print what would be left."""
    off = _ranges(arguments.off, arguments.days)
    world = world_of(load(arguments.config))
    now = world.now()
    numbers = frozenset(day for first, last in off for day in range(first, last + 1))
    outcome = simulate(world.schedule, world.retention, now, arguments.days, numbers)
    answer = _Answer(world, now, off, outcome)
    print(as_json(answer) if arguments.json else as_text(answer))
    return 0


def as_json(answer: _Answer) -> str:
    """One document; packaging/json-schemas/simulate.schema.json describes it."""
    outcome, zone = answer.outcome, answer.world.zone
    document = {
        "schema": 1,
        "at": answer.starts_at.isoformat(),
        "ends_at": outcome.ends_at.isoformat(),
        "timezone": zone.key,
        "days": len(outcome.dates),
        "off": [{"first": first, "last": last} for first, last in answer.off],
        "taken": outcome.taken,
        "removed": outcome.taken - len(outcome.backups),
        "held_back": outcome.held_back,
        "guard": outcome.guard,
        "kept": _reach_document(reach(outcome.backups, zone)),
        "kept_as": {tier: _reach_document(answer.kept_as(tier)) for tier in SCHEDULED_TIERS},
        "backups": [_backup_document(*each) for each in answer.left()],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_text(answer: _Answer) -> str:
    """A calendar of what can be restored at the end, and how far back it reaches."""
    outcome, zone = answer.outcome, answer.world.zone
    marks = _marks(answer)
    rows = [_row("all", reach(outcome.backups, zone), zone)]
    rows += [_row(tier, answer.kept_as(tier), zone) for tier in SCHEDULED_TIERS]
    span = text.count(len(outcome.dates), "day")
    last_day = f"{outcome.dates[-1]:%Y-%m-%d}"
    removed = outcome.taken - len(outcome.backups)
    lines = [
        f"what could be restored after {span}, at the end of {last_day}, {zone.key}",
        "if it began with an empty directory now, and every backup succeeded",
        "",
        text.calendar(marks),
        "",
        _LEGEND,
        *([_LEGEND_BY_NO_TIER] if _BY_NO_TIER in marks.values() else []),
        "",
        text.table(("KEPT AS", "FILES", "OLDEST", "NEWEST", "LARGEST GAP"), rows),
        "",
        f"{text.count(outcome.taken, 'backup')} taken, {removed} removed",
    ]
    if outcome.held_back:
        waiting = text.count(outcome.held_back, "backup")
        reason = outcome.guard or "one removes a quarter at most"
        lines.append(f"the last sweep held {waiting} back: {reason}")
    if answer.world.schedule.sweep is None:
        lines.append("schedule.sweep is off: nothing is ever removed")
    return "\n".join(lines)


def _ranges(texts: Sequence[str], days: int) -> list[tuple[int, int]]:
    ranges = []
    for each in texts:
        found = _RANGE.fullmatch(each)
        if found is None:
            _refuse(each, days, "is no range of days")
        first, last = int(found[1]), int(found[2])
        if first > last:
            _refuse(each, days, "ends before it begins")
        if first < 1 or last > days:
            _refuse(each, days, f"is not within the days 1 to {days}")
        ranges.append((first, last))
    return ranges


def _refuse(given: str, days: int, why: str) -> NoReturn:
    raise UsageError(
        f'argument --off: "{given}" {why}',
        hint=f"Write the first and the last day that are off, like 1..{days}; day 1 is today.",
    )


def _marks(answer: _Answer) -> dict[date, str]:
    """A character for each day: off, without a backup, or by the tier that keeps it longest."""
    zone = answer.world.zone
    kept: dict[date, set[Tier]] = {}
    for backup, decision in answer.left():
        kept.setdefault(backup.started_at.astimezone(zone).date(), set()).update(decision.kept_as)
    marks = {}
    for number, day in enumerate(answer.outcome.dates, start=1):
        if day in kept:
            by_tier = (mark for tier, mark in _MARKS.items() if tier in kept[day])
            marks[day] = next(by_tier, _BY_NO_TIER)
        else:
            is_off = any(first <= number <= last for first, last in answer.off)
            marks[day] = _OFF if is_off else _NONE
    return marks


def _row(name: str, of: Reach, zone: ZoneInfo) -> tuple[str, ...]:
    def day(at: datetime | None) -> str:
        return text.local_date(at, zone) if at else "-"

    gap = text.count(of.largest_gap_days, "day") if of.largest_gap_days is not None else "-"
    return (name, str(of.files), day(of.oldest_at), day(of.newest_at), gap)


def _reach_document(of: Reach) -> dict[str, Any]:
    return {
        "files": of.files,
        "oldest_at": of.oldest_at.isoformat() if of.oldest_at else None,
        "newest_at": of.newest_at.isoformat() if of.newest_at else None,
        "largest_gap_days": of.largest_gap_days,
    }


def _backup_document(backup: Backup, decision: Decision) -> dict[str, Any]:
    """What a listed backup's document has, without what the simulation only invents."""
    return {
        "started_at": backup.started_at.isoformat(),
        "tiers": list(backup.tiers),
        "trigger": backup.trigger,
        "kept_as": list(decision.kept_as),
        "keeps": list(decision.keeps),
        "goes": list(decision.goes),
        "goes_at": decision.goes_at.isoformat() if decision.goes_at else None,
    }
