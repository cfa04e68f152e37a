"""The one door: arguments in, exit code out, and every error in the same words."""

import argparse
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from selfmx_backupd import __version__
from selfmx_backupd.adapters import journal
from selfmx_backupd.cli import table
from selfmx_backupd.cli.table import Command
from selfmx_backupd.config import DEFAULT_PATH, ENV_CONFIG
from selfmx_backupd.errors import BackupdError, Cancelled, ConfigError, UsageError
from selfmx_backupd.typed import typed, work_with

_SIGNALLED = 128
_INTERRUPTED = 130
_UNKNOWN = 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"Type: {self.prog} --help")


def enter(program: str, words: list[str]) -> int:
    """Run a command.

    Args:
        program: `selfmx-backupd`, `selfmx-backup` or `selfmx-restore`.
        words: What was typed behind it.

    Returns:
        The exit code.
    """
    _open_what_was_closed()
    try:
        return _run(program, words)
    finally:
        work_with(None)
        _let_go_of_readers()


def _run(program: str, words: list[str]) -> int:
    try:
        arguments = _parse(program, words)
        command = _chosen(program, arguments)
        code: int = import_module(command.module).main(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001  # this is the one door
        failed = _failed(program, error)
        # Monitoring would take 1 for a warning and 2 for a critical verdict.
        return _UNKNOWN if _is_plug_in(program, words) else failed
    return code


def _failed(program: str, error: Exception) -> int:
    if isinstance(error, BackupdError):
        return _report(program, error)
    if isinstance(error, BrokenPipeError):
        return 1
    # The last resort, with all that is known.
    traceback.print_exception(error)
    return _report(
        program,
        BackupdError(
            f"a fault of this program: {type(error).__name__}: {error}",
            hint="Please report it with the lines above.",
        ),
    )


def _is_plug_in(program: str, words: list[str]) -> bool:
    """By what was typed: what argparse refuses has no command yet."""
    return any(each.is_plug_in and each.name in words for each in table.of(program))


def _open_what_was_closed() -> None:
    """A standard stream that whoever started us has closed leads nowhere.

    First of all, so that no file of ours gets its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123  # till the end


def _let_go_of_readers() -> None:
    """Where a pipe's reader or a terminal is gone, what is still to be said goes nowhere.

    Otherwise Python finds out at its very end, and turns our exit code into 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _parse(program: str, words: list[str]) -> argparse.Namespace:
    commands = table.of(program)
    alone = next((command for command in commands if command.name is None), None)
    description = alone.help if alone else None
    parser = _Parser(prog=program, description=description, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    _add_global(parser, takes_json=any(command.takes_json for command in commands))
    named = [command for command in commands if command.name is not None]
    if named:
        below = parser.add_subparsers(
            dest="command", metavar="COMMAND", required=alone is None, parser_class=_Parser
        )
        for command in named:
            sub = below.add_parser(
                str(command.name), help=command.help, description=command.help, allow_abbrev=False
            )
            sub.add_argument("--version", action="version", version=f"{program} {__version__}")
            _add_global(sub, takes_json=command.takes_json)
            for argument in command.arguments:
                sub.add_argument(*argument.words, **argument.options)
    for argument in alone.arguments if alone else ():
        parser.add_argument(*argument.words, **argument.options)
    arguments = parser.parse_args(words)
    if named and alone and arguments.command is not None:
        _refuse_misplaced(words, alone, arguments.command)
    if getattr(arguments, "config", None) is None:
        arguments.config = Path(os.environ.get(ENV_CONFIG) or DEFAULT_PATH)
    work_with(arguments.config.absolute() if arguments.config != DEFAULT_PATH else None)
    arguments.json = getattr(arguments, "json", False)
    return arguments


def _refuse_misplaced(words: list[str], alone: Command, name: str) -> None:
    """Options of the command without a name, typed before the name of another.

    argparse would take them, and lose them: the other's defaults overwrite them.
    """
    own = {word for argument in alone.arguments for word in argument.words}
    for word in words[: words.index(name)]:
        if word.partition("=")[0] in own:
            raise UsageError(
                f"{word} does not belong before {name}",
                hint=f"Type: {alone.program} {name} --help",
            )


def _add_global(parser: argparse.ArgumentParser, *, takes_json: bool) -> None:
    """Options that mean the same before and behind the sub-command.

    SUPPRESS: a sub-parser's default would overwrite what was given before it.
    """
    parser.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        default=argparse.SUPPRESS,
        help=f"the configuration (default: ${ENV_CONFIG} or {DEFAULT_PATH})",
    )
    if takes_json:
        parser.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="answer with JSON"
        )


def _chosen(program: str, arguments: argparse.Namespace) -> Command:
    name = getattr(arguments, "command", None)
    return next(command for command in table.of(program) if command.name == name)


def _report(program: str, error: BackupdError) -> int:
    code = _SIGNALLED + error.signal_number if isinstance(error, Cancelled) else error.exit_code
    if journal.is_behind(sys.stderr):
        _report_to_the_journal(program, error, code)
        return code
    problems = error.problems if isinstance(error, ConfigError) else (error.message,)
    with suppress(OSError):
        for problem in problems:
            print(f"error: {typed(problem)}", file=sys.stderr)
        for note in _notes(error):
            print(f"note: {typed(note)}", file=sys.stderr)
        if error.hint:
            print(f"hint: {typed(error.hint)}", file=sys.stderr)
    return code


def _report_to_the_journal(program: str, error: BackupdError, code: int) -> None:
    """One entry: its lines would all be of the same importance, and explained by nothing."""
    from selfmx_backupd import events, log  # noqa: PLC0415  # a usage error needs no structlog

    log.set_up()
    said = "; ".join((error.message, *_notes(error)))
    if isinstance(error, Cancelled):
        log.emit(events.RUN_CANCELLED, what=program, error=said)
        return
    hint = f" - {error.hint}" if error.hint else ""
    log.emit(events.COMMAND_ENDED, command=program, exit_code=code, error=f"{said}{hint}")


def _notes(error: BackupdError) -> tuple[str, ...]:
    return tuple(getattr(error, "__notes__", ()))
