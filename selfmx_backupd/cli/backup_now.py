"""`selfmx-backup`: a backup now, with progress."""

import argparse
import json
import sys
from zoneinfo import ZoneInfo

from selfmx_backupd import log, text
from selfmx_backupd.adapters import manifest
from selfmx_backupd.cli import interruptible, standing
from selfmx_backupd.cli.naming import pin_of
from selfmx_backupd.cli.progress import progress_for
from selfmx_backupd.config import load
from selfmx_backupd.errors import UsageError
from selfmx_backupd.jobs.backup import back_up_now
from selfmx_backupd.jobs.run import run_job
from selfmx_backupd.model import Backup
from selfmx_backupd.outcomes import Job
from selfmx_backupd.wiring import now, world_of


def main(arguments: argparse.Namespace) -> int:
    """Take it, and say what came of it."""
    log.set_up(quiet=True)
    if not arguments.pin and (arguments.until, arguments.reason) != (None, None):
        raise UsageError("--until and --reason want --pin", hint="Type: selfmx-backup --help")
    world = world_of(load(arguments.config))
    pin = pin_of(world, arguments.until, arguments.reason) if arguments.pin else None
    with progress_for(sys.stderr) as progress:
        backup = interruptible.run(
            lambda cancel: run_job(
                world,
                Job.BACKUP,
                "manual backup",
                lambda run: back_up_now(world, run, pin),
                cancel=cancel,
                progress=progress,
            )
        )
    interruptible.say(_document(backup) if arguments.json else _sentence(backup, world.zone))
    return 0


def _document(backup: Backup) -> str:
    answer = {"schema": 1, "at": now().isoformat(), "backup": manifest.as_document(backup)}
    return json.dumps(answer, indent=2, ensure_ascii=False)


def _sentence(backup: Backup, zone: ZoneInfo) -> str:
    took = text.duration(backup.duration_s.total or 0.0)
    held = f", {standing.pinned(backup.pin, zone)}" if backup.pin else ""
    return f"{backup.file}: {text.size(backup.size_bytes)}, verified, took {took}{held}"
