"""structlog, set up once: a readable sentence for each event on standard error."""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

import structlog

from selfmx_backupd import events
from selfmx_backupd.events import Event, Level

# syslog's numbers, which systemd reads from the front of a line as <N>.
_PRIORITIES = {Level.DEBUG: 7, Level.INFO: 6, Level.WARNING: 4, Level.ERROR: 3}
_EVENT_KEY = "_event"
_THE_DOOR_SAYS = frozenset(
    {
        events.BACKUP_FAILED,
        events.SWEEP_FAILED,
        events.VERIFY_FAILED,
        events.RESTORE_FAILED,
        events.RUN_CANCELLED,
    }
)


def emit(event: Event, **fields: object) -> None:
    """Log one event; its fields must hold what its sentence names."""
    bound: Callable[..., object] = getattr(structlog.get_logger(), event.level)
    bound(event.name, **{_EVENT_KEY: event}, **fields)


def set_up(stream: TextIO | None = None, *, quiet: bool = False) -> None:
    """Configure structlog and the standard library's logging, process-wide.

    Args:
        stream: Where lines go; standard error where it is None.
        quiet: For commands, which print their own progress and how they ended: only
            warnings and errors besides.
    """
    target = stream or sys.stderr
    priorities = _is_journal(target)
    structlog.configure(
        processors=[
            *([_drop_what_the_door_says] if quiet else []),
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            _Sentence(priorities=priorities),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.WARNING if quiet else logging.INFO
        ),
        logger_factory=lambda *_: _Lines(target),
        cache_logger_on_first_use=False,
    )
    # APScheduler and others: only what is wrong, in the same place.
    handler = logging.StreamHandler(target)
    handler.setFormatter(logging.Formatter(f"{'<4>' if priorities else ''}%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _Lines:
    """Writes each event as a line.

    Its reader may go away (a pipe, a terminal): a backup must not fail for want of a listener.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def _write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = info = warning = error = _write


def _drop_what_the_door_says(
    _logger: object, _method: str, fields: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A command's last words tell its failure; its log need not tell it first."""
    event: Event = fields[_EVENT_KEY]
    if event in _THE_DOOR_SAYS:
        raise structlog.DropEvent
    return fields


class _Sentence:
    """Renders an event as one line, for a person or with systemd's priority in front."""

    def __init__(self, *, priorities: bool) -> None:
        self._priorities = priorities

    def __call__(self, _logger: object, _method: str, fields: structlog.typing.EventDict) -> str:
        event: Event = fields[_EVENT_KEY]
        sentence = event.say(fields).replace("\n", "; ")
        if self._priorities:
            return f"<{_PRIORITIES[event.level]}>{sentence}"
        return f"{event.level}: {sentence}"


def _is_journal(stream: TextIO) -> bool:
    """Whether the stream is the journal's socket: $JOURNAL_STREAM holds device:inode.

    Source: systemd.exec(5), JOURNAL_STREAM.
    """
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
