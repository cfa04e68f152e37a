"""`selfmx-backupd schedule`: the next runs, and what summer time does to them.

It asks nothing but the configuration and the clock.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from selfmx_backupd import text
from selfmx_backupd.config import load
from selfmx_backupd.model import SCHEDULED_TIERS, Tier
from selfmx_backupd.policy.rules import Daily, Rule
from selfmx_backupd.policy.schedule import (
    Change,
    Schedule,
    Touched,
    next_runs,
    next_slot,
    touched,
)
from selfmx_backupd.wiring import world_of


@dataclass(frozen=True, slots=True)
class _Run:
    """One instant and what runs at it; `tiers` is empty for a sweep."""

    at: datetime
    tiers: tuple[Tier, ...]
    notes: tuple[Touched, ...]


def main(arguments: argparse.Namespace) -> int:
    """Print the next runs."""
    world = world_of(load(arguments.config))
    answer = as_json if arguments.json else as_text
    print(answer(world.schedule, world.now(), arguments.count))
    return 0


def as_json(schedule: Schedule, now: datetime, count: int) -> str:
    """One document; packaging/json-schemas/schedule.schema.json describes it."""
    sweep = _next_sweep(schedule, now)
    document = {
        "schema": 1,
        "at": now.isoformat(),
        "timezone": schedule.zone.key,
        "runs": [
            {**_instant(run, schedule, now), "tiers": list(run.tiers)}
            for run in _runs(schedule, now, count)
        ],
        "sweep": _instant(sweep, schedule, now) if sweep else None,
        "off": _off(schedule),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_text(schedule: Schedule, now: datetime, count: int) -> str:
    """A table with one line for each backup, then the sweep, and what is off."""
    runs = _runs(schedule, now, count)
    rows = [
        (
            text.local(run.at, schedule.zone),
            text.local(run.at, UTC),
            text.age(run.at - now),
            ", ".join(run.tiers),
        )
        for run in runs
    ]
    header, *told = text.table(("BACKUP", "UTC", "IN", "TIERS"), rows).splitlines()
    lines = [header] if runs else ["no backup is scheduled"]
    for run, line in zip(runs, told, strict=True):
        lines += [line, *_notes_below(run, schedule)]
    sweep = _next_sweep(schedule, now)
    off = _off(schedule)
    lines += [""] if sweep or off else []
    if sweep:
        local, utc = text.local(sweep.at, schedule.zone), text.local(sweep.at, UTC)
        when = f"next {local}, {utc}, in {text.age(sweep.at - now)}"
        lines += [f"sweep: every day at {schedule.sweep:%H:%M}, {when}"]
        lines += _notes_below(sweep, schedule)
    if off:
        lines.append(f"off: {', '.join(off)}")
    return "\n".join(lines)


def _runs(schedule: Schedule, now: datetime, count: int) -> list[_Run]:
    runs = []
    for at, together in groupby(next_runs(now, schedule, count), key=lambda run: run.at):
        tiers = tuple(run.tier for run in together)
        rules = (schedule.tiers[tier] for tier in tiers)
        runs.append(_Run(at, tiers, _touched(rules, schedule, at)))
    return runs


def _next_sweep(schedule: Schedule, now: datetime) -> _Run | None:
    if schedule.sweep is None:
        return None
    rule = Daily(schedule.sweep)
    at = next_slot(rule, schedule.zone, now)
    return _Run(at, (), _touched((rule,), schedule, at))


def _touched(rules: Iterable[Rule], schedule: Schedule, at: datetime) -> tuple[Touched, ...]:
    """What the clocks do to the rules that run at an instant; tiers of one time share it."""
    found = (touched(rule, schedule.zone, at) for rule in rules)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _off(schedule: Schedule) -> list[str]:
    off = [str(tier) for tier in SCHEDULED_TIERS if tier not in schedule.tiers]
    return off if schedule.sweep is not None else [*off, "sweep"]


def _instant(run: _Run, schedule: Schedule, now: datetime) -> dict[str, Any]:
    local = run.at.astimezone(schedule.zone)
    return {
        "at": run.at.isoformat(),
        "local": local.isoformat(),
        "zone": local.tzname(),
        "in_s": int((run.at - now).total_seconds()),
        "notes": [
            {
                "change": each.change,
                "configured": each.wall.isoformat(),
                "sentence": _sentence(each, local),
            }
            for each in run.notes
        ],
    }


def _notes_below(run: _Run, schedule: Schedule) -> list[str]:
    local = run.at.astimezone(schedule.zone)
    return [f"  note: {_sentence(each, local)}" for each in run.notes]


def _sentence(note: Touched, runs_at: datetime) -> str:
    """What the clocks do to a time, and when it runs; `runs_at` is local."""
    configured, day = f"{note.wall:%H:%M}", f"{note.wall:%Y-%m-%d}"
    match note.change:
        case Change.REPEATED:
            return f"{configured} exists twice on {day}: it runs at the first, {runs_at:%Z}"
        case Change.SKIPPED:
            same_day = runs_at.date() == note.wall.date()
            ends = f"{runs_at:%H:%M}" if same_day else f"{runs_at:%Y-%m-%d %H:%M}"
            return f"{configured} does not exist on {day}: it runs when the gap ends, {ends}"
