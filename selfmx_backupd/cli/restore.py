"""`selfmx-restore`: restore a backup, go back, or clean up; without arguments the list."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from selfmx_backupd import log
from selfmx_backupd.cli import interruptible, restore_words
from selfmx_backupd.cli.list_backups import as_text
from selfmx_backupd.cli.naming import name_of
from selfmx_backupd.cli.progress import progress_for
from selfmx_backupd.config import load
from selfmx_backupd.errors import BackupUnusable, Declined, GuardRefused, UsageError
from selfmx_backupd.jobs.restore import restore as recipes
from selfmx_backupd.jobs.restore.report import Report
from selfmx_backupd.jobs.restore.survey import Survey, Wanted, look
from selfmx_backupd.jobs.restore.undo import look_back
from selfmx_backupd.jobs.run import Run, run_job
from selfmx_backupd.jobs.world import World
from selfmx_backupd.outcomes import Job
from selfmx_backupd.policy import restore as policy
from selfmx_backupd.restoration import Kind, RestorePlan
from selfmx_backupd.typed import typed
from selfmx_backupd.wiring import world_of

_Result = TypeVar("_Result")
_LOOK_AT_IT = 10


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked for; 10 where it is done and a person must look."""
    log.set_up(quiet=True)
    _ensure_sensible(arguments)
    world = world_of(load(arguments.config))
    if arguments.undo:
        return _go_back(world, arguments)
    if arguments.drop_old:
        return _clean_up(world, arguments)
    if arguments.latest:
        return _restore(world, arguments, _latest(world))
    if arguments.file is None:
        return _list(world)
    return _restore(world, arguments, name_of(world, arguments.file, "selfmx-restore"))


def _ensure_sensible(arguments: argparse.Namespace) -> None:
    chosen = [
        word
        for word, is_there in (
            ("FILE", arguments.file is not None),
            ("--latest", arguments.latest),
            ("--undo", arguments.undo),
            ("--drop-old", arguments.drop_old),
        )
        if is_there
    ]
    hint = "Type: selfmx-restore --help"
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} do not go together", hint=hint)
    restores = chosen in (["FILE"], ["--latest"])
    ways = [word for word in ("--in-place", "--as") if _given(arguments, word)]
    if ways and not restores:
        raise UsageError(f"{ways[0]} wants a FILE, or --latest", hint=hint)
    if len(ways) > 1:
        raise UsageError("--in-place and --as do not go together", hint=hint)


def _given(arguments: argparse.Namespace, word: str) -> bool:
    return bool(arguments.in_place) if word == "--in-place" else arguments.as_name is not None


def _list(world: World) -> int:
    print(as_text(world))
    plan = world.state.recall().restore
    print(typed(restore_words.how_to(plan)), file=sys.stderr)
    raise UsageError("no backup was named", hint="Type: selfmx-restore NAME, or --latest")


def _latest(world: World) -> str:
    inventory = world.inventory()
    choice = policy.latest(inventory.verified(world.database), inventory.entries)
    if choice.backup is not None:
        return choice.backup.file
    if choice.is_ambiguous:
        newest = ", ".join(each.file for each in choice.candidates)
        raise GuardRefused(
            f"{choice.reason}; the newest of each: {newest}",
            hint="The database was made anew at some time. Name the backup: selfmx-restore FILE",
        )
    raise BackupUnusable(
        f"there is no backup to take: {choice.reason}",
        hint="Name one from the list, which is proven before it is used: selfmx-restore FILE",
    )


def _restore(world: World, arguments: argparse.Namespace, file: str) -> int:
    kind = Kind.IN_PLACE if arguments.in_place else Kind.BESIDE
    if arguments.as_name is not None:
        kind = Kind.COPY
    wanted = Wanted(kind, file, arguments.as_name)
    plan = world.state.read().restore
    survey = None
    if plan is None or not plan.is_open:
        survey = _look(world, wanted)
    if kind is not Kind.COPY:
        words = restore_words.question(world, wanted, survey, plan)
        _consent(words, world.database, is_given=arguments.yes)
    agreed = survey.live.state if survey is not None and survey.live else None
    report = _run(
        world, f"restore of {file}", lambda run: recipes.restore(world, run, wanted, agreed)
    )
    return _tell(world, report)


def _look(world: World, wanted: Wanted) -> Survey:
    with world.for_restoring().session() as session:
        return look(world, session, wanted)


def _go_back(world: World, arguments: argparse.Namespace) -> int:
    plan = world.state.read().restore
    if plan is not None and plan.is_open:
        words: Sequence[str] = restore_words.healing(plan)
    else:
        words = _words_of_undo(world, plan)
    _consent(words, world.database, is_given=arguments.yes)
    report = _run(world, "undo of a restore", lambda run: recipes.go_back(world, run))
    return _tell(world, report)


def _words_of_undo(world: World, plan: RestorePlan | None) -> Sequence[str]:
    with world.for_restoring().session() as session:
        return restore_words.undo(world, look_back(world, session, plan))


def _clean_up(world: World, arguments: argparse.Namespace) -> int:
    plan = world.state.read().restore
    if plan is None or not (plan.kept or plan.is_open):
        print("no restore has left a database behind")
        return 0
    _consent(restore_words.dropping(world, plan), world.database, is_given=arguments.yes)
    done = _run(world, "clean-up after restores", lambda run: recipes.clean_up(world, run))
    interruptible.say("\n".join(done))
    return 0


def _run(world: World, what: str, body: Callable[[Run], _Result]) -> _Result:
    with progress_for(sys.stderr) as progress:
        return interruptible.run(
            lambda cancel: run_job(world, Job.RESTORE, what, body, cancel=cancel, progress=progress)
        )


def _consent(words: Sequence[str], database: str, *, is_given: bool) -> None:
    """Ask for the database's name.

    Raises:
        Declined: Something else was typed, or there is nobody to ask.
    """
    print("\n".join(words), flush=True)
    if is_given:
        return
    if not sys.stdin.isatty():
        raise Declined(
            "there is no terminal to ask at, and no --yes",
            hint="Type the command with --yes, which consents to what stands above.",
        )
    try:
        typed = input(f"Type {database} to go on: ")
    except EOFError:
        typed = ""
    if typed.strip() != database:
        raise Declined("nothing was done, because the name was not typed")


def _tell(world: World, report: Report) -> int:
    interruptible.say(typed(restore_words.report(report, world.zone, world.now())))
    return _LOOK_AT_IT if report.attention else 0
