"""`selfmx-backup sweep`: apply retention now, or show what it would do."""

import argparse
import json
import sys
from collections.abc import Iterator

from selfmx_backupd import log, text
from selfmx_backupd.cli import interruptible, standing
from selfmx_backupd.cli.progress import progress_for
from selfmx_backupd.config import load
from selfmx_backupd.jobs.run import run_job
from selfmx_backupd.jobs.sweep import Plan, ensure_permitted, make_plan, sweep_now
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Decision
from selfmx_backupd.outcomes import Job
from selfmx_backupd.typed import typed
from selfmx_backupd.wiring import world_of


def main(arguments: argparse.Namespace) -> int:
    """Remove what may go, and say what went, why, and what waits."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    guard = world.guard()
    plan = make_plan(world, guard=guard, force=arguments.force)
    if not arguments.dry_run:
        ensure_permitted(plan)
        plan = _sweep(world, guard, force=arguments.force)
    if arguments.json:
        interruptible.say(_document(world, plan, is_dry=arguments.dry_run))
    else:
        interruptible.say(typed("\n".join(_lines(plan, is_dry=arguments.dry_run))))
    return 0


def _sweep(world: World, guard: str | None, *, force: bool) -> Plan:
    with progress_for(sys.stderr) as progress:
        done = interruptible.run(
            lambda cancel: run_job(
                world,
                Job.SWEEP,
                "manual sweep",
                lambda run: sweep_now(world, run, guard=guard, force=force),
                cancel=cancel,
                progress=progress,
            )
        )
    return done.plan


def _document(world: World, plan: Plan, *, is_dry: bool) -> str:
    """packaging/json-schemas/sweep.schema.json describes it."""
    document = {
        "schema": 1,
        "at": world.now().isoformat(),
        "directory": str(world.directory.path),
        "dry_run": is_dry,
        "guard": plan.guard,
        "goes": [standing.document(plan.entries[each.file], each) for each in plan.goes],
        "held_back": [standing.document(plan.entries[each.file], each) for each in plan.waits],
        "kept": len(plan.entries) - len(plan.goes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _lines(plan: Plan, *, is_dry: bool) -> Iterator[str]:
    for each in plan.goes:
        yield f"{'would remove' if is_dry else 'removed'} {_about(plan, each)}"
    for each in plan.waits:
        yield f"held back {_about(plan, each)}"
    if plan.guard is not None and plan.waits:
        yield f"nothing is swept now: {plan.guard}"
    freed = text.size(sum(_size(plan, each) for each in plan.goes))
    verb = "would be removed" if is_dry else "removed"
    kept = text.count(len(plan.entries) - len(plan.goes), "backup")
    yield f"{text.count(len(plan.goes), 'backup')} {verb} ({freed}), {kept} kept"
    if plan.waits and plan.guard is None:
        yield (
            f"{len(plan.waits)} held back, because one sweep removes at most a quarter: a mistake "
            "costs days, not a night. All at once: selfmx-backup sweep --force"
        )


def _about(plan: Plan, decision: Decision) -> str:
    return f"{decision.file} ({text.size(_size(plan, decision))}): {'; '.join(decision.goes)}"


def _size(plan: Plan, decision: Decision) -> int:
    return plan.entries[decision.file].size_bytes or 0
