"""What an event is: one kind of thing that happens, and the sentence that tells it.

A sentence names its fields in braces; `:size`, `:duration` and `:list` say how a value
becomes a word.
"""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from selfmx_backupd import text


class Level(StrEnum):
    """How loud an event is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of thing that happens."""

    name: str
    message_id: str
    level: Level
    sentence: str

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the sentence needs."""
        return frozenset(name for _, name, _, _ in _WORDS.parse(self.sentence) if name)

    def say(self, fields: Mapping[str, Any]) -> str:
        """The sentence with its values."""
        return _WORDS.vformat(self.sentence, (), fields)


class _Words(string.Formatter):
    """Formats a field by the word behind its colon."""

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401  # the base class
        match format_spec:
            case "size":
                return text.size(value)
            case "duration":
                return text.duration(value)
            case "list":
                return ", ".join(str(each) for each in _as_iterable(value))
            case _:
                return str(super().format_field(value, format_spec))


def _as_iterable(value: str | Iterable[object]) -> Iterable[object]:
    return (value,) if isinstance(value, str) else value


_WORDS = _Words()
