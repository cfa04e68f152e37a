"""`selfmx-backup list`: every backup, what it is worth, why it stays, when it may go."""

import argparse
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from selfmx_backupd import log, text
from selfmx_backupd.adapters import manifest
from selfmx_backupd.config import load
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Decision, Entry, State
from selfmx_backupd.policy import retention
from selfmx_backupd.policy.inventory import Inventory
from selfmx_backupd.wiring import world_of


def main(arguments: argparse.Namespace) -> int:
    """Print the list."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    print(as_json(world) if arguments.json else as_text(world))
    return 0


def as_json(world: World) -> str:
    """One document; a backup in it is its manifest, `state`, `keeps` and `goes_at`."""
    now = world.now()
    inventory, decisions = _read(world, now)
    document = {
        "schema": 1,
        "at": now.isoformat(),
        "directory": str(world.directory.path),
        "backups": [_backup_document(entry, decisions[entry.file]) for entry in inventory.entries],
        "unfinished": [each.file + ".part" for each in inventory.unfinished],
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
        lines = [text.table(("NAME", "STATE", "TIERS", "SIZE", "AGE", "STAYS"), rows)]
    if inventory.unfinished:
        names = ", ".join(f"{each.file}.part" for each in inventory.unfinished)
        lines.append(f"unfinished, for the next run to prove or remove: {names}")
    if inventory.strangers:
        lines.append(f"not ours, never touched: {', '.join(inventory.strangers)}")
    return "\n".join(lines)


def _read(world: World, now: datetime) -> tuple[Inventory, Mapping[str, Decision]]:
    inventory = world.inventory()
    decisions = retention.decide(inventory.entries, world.retention, world.zone, now)
    return inventory, {each.file: each for each in decisions}


def _backup_document(entry: Entry, decision: Decision) -> dict[str, Any]:
    known = manifest.as_document(entry.backup) if entry.backup else {"file": entry.file}
    return {
        **known,
        "state": entry.state,
        "reason": entry.reason,
        "keeps": list(decision.keeps),
        "goes": list(decision.goes),
        "goes_at": decision.goes_at.isoformat() if decision.goes_at else None,
    }


def _row(entry: Entry, decision: Decision, zone: ZoneInfo, now: datetime) -> tuple[str, ...]:
    backup = entry.backup
    size = text.size(entry.size_bytes) if entry.size_bytes is not None else "-"
    stays = list(decision.keeps) or [f"may go: {'; '.join(decision.goes)}"]
    if entry.state is not State.VERIFIED:
        stays = [entry.reason]
    elif decision.goes_at:
        stays.append(f"may go on {text.local_date(decision.goes_at, zone)}")
    return (
        entry.file,
        entry.state,
        ",".join(backup.tiers) if backup else "-",
        size,
        text.age(now - backup.started_at) if backup else "-",
        "; ".join(stays),
    )
