"""structlog, set up once: an entry with fields in the journal, a plain line elsewhere."""

import logging
import select
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TextIO

import structlog

from selfmx_backupd import events
from selfmx_backupd.adapters import journal
from selfmx_backupd.event import Event, Level
from selfmx_backupd.typed import typed

_NAME = "selfmx-backupd"
# syslog's numbers, which systemd also reads from the front of a line as <N>.
_PRIORITIES = {Level.DEBUG: 7, Level.INFO: 6, Level.WARNING: 4, Level.ERROR: 3}
_EVENT_KEY = "_event"
_FALLBACK_CHARS = 4096
_THE_DOOR_SAYS = frozenset(
    {
        events.BACKUP_FAILED,
        events.SWEEP_FAILED,
        events.VERIFY_FAILED,
        events.RESTORE_FAILED,
        events.RUN_CANCELLED,
        events.RUN_UNSETTLED,
    }
)


def emit(event: Event, **fields: object) -> None:
    """Log one event; its fields must hold what its sentence names."""
    bound: Callable[..., object] = getattr(structlog.get_logger(), event.level)
    bound(event.name, **{_EVENT_KEY: event}, **{name: _told(it) for name, it in fields.items()})


def _told(value: object) -> object:
    """What a person reads may name commands; a name alone is a name."""
    return typed(value) if isinstance(value, str) and " " in value else value


def set_up(stream: TextIO | None = None, *, quiet: bool = False) -> None:
    """Configure structlog and the standard library's logging, process-wide.

    Args:
        stream: Where lines go; standard error where it is None.
        quiet: For commands, which print their own progress and how they ended: only
            warnings and errors besides.
    """
    target = stream or sys.stderr
    sink = _Journal(target, journal.SOCKET) if journal.is_behind(target) else _Lines(target)
    structlog.configure(
        processors=[
            *([_drop_what_the_door_says] if quiet else []),
            structlog.contextvars.merge_contextvars,
            _hand_over,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.WARNING if quiet else logging.INFO
        ),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=False,
    )
    # APScheduler and others: only what is wrong, in the same place.
    logging.basicConfig(level=logging.WARNING, handlers=[_Others(sink)], force=True)


class _Lines:
    """Writes each event as a line for a person.

    Its reader may go away (a pipe, a terminal): a backup must not fail for want of a listener.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def event(self, event: Event, fields: Mapping[str, object]) -> None:
        """Tell one of our events."""
        self.write(f"{event.level}: {_in_one_line(event.say(fields))}")

    debug = info = warning = error = event

    def other(self, level: Level, message: str) -> None:
        """Tell what a library has logged."""
        del level
        self.write(message)

    def write(self, line: str) -> None:
        """Write one line, or lose it."""
        with suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()


class _Journal:
    """Sends each event as an entry; a line with its priority is what remains of one.

    A line whose writing would wait is lost, because no backup may wait for its listener.
    """

    def __init__(self, stream: TextIO, path: str) -> None:
        self._stream = stream
        self._lines = _Lines(stream)
        self._path = path

    def event(self, event: Event, fields: Mapping[str, object]) -> None:
        """Send one of our events."""
        named = {name.upper(): value for name, value in fields.items()}
        self._send(event.level, event.say(fields), {**named, "MESSAGE_ID": event.message_id})

    debug = info = warning = error = event

    def other(self, level: Level, message: str) -> None:
        """Send what a library has logged."""
        self._send(level, message, {})

    def _send(self, level: Level, message: str, more: Mapping[str, object]) -> None:
        priority = _PRIORITIES[level]
        entry = {**more, "MESSAGE": message, "PRIORITY": priority, "SYSLOG_IDENTIFIER": _NAME}
        if not journal.send(entry, self._path) and _takes_more(self._stream):
            self._lines.write(f"<{priority}>{_in_one_line(message)[:_FALLBACK_CHARS]}")


class _Others(logging.Handler):
    """What libraries log through the standard library."""

    def __init__(self, sink: _Lines | _Journal) -> None:
        super().__init__()
        self._sink = sink
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        level = Level.ERROR if record.levelno >= logging.ERROR else Level.WARNING
        self._sink.other(level, self.format(record))


def _drop_what_the_door_says(
    _logger: object, _method: str, fields: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A command's last words tell its failure; its log need not tell it first."""
    event: Event = fields[_EVENT_KEY]
    if event in _THE_DOOR_SAYS:
        raise structlog.DropEvent
    return fields


def _hand_over(
    _logger: object, _method: str, fields: structlog.typing.EventDict
) -> tuple[tuple[Event, structlog.typing.EventDict], dict[str, object]]:
    """The arguments of the sink: the event, and what it tells."""
    return (fields.pop(_EVENT_KEY), fields), {}


def _in_one_line(text: str) -> str:
    return text.replace("\n", "; ")


def _takes_more(stream: TextIO) -> bool:
    """Whether a line can be written now."""
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    return bool(poll.poll(0))
