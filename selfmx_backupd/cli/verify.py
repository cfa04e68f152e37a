"""`selfmx-backup verify`: prove backups again, one after the other."""

import argparse
import sys
from collections.abc import Sequence

from selfmx_backupd import log
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.cli import interruptible
from selfmx_backupd.cli.naming import name_of
from selfmx_backupd.cli.progress import progress_for
from selfmx_backupd.config import load
from selfmx_backupd.errors import (
    BackupdError,
    BackupUnusable,
    Cancelled,
    ServerNotReached,
    UsageError,
)
from selfmx_backupd.jobs import known
from selfmx_backupd.jobs.run import run_job
from selfmx_backupd.jobs.verify import Proof, give_way, verify
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Check, Due, State
from selfmx_backupd.outcomes import Job
from selfmx_backupd.wiring import world_of

_WORDS = {
    Check.CHECKSUM: "checksum",
    Check.HEADER: "header",
    Check.VERIFYONLY: "RESTORE VERIFYONLY",
    Check.SHA256: "SHA-256",
}


def main(arguments: argparse.Namespace) -> int:
    """Prove each one; the worst of what is met is the command's error."""
    log.set_up(quiet=True)
    if bool(arguments.files) is arguments.all:
        raise UsageError("name backups, or --all", hint="Type: selfmx-backup verify --help")
    world = world_of(load(arguments.config))
    if arguments.all:
        files = [entry.file for entry in world.inventory().entries]
    else:
        given = [name_of(world, each, "selfmx-backup verify") for each in arguments.files]
        files = list(dict.fromkeys(given))
        for file in files:
            known.find(world, file)  # a slip of the pen is told before hours of reading
    if not files:
        print(f"no backups in {world.directory.path}")
        return 0
    errors = interruptible.run(lambda cancel: _each(world, files, cancel))
    if errors:
        raise _worst(errors, len(files))
    return 0


def _each(world: World, files: Sequence[str], cancel: Cancel) -> dict[str, BackupdError]:
    """Prove all of them, each under a lock of its own; return why some were not."""
    errors: dict[str, BackupdError] = {}
    served: tuple[Due, ...] = ()
    for number, file in enumerate(files):
        if number:
            served = give_way(world, served, cancel)
            if not _is_there(world, file):
                interruptible.say(f"{file}: it has been removed meanwhile, with its manifest")
                continue
        try:
            interruptible.say(_sentence(_prove(world, file, cancel)))
        except Cancelled as error:
            error.add_note(f"{len(files) - number} of {len(files)} not tried or not ended")
            raise
        except BackupdError as error:
            errors[file] = error
            interruptible.say(f"{file}: NOT VERIFIED: {error.message}")
            if isinstance(error, ServerNotReached):
                # None of the others could be asked about either.
                error.add_note(f"{len(files) - number - 1} more were not tried")
                break
    return errors


def _is_there(world: World, file: str) -> bool:
    """Whether anything is left of it: between two proofs the lock is free for a sweep."""
    return any(entry.file == file for entry in world.inventory().entries)


def _prove(world: World, file: str, cancel: Cancel) -> Proof:
    with progress_for(sys.stderr) as progress:
        return run_job(
            world,
            Job.VERIFY,
            f"verification of {file}",
            lambda run: verify(world, run, file),
            cancel=cancel,
            progress=progress,
        )


def _sentence(proof: Proof) -> str:
    by = ", ".join(("size", *(_WORDS[each] for each in proof.verified.by)))
    said = f"{proof.entry.file}: verified again ({by})"
    if proof.lifted is not None:
        said += f"; it was called damaged until now: {proof.lifted}"
    if proof.entry.state is not State.VERIFIED:
        said += f"; it counts for nothing all the same: {proof.entry.reason}"
    return said


def _worst(errors: dict[str, BackupdError], count: int) -> BackupdError:
    """The one to be told, damage before everything else, with what became of the others."""
    bad = [file for file, error in errors.items() if isinstance(error, BackupUnusable)]
    worst = errors[bad[0]] if bad else next(iter(errors.values()))
    if count > 1:
        worst.add_note(f"{len(errors)} of {count} not verified: {' '.join(errors)}")
    return worst
