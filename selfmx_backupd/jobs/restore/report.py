"""What came of a restore, for the person who reads it afterwards."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from selfmx_backupd.restoration import Kept, Kind


@dataclass(slots=True)
class Notes:
    """What is collected on the way.

    Attributes:
        healed: What was put right of an interrupted restore before this one.
        steps: How long each step took, in seconds.
        attention: What a person must look at.
    """

    healed: list[str] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)
    attention: list[str] = field(default_factory=list)

    @contextmanager
    def timing(self, step: str) -> Iterator[None]:
        """Measure a step, in seconds."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.steps.append((step, time.monotonic() - began))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A restore that was done.

    Attributes:
        healed: What was put right of an interrupted restore before.
        file: The backup; None for an undo.
        taken_at: When the backup was begun; None where nobody knows.
        database: The name that was restored into, or the copy's own.
        steps: Each step and how long it took, in seconds.
        kept: Databases that stay, and that the operator may drop.
        files_left: Files of a database that could not be kept, which nobody owns any more.
        safety: The safety backup of a restore in place.
        application: What became of it, in words.
        attention: What a person must look at; empty where nothing.
    """

    kind: Kind
    database: str
    healed: Sequence[str] = ()
    file: str | None = None
    taken_at: datetime | None = None
    steps: Sequence[tuple[str, float]] = ()
    kept: tuple[Kept, ...] = ()
    files_left: tuple[str, ...] = ()
    safety: str | None = None
    application: str = "it was not touched"
    attention: Sequence[str] = ()
