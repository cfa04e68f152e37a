"""A small server on which restores run and die, as hypothesis likes it.

The scripts below do what `jobs/restore` does, one act after the other: a line of `state.json`
or a statement that the server carries out. A crash is the end of a script after any of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import islice

from hypothesis import strategies as st

from selfmx_backupd.policy.repair import Found, Repair, Serving
from selfmx_backupd.restoration import Kind, RestorePlan, Step
from tests.build import plan

DATA = "/var/opt/mssql/data"
STRAY = "SelfMX_stray_20261124_130000"
# Those in which a restore may find the database in service; see `jobs/restore/survey.py`.
LIVE_STATES: dict[Kind, tuple[str | None, ...]] = {
    Kind.BESIDE: (None, "ONLINE", "ONLINE", "SUSPECT", "OFFLINE", "RESTORING"),
    Kind.COPY: (None, "ONLINE", "SUSPECT"),
    Kind.IN_PLACE: ("ONLINE", "ONLINE", "RESTORING"),
    Kind.UNDO: (None, "ONLINE", "ONLINE"),
}


class Who(Enum):
    """What a database holds."""

    OLD = auto()  # what was in service when the restore began
    NEW = auto()  # what the backup holds; of an undo, what comes back
    HALF = auto()  # what an overwriting has left
    OTHER = auto()  # nothing that this restore knows


class Refused(Exception):
    """The server refuses a statement."""


@dataclass
class Database:
    who: Who
    name: str
    files: frozenset[str]
    state: str = "ONLINE"
    access: str = "MULTI_USER"


@dataclass
class Site:
    """The server, and what `state.json` says."""

    plan: RestorePlan
    databases: list[Database] = field(default_factory=list)
    # In place: the overwriting fails, and what was there comes back.
    fails: bool = False

    def named(self, name: str) -> Database | None:
        wanted = name.casefold()
        return next((each for each in self.databases if each.name.casefold() == wanted), None)

    def of(self, who: Who) -> Database | None:
        return next((each for each in self.databases if each.who is who), None)

    @property
    def strangers(self) -> list[Database]:
        return [replace(each) for each in self.databases if each.who is Who.OTHER]

    @property
    def found(self) -> list[Found]:
        return [Found(it.name, it.state, it.access, it.files) for it in self.databases]

    def record(self, step: Step, safety: str | None = None) -> None:
        self.plan = replace(self.plan, step=step, safety=safety or self.plan.safety)

    def rename(self, name: str, other: str) -> None:
        database = self.named(name)
        if database is None or database.state != "ONLINE" or self.named(other) is not None:
            raise Refused(f"{name} to {other}")
        database.name = other

    def drop(self, name: str) -> None:
        database = self.named(name)
        if database is None:
            raise Refused(name)
        self.databases.remove(database)

    def truths(self) -> set[Serving]:
        """What may be said to be in service; of one that cannot be used also that none is."""
        live = self.named(self.plan.database)
        if live is None or live.who is Who.HALF:
            return {Serving.NONE}
        said = {Who.OLD: Serving.OLD, Who.NEW: Serving.NEW, Who.OTHER: Serving.OTHER}[live.who]
        if self.plan.kind is Kind.COPY and said is Serving.NEW:
            # Somebody gave it the name in service, for which it was not made.
            return {Serving.NEW, Serving.OTHER}
        return {said} if live.state == "ONLINE" else {said, Serving.NONE}


def site(kind: Kind, live_state: str | None, *, fails: bool = False) -> Site:
    """A server before a restore."""
    intended = plan(kind, Step.COPYING, live_state=live_state)
    here = Site(intended, fails=fails)
    if live_state is not None:
        files = frozenset(intended.live_files)
        here.databases.append(Database(Who.OLD, intended.database, files, live_state))
    if kind is Kind.UNDO:
        kept = Database(Who.NEW, intended.incoming, frozenset(intended.incoming_files))
        here.databases.append(kept)
    return here


def acts(here: Site) -> Iterator[None]:
    """A restore from its first line in `state.json` to the start of the application."""
    here.record(Step.COPYING)
    yield
    if here.plan.kind is Kind.IN_PLACE:
        yield from _in_place(here)
        return
    if here.plan.kind is not Kind.UNDO:
        yield from _copying(here)
    if here.plan.kind is not Kind.COPY:
        here.record(Step.STOPPING)
        yield
        here.record(Step.SWAPPING)
        yield
        yield from _swapping(here)
        here.record(Step.STARTING)
        yield


def _copying(here: Site) -> Iterator[None]:
    files = frozenset(here.plan.incoming_files)
    copy = Database(Who.NEW, here.plan.incoming, files, "RESTORING")
    here.databases.append(copy)
    yield
    copy.state = "ONLINE"
    yield


def _swapping(here: Site) -> Iterator[None]:
    live, incoming = here.named(here.plan.database), here.named(here.plan.incoming)
    assert incoming is not None
    if live is not None and live.state != "ONLINE":
        if live.state not in ("OFFLINE", "RESTORING"):
            live.state = "OFFLINE"
            yield
        here.drop(live.name)
        yield
        live = None
    alone = [each for each in (live, incoming) if each is not None]
    for each in alone:
        each.access = "SINGLE_USER"
        yield
    if live is not None:
        here.rename(live.name, here.plan.aside)
        yield
    here.rename(incoming.name, here.plan.database)
    yield
    for each in reversed(alone):
        each.access = "MULTI_USER"
        yield


def _in_place(here: Site) -> Iterator[None]:
    live = here.named(here.plan.database)
    assert live is not None
    here.record(Step.STOPPING)
    yield
    here.record(Step.SAVING)
    yield
    if live.state == "ONLINE":
        here.record(Step.SAVING, safety="selfmx_20261124_120003.bak")
        yield
        live.access = "SINGLE_USER"
        yield
    here.record(Step.OVERWRITING)
    yield
    live.who, live.state = Who.HALF, "RESTORING"
    yield
    if here.fails and here.plan.safety is not None:
        here.record(Step.RETURNING)
        yield
        live.who, live.state, live.access = Who.OLD, "ONLINE", "MULTI_USER"
        yield
        return
    live.who, live.state, live.access = Who.NEW, "ONLINE", "MULTI_USER"
    yield
    here.record(Step.STARTING)
    yield


# What others do between the crash and the repair: who does it, to which database, and what.
Deed = tuple[str, int, str]


def do(here: Site, deed: Deed) -> None:
    """Do it where the server lets it be done."""
    what, number, word = deed
    if what == "create":
        if here.named(here.plan.database) is None:
            made = Database(Who.OTHER, here.plan.database, frozenset({f"{DATA}/{word}.mdf"}))
            here.databases.append(made)
        return
    if not here.databases:
        return
    database = here.databases[number % len(here.databases)]
    if what == "drop":
        here.databases.remove(database)
    elif what == "break" and database.state == "ONLINE":
        database.state = word
    elif what == "rename" and database.state == "ONLINE":
        names = {"live": here.plan.database, "in": here.plan.incoming, "out": here.plan.aside}
        name = names.get(word, word)
        if here.named(name) is None:
            database.name = name


_numbers = st.integers(0, 5)
deeds = st.one_of(
    st.tuples(st.just("create"), st.just(0), st.sampled_from(["empty", "SelfMX2"])),
    st.tuples(st.just("drop"), _numbers, st.just("")),
    st.tuples(st.just("break"), _numbers, st.sampled_from(["SUSPECT", "RECOVERY_PENDING"])),
    st.tuples(st.just("rename"), _numbers, st.sampled_from(["live", "in", "out", "SelfMX_mine"])),
)
_alike = st.sampled_from(
    ["SelfMX_before_migration", "SelfMX_restore_test", "SelfMX_before_20260101_030000", "SelfMX_"]
)


@st.composite
def crashed(
    draw: st.DrawFn,
    kinds: Sequence[Kind] = tuple(Kind),
    states: Sequence[str | None] = ("ONLINE", None, "SUSPECT", "OFFLINE", "RESTORING"),
    steps: Sequence[Step] = tuple(Step),
    most_deeds: int = 3,
) -> Site:
    """A server on which a restore has died in one of the steps, and others have been."""
    kind = draw(st.sampled_from(kinds))
    state = draw(st.sampled_from([each for each in LIVE_STATES[kind] if each in states]))
    fails = kind is Kind.IN_PLACE and draw(st.booleans())
    here = site(kind, state, fails=fails)
    points = [n for n, _ in enumerate(acts(here), 1) if here.plan.step in steps]
    here = site(kind, state, fails=fails)
    for name in draw(st.sets(_alike, max_size=2)):
        at = draw(st.integers(0, len(here.databases)))
        here.databases.insert(at, Database(Who.OTHER, name, frozenset({f"{DATA}/{name}.mdf"})))
    for _ in islice(acts(here), draw(st.sampled_from(points))):
        pass
    for deed in draw(st.lists(deeds, max_size=most_deeds)):
        do(here, deed)
    return here


def apply(here: Site, wanted: Repair) -> list[Database]:
    """Do what a repair wants, in the order of `jobs/restore/heal.py`; return what it dropped.

    Raises:
        Refused: The server does not do it.
    """
    for name, other in wanted.renames:
        here.rename(name, other)
    if wanted.restores_safety:
        files = frozenset(here.plan.live_files)
        over = here.named(here.plan.database)
        if any(each is not over and files & each.files for each in here.databases):
            raise Refused(f"{files} belong to another database")
        here.databases = [each for each in here.databases if each is not over]
        here.databases.append(Database(Who.OLD, here.plan.database, files))
    dropped = here.named(wanted.drop) if wanted.drop is not None else None
    if wanted.drop is not None:
        here.drop(wanted.drop)
    return [dropped] if dropped else []
