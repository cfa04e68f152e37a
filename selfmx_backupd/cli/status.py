"""`selfmx-backupd status`: what can be got back, what comes next, is anything wrong.

It asks no server and changes nothing. Its exit code is a monitoring plug-in's, and so is
its first line.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from selfmx_backupd import log, text
from selfmx_backupd.assessment import Assessment, Disk, Situation
from selfmx_backupd.cli.status_document import as_document
from selfmx_backupd.config import load
from selfmx_backupd.jobs.assess import look_from_outside
from selfmx_backupd.policy import health
from selfmx_backupd.typed import typed
from selfmx_backupd.wiring import health_limits, world_of

_NOTHING = "-"


def main(arguments: argparse.Namespace) -> int:
    """Assess, print, and exit with the verdict."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    limits = health_limits(world.settings.health)
    assessed = health.assess(look_from_outside(world), limits)
    if arguments.json:
        print(json.dumps(as_document(assessed, world.zone), indent=2, ensure_ascii=False))
    else:
        print(typed(as_text(assessed, world.zone)))
    return int(assessed.verdict)


def as_text(assessed: Assessment, zone: ZoneInfo) -> str:
    """The plug-in's line, everything that is wrong, and what there is."""
    seen = assessed.seen
    blocks = [
        [text.headline(assessed, zone)],
        list(_findings(assessed)),
        [_tiers(seen, zone)],
        list(_facts(seen, zone)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _findings(assessed: Assessment) -> Iterator[str]:
    for each in assessed.findings:
        yield f"{each.severity.name.lower()}: {each.sentence}"
        if each.hint:
            yield f"  {each.hint}"


def _tiers(seen: Situation, zone: ZoneInfo) -> str:
    due = {each.tier: each.since for each in seen.due}
    following = {each.tier: each.at for each in seen.next_runs}
    rows = [
        (
            tier,
            str(len(backups)),
            _at(backups[0].started_at if backups else None, zone),
            _at(due.get(tier) if seen.sees_all else None, zone),
            _at(following.get(tier), zone),
        )
        for tier, backups in seen.by_tier.items()
    ]
    return text.table(("TIER", "VERIFIED", "NEWEST", "DUE SINCE", "NEXT"), rows)


def _facts(seen: Situation, zone: ZoneInfo) -> Iterator[str]:
    facts = [
        ("newest", _newest(seen, zone)),
        ("now", _running(seen)),
        ("daemon", _daemon(seen, zone)),
        ("disk", _disk(seen.disk)),
    ]
    plan = seen.outcomes.restore
    for each in plan.kept if plan else ():
        words = f"{each.name}, since {text.local(each.since, zone)}: selfmx-restore --drop-old"
        facts.append(("kept", words))
    width = max(len(name) for name, _ in facts)
    return (f"{name.ljust(width)}  {words}" for name, words in facts)


def _newest(seen: Situation, zone: ZoneInfo) -> str:
    newest = seen.newest
    if newest is None:
        return "none" if seen.sees_all else "cannot be seen"
    taken = f"taken {text.local(newest.started_at, zone)}"
    proven = f"proven {_at(newest.verified.at if newest.verified else None, zone)}"
    return f"{newest.file}, {text.size(newest.size_bytes)}, {taken}, {proven}"


def _running(seen: Situation) -> str:
    mark = seen.running
    if mark is None:
        return "nothing is under way"
    return f"{mark.detail} for {text.age(seen.now - mark.started_at)}: {mark.step}"


def _daemon(seen: Situation, zone: ZoneInfo) -> str:
    if seen.daemon is None:
        return "cannot be seen"
    if not seen.daemon.lives:
        return "does not run"
    since = f" since {text.local(seen.daemon.since, zone)}" if seen.daemon.since else ""
    pid = f", process {seen.daemon.pid}" if seen.daemon.pid is not None else ""
    return f"runs{since}{pid}"


def _disk(disk: Disk | None) -> str:
    if disk is None:
        return "cannot be seen"
    free, total = text.size(disk.free_bytes), text.size(disk.total_bytes)
    return f"{free} of {total} free ({disk.free_percent:.0f} %); {_lasts(disk)}"


def _lasts(disk: Disk) -> str:
    """How long the disk lasts, as far as that is known."""
    outlook = disk.outlook
    if outlook is None:
        return "how long that lasts is unknown, no backup tells"
    growth = "at the present growth"
    ahead = "retention keeps some backups for ever"
    if outlook.to_come_bytes is not None:
        ahead = f"retention will keep up to {text.size(outlook.to_come_bytes)} more than now"
    if outlook.lasts_days is not None:
        lasts = f"that lasts about {text.count(outlook.lasts_days, 'day')} {growth}"
    elif outlook.known_days:
        lasts = f"that lasts more than {text.count(outlook.known_days, 'day')} {growth}"
    else:
        lasts = "how long that lasts is unknown, the backups do not reach back a week"
    return f"{lasts}; {ahead}"


def _at(at: datetime | None, zone: ZoneInfo) -> str:
    return text.local(at, zone) if at else _NOTHING
