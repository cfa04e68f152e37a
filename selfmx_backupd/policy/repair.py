"""What an interrupted restore wants: which database is which, and what puts it right.

Names tell little after a crash: the live one may have been renamed, or an application
that found its database missing may have made an empty one. Physical file names tell all,
because no rename changes them and the copy's carry a stamp of their own.

- What was in service goes back into service where that can be done: an interrupted restore
  has changed nothing.
- Where it is gone (it was not ONLINE and was dropped, or there was none), or cannot be used
  any more, the checked copy goes into service.
- Only one thing is ever dropped: the copy that this restore made, under the name that this
  restore gave it, before it was in service. A database that nobody knows is moved aside, whole.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step

_ONLINE = "ONLINE"
_RESTORING = "RESTORING"
_SINGLE_USER = "SINGLE_USER"


@dataclass(frozen=True, slots=True)
class Found:
    """A database as the server lists it now.

    Attributes:
        files: Its physical file names.
    """

    name: str
    state: str
    user_access: str
    files: Collection[str]


class Serving(Enum):
    """Which database has the name that is in service, once the repair is done."""

    OLD = auto()  # the one that was in service before the restore
    NEW = auto()  # the one that the restore brought
    OTHER = auto()  # one that neither of them is
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Repair:
    """What puts an interrupted restore right.

    Attributes:
        renames: From, to; in this order.
        drop: The unfinished copy.
        restores_safety: In place: the safety backup has to be restored.
        serving: What is in service afterwards.
        stray: The name that a database which nobody knows got.
        reason: In words, for the report.
    """

    serving: Serving
    reason: str
    renames: tuple[tuple[str, str], ...] = ()
    drop: str | None = None
    restores_safety: bool = False
    stray: str | None = None


def repair(plan: RestorePlan, found: Sequence[Found], stray: str) -> Repair:
    """What to do about an open plan.

    Args:
        plan: As `state.json` has it.
        found: Every database of the server.
        stray: A free name, for a database that stands where ours should and is not ours.
    """
    live = _named(found, plan.database)
    old = _the_old(plan, found)
    if plan.kind is Kind.IN_PLACE:
        return _in_place(plan, live, old)
    new = _with_files(found, plan.incoming_files)
    if plan.kind is Kind.COPY:
        drop = _droppable(plan, old, new)
        return Repair(_untouched(live, old, new), "the copy was not finished", drop=drop)
    if live is not None and live == new:
        return Repair(Serving.NEW, f"{plan.database} is the restored database already")
    if live is not None and live == old:
        reason = f"{plan.database} is the database that it was before"
        return Repair(Serving.OLD, reason, drop=_droppable(plan, old, new))
    return _fill(plan, live, old, new, stray)


def is_settled(plan: RestorePlan, wanted: Repair) -> bool:
    """Whether a repair ends the plan: a database that is known is in service, or none ever was.

    Otherwise the plan stays open, and whoever looks at it later may find more.
    """
    if plan.kind is Kind.COPY or wanted.serving in (Serving.OLD, Serving.NEW):
        return True
    return plan.live_state is None and plan.step in (Step.COPYING, Step.STOPPING)


def with_stray(plan: RestorePlan, wanted: Repair, now: datetime) -> RestorePlan:
    """The plan with what a repair moves aside kept in mind, to be written before it acts.

    A swap that fails half-way can leave it under that name, and the next repair takes another.

    Args:
        plan: As it is.
        wanted: The repair that is about to be done.
        now: UTC.
    """
    if wanted.stray is None:
        return plan
    return replace(plan, kept=(*plan.kept, _kept(wanted.stray, now)))


def kept_after(plan: RestorePlan, found: Sequence[Found], now: datetime) -> tuple[Kept, ...]:
    """What restores have left behind once a repair is done; each once, and only what is there.

    A database that somebody else gave one of the plan's names is not ours to keep or to drop.

    Args:
        plan: As the repair left it.
        found: Every database afterwards.
        now: UTC.
    """
    more = []
    is_beside = plan.kind is Kind.BESIDE
    old, new = _the_old(plan, found), _with_files(found, plan.incoming_files)
    if old is not None and _is(old, plan.aside) and plan.kind in (Kind.BESIDE, Kind.UNDO):
        more.append(_kept(old.name, now, because=plan.file, is_way_back=is_beside))
    if new is not None and _is(new, plan.incoming) and is_beside:
        # A checked copy that could not be given its name yet.
        more.append(_kept(new.name, now))
    there = {each.name.casefold() for each in found} - {plan.database.casefold()}
    by_name: dict[str, Kept] = {}
    for each in (*plan.kept, *more):
        if each.name.casefold() in there:
            by_name.setdefault(each.name.casefold(), each)
    return tuple(by_name.values())


def _kept(
    name: str, now: datetime, *, because: str | None = None, is_way_back: bool = False
) -> Kept:
    return Kept(name=name, since=now, because=because, is_way_back=is_way_back)


def _fill(
    plan: RestorePlan, live: Found | None, old: Found | None, new: Found | None, stray: str
) -> Repair:
    """The name in service is free, or a database has it that is neither the old nor the new.

    SQL Server renames only what is ONLINE.
    """
    if live is not None and live.state != _ONLINE:
        # It can be neither used nor renamed, and is not ours to drop.
        reason = f"a database that nobody knows has the name {plan.database}, and is {live.state}"
        return Repair(Serving.NONE, reason)
    moved = ((live.name, stray),) if live else ()
    moved_aside = stray if live else None
    usable = old if old is not None and old.state == _ONLINE else None
    drop = _droppable(plan, usable, new)
    if usable is not None and _is(usable, plan.aside):
        reason = f"{plan.database} had been renamed to {usable.name} and gets its name back"
        back = (*moved, (usable.name, plan.database))
        return Repair(Serving.OLD, reason, back, drop, stray=moved_aside)
    if usable is None and new is not None and _is_checked(plan, new):
        reason = f"{new.name} was restored and checked, and gets the name {plan.database}"
        forward = (*moved, (new.name, plan.database))
        return Repair(Serving.NEW, reason, forward, stray=moved_aside)
    if live is not None:
        return Repair(Serving.OTHER, f"{plan.database} was made anew meanwhile", drop=drop)
    return Repair(Serving.NONE, _why_none(plan, old, new, drop), drop=drop)


def _why_none(plan: RestorePlan, old: Found | None, new: Found | None, drop: str | None) -> str:
    if new is not None and drop is None and plan.kind is Kind.BESIDE:
        reason = f"{new.name} was restored and checked, and is {new.state}"
        return f"{reason}: it has not the name {plan.database} yet"
    if plan.live_state is None:
        return f"there was no {plan.database} before either"
    if old is None:
        return f"{plan.database} is gone"
    if old.state != _ONLINE:
        return f"{old.name} was {plan.database}; it is {old.state} and cannot get its name back"
    return f"somebody renamed {plan.database} to {old.name}"


def _in_place(plan: RestorePlan, live: Found | None, old: Found | None) -> Repair:
    """A RESTORE over the live database: its step and its state tell how far that came."""
    if live is not None and live != old:
        # Never over a database that is not the one which was being overwritten.
        return Repair(Serving.OTHER, f"{plan.database} is not the database that it was")
    if plan.step in (Step.OVERWRITING, Step.RETURNING):
        return _overwriting(plan, live)
    if live is None:
        return Repair(Serving.NONE, f"{plan.database} is gone")
    if plan.step is Step.STARTING:
        return Repair(Serving.NEW, f"{plan.database} is the restored database already")
    return Repair(Serving.OLD, f"{plan.database} is as it was before")


def _overwriting(plan: RestorePlan, live: Found | None) -> Repair:
    """It was single-user before, and a RESTORE ends in the user access of the backup.

    Source: RESTORE (Transact-SQL), on the options of a restored database.
    """
    if live is None or live.state != _ONLINE:
        if plan.safety is None:
            return Repair(Serving.NONE, f"{plan.database} is half overwritten")
        reason = f"{plan.database} was half overwritten, and came back from {plan.safety}"
        return Repair(Serving.OLD, reason, restores_safety=True)
    if plan.step is Step.RETURNING:
        return Repair(Serving.OLD, f"{plan.database} came back from {plan.safety}")
    if live.user_access == _SINGLE_USER:
        return Repair(Serving.OLD, f"{plan.database} had not been overwritten yet")
    return Repair(Serving.NEW, f"{plan.database} had been overwritten already")


def _untouched(live: Found | None, old: Found | None, new: Found | None) -> Serving:
    """What is in service where this restore changes nothing about it."""
    if live is None:
        return Serving.NONE
    if live == old:
        return Serving.OLD
    return Serving.NEW if live == new else Serving.OTHER


def _the_old(plan: RestorePlan, found: Sequence[Found]) -> Found | None:
    """The database that was in service before.

    One that was RESTORING was dropped with its files, and what is ONLINE under the names of
    those files now was made anew: in place alone it may have been restored since.
    """
    old = _with_files(found, plan.live_files)
    was_half = plan.live_state == _RESTORING and plan.kind is not Kind.IN_PLACE
    return None if old is not None and was_half and old.state == _ONLINE else old


def _named(found: Sequence[Found], name: str) -> Found | None:
    return next((each for each in found if _is(each, name)), None)


def _with_files(found: Sequence[Found], files: Sequence[str]) -> Found | None:
    """The database that has one of these files; a file belongs to one database."""
    wanted = {each.casefold() for each in files}
    return next((each for each in found if wanted & {file.casefold() for file in each.files}), None)


def _is(one: Found, name: str) -> bool:
    return one.name.casefold() == name.casefold()


def _is_checked(plan: RestorePlan, new: Found) -> bool:
    """Whether the copy was good and about to be swapped; an undo brings back what served once."""
    return plan.step is Step.SWAPPING and new.state == _ONLINE


def _droppable(plan: RestorePlan, old: Found | None, new: Found | None) -> str | None:
    """The copy's name, where it is this restore's own and nobody could miss it.

    What an undo brings back never goes. Nor does a copy that has been in service, whatever
    it is called now, nor a checked one that has nothing left to go back to.
    """
    if new is None or plan.kind not in (Kind.BESIDE, Kind.COPY) or not _is(new, plan.incoming):
        return None
    could_be_missed = plan.step is Step.STARTING or (plan.step is Step.SWAPPING and old is None)
    return None if could_be_missed else new.name
