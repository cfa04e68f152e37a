"""What a session says, and the ways in which a statement fails."""

from dataclasses import dataclass

from tests.standin import message_rows, message_rows_databases, message_rows_restore
from tests.standin.message_rows import STAND_IN


@dataclass(frozen=True, slots=True)
class Message:
    """One INFO or ERROR token's content."""

    number: int
    state: int
    severity: int
    text: str

    @property
    def is_error(self) -> bool:
        """Whether it travels as ERROR rather than as INFO."""
        return self.severity > 10


_TEMPLATES = {
    row.number: row
    for row in (*message_rows.ROWS, *message_rows_databases.ROWS, *message_rows_restore.ROWS)
}


def message(number: int, *values: object, state: int | None = None) -> Message:
    """The message with its values filled in; `state` where it depends on the statement."""
    template = _TEMPLATES[number]
    return Message(
        number=number,
        state=template.state if state is None else state,
        severity=template.severity,
        text=template.text.format(*values),
    )


class Refused(Exception):
    """A statement that fails at run time, with its ERROR tokens in order."""

    def __init__(self, *messages: Message) -> None:
        super().__init__("; ".join(one.text for one in messages))
        self.messages = messages


class NotCompiled(Refused):
    """A batch that fails before any of it runs (capture: DONE with CurCmd 253)."""


def unknown_statement(text: str) -> NotCompiled:
    """What the stand-in says about everything that it was not taught."""
    shown = text if len(text) <= 300 else text[:300] + "..."
    return NotCompiled(message(STAND_IN, f"unknown statement: {shown}"))
