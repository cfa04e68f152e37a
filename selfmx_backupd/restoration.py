"""The words of a restore: what it intends, and how far it has come.

The plan is written to `state.json` before each step, so that whoever comes after a crash
can tell from it, and from what the server holds, which database is which.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from selfmx_backupd.model import UtcOnly


class Kind(StrEnum):
    """How a restore is done."""

    BESIDE = "beside"  # restored under another name, checked, then swapped with the live one
    IN_PLACE = "in_place"  # over the live one, for disks that cannot hold both
    COPY = "copy"  # under a name of its own; the live one is not touched
    UNDO = "undo"  # the swap of the last restore, the other way


class Step(StrEnum):
    """How far a restore has come. What a step may have done is healed from its name."""

    COPYING = "copying"  # the copy is being restored and checked; nothing live is touched
    STOPPING = "stopping"  # the application is being stopped
    SAVING = "saving"  # in place: the safety backup is being taken
    SWAPPING = "swapping"  # the copy is good; databases are being renamed, or one dropped
    OVERWRITING = "overwriting"  # in place: the live one is single-user, then overwritten
    RETURNING = "returning"  # in place: that failed, and the safety backup is being restored
    STARTING = "starting"  # the application is being started
    DONE = "done"
    GIVEN_UP = "given_up"  # the database is the one that it was before


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(UtcOnly):
    """A database that a restore took out of service and left whole.

    Attributes:
        since: When it left service.
        because: The backup that was restored in its place; None where an undo did it.
        is_way_back: `--undo` may bring it back; False for what an undo took out.
    """

    name: str
    since: datetime
    because: str | None
    is_way_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan(UtcOnly):
    """One restore, from its first step until the next restore.

    Attributes:
        file: The backup; None for an undo, which needs none.
        database: The name that is in service.
        incoming: The database that shall get that name; until the swap it is called so.
        aside: What the database that is in service now will be called.
        live_state: state_desc of the database in service before; None where there was none.
        live_files: Its physical files, which no rename changes: they tell it from all others.
        incoming_files: Those of the incoming one.
        app_stopped: We stopped the application, so whoever ends this starts it again.
        safety: In place: the backup of what was there before.
        kept: Every database that restores have left behind and nobody has dropped.
    """

    kind: Kind
    file: str | None
    database: str
    incoming: str
    aside: str
    step: Step
    started_at: datetime
    ended_at: datetime | None = None
    live_state: str | None = None
    live_files: tuple[str, ...] = ()
    incoming_files: tuple[str, ...] = ()
    app_stopped: bool = False
    safety: str | None = None
    kept: tuple[Kept, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it began and has not ended: a crash, or an end that could not be healed."""
        return self.step not in (Step.DONE, Step.GIVEN_UP)

    @property
    def way_back(self) -> Kept | None:
        """The database that was in service before the last restore."""
        return next((each for each in reversed(self.kept) if each.is_way_back), None)
