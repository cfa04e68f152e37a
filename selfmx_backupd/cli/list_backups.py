"""`selfmx-backup list`: every backup, what it is worth, why it stays, when it may go."""

import argparse
import json
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from selfmx_backupd import log, text
from selfmx_backupd.cli import standing
from selfmx_backupd.config import load
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Decision, Entry
from selfmx_backupd.policy import retention
from selfmx_backupd.policy.inventory import Inventory
from selfmx_backupd.wiring import world_of

_HEADER = ("NAME", "STATE", "TIERS", "SIZE", "AGE", "MAY GO", "STAYS")


def main(arguments: argparse.Namespace) -> int:
    """Print the list."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    print(as_json(world) if arguments.json else as_text(world))
    return 0


def as_json(world: World) -> str:
    """One document; a backup in it is its manifest, `state`, `keeps` and `goes_at`.

    packaging/json-schemas/list.schema.json describes it.
    """
    now = world.now()
    inventory, decisions = _read(world, now)
    document = {
        "schema": 1,
        "at": now.isoformat(),
        "directory": str(world.directory.path),
        "backups": [standing.document(entry, decisions[entry.file]) for entry in inventory.entries],
        "unfinished": [each.file + ".part" for each in inventory.unfinished],
        "going": [each.file for each in inventory.going],
        "strangers": list(inventory.strangers),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_text(world: World) -> str:
    """A table, newest first, and what else is in the directory."""
    now = world.now()
    inventory, decisions = _read(world, now)
    lines = [f"no backups in {world.directory.path}"]
    if inventory.entries:
        rows = [_row(entry, decisions[entry.file], world.zone, now) for entry in inventory.entries]
        lines = [text.table(_HEADER, rows)]
    if inventory.unfinished:
        names = ", ".join(f"{each.file}.part" for each in inventory.unfinished)
        lines.append(f"unfinished, for the next run to prove or remove: {names}")
    if inventory.going:
        names = ", ".join(each.file for each in inventory.going)
        lines.append(f"being deleted, for the next run to end: {names}")
    if inventory.strangers:
        lines.append(f"not ours, never touched: {', '.join(inventory.strangers)}")
    return "\n".join(lines)


def _read(world: World, now: datetime) -> tuple[Inventory, Mapping[str, Decision]]:
    inventory = world.inventory()
    decisions = retention.decide(inventory.entries, world.retention, world.zone, now)
    return inventory, {each.file: each for each in decisions}


def _row(entry: Entry, decision: Decision, zone: ZoneInfo, now: datetime) -> tuple[str, ...]:
    backup = entry.backup
    return (
        entry.file,
        entry.state,
        ",".join(backup.tiers) if backup else "-",
        text.size(entry.size_bytes) if entry.size_bytes is not None else "-",
        text.age(now - backup.started_at) if backup else "-",
        standing.may_go(decision, zone, now),
        standing.stays(entry, decision),
    )
