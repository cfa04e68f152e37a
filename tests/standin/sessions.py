"""Who is connected, in which database, and who holds the slot of a single-user one."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """A row of sys.dm_exec_requests; its own session writes it, others read it."""

    command: str
    percent_complete: float = 0.0
    cpu_time_ms: int = 0
    reads: int = 0


@dataclass(slots=True)
class Member:
    """A row of sys.dm_exec_sessions.

    Attributes:
        hang_up: Cuts the client's connection; any thread may call it.
        database_id: The database context.
        visiting: Databases that a running statement works in besides the context.
        is_busy: Whether a batch runs.
        is_doomed: Somebody ended this session: KILL, or ROLLBACK IMMEDIATE.
    """

    spid: int
    login_name: str
    program_name: str
    host_name: str
    hang_up: Callable[[], None]
    database_id: int
    request: Request | None = None
    visiting: list[int] = field(default_factory=list)
    is_busy: bool = False
    is_doomed: bool = False

    def is_in(self, database_id: int) -> bool:
        """Whether that database is in use by this session."""
        return self.database_id == database_id or database_id in self.visiting


class Sessions:
    """All sessions of a server. Databases are meant by their ids, which outlive renames."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._members: dict[int, Member] = {}
        # Database id to session id. The session that set SINGLE_USER keeps the slot wherever
        # its context is (capture25); one that merely entered gives it up when it leaves
        # [inferred].
        self._holders: dict[int, int] = {}
        self._kept: set[int] = set()
        self._altered: dict[int, int] = {}

    def join(self, member: Member) -> None:
        """A new session."""
        with self._lock:
            self._members[member.spid] = member

    def leave(self, member: Member) -> None:
        """A session's end; the slots that it held are free (capture25)."""
        with self._lock:
            self._members.pop(member.spid, None)
            for database_id in [at for at, spid in self._holders.items() if spid == member.spid]:
                self.release(database_id)

    def all(self) -> list[Member]:
        """All sessions, by their ids."""
        with self._lock:
            return sorted(self._members.values(), key=lambda one: one.spid)

    def find(self, spid: int) -> Member | None:
        """A session, or None."""
        with self._lock:
            return self._members.get(spid)

    def enter(self, member: Member, database_id: int, *, is_single_user: bool) -> bool:
        """Make it the session's context; False where somebody else holds the only slot."""
        with self._lock:
            if not self.may_enter(member, database_id):
                return False
            if is_single_user:
                self._holders.setdefault(database_id, member.spid)
            left = member.database_id
            if left not in {database_id, *self._kept} and self._holders.get(left) == member.spid:
                self.release(left)
            member.database_id = database_id
            return True

    def may_enter(self, member: Member, database_id: int) -> bool:
        """Whether nobody else holds the slot of that database."""
        with self._lock:
            return self._holders.get(database_id, member.spid) == member.spid

    def seize(self, member: Member, database_id: int) -> list[Member]:
        """Give the slot to the session, until it goes, or name those who are in the way."""
        with self._lock:
            others = self.others_in(member, database_id)
            if not others:
                self._holders[database_id] = member.spid
                self._kept.add(database_id)
            return others

    def release(self, database_id: int) -> None:
        """Nobody holds the slot of that database any more."""
        with self._lock:
            self._holders.pop(database_id, None)
            self._kept.discard(database_id)

    def others_in(self, member: Member, database_id: int) -> list[Member]:
        """Other sessions that use that database, or hold its slot (capture25)."""
        return [one for one in self.users_of(database_id) if one is not member]

    def users_of(self, database_id: int) -> list[Member]:
        """Sessions that use that database, or hold its slot (capture25)."""
        with self._lock:
            holder = self._holders.get(database_id)
            return [
                one
                for one in self._members.values()
                if one.is_in(database_id) or one.spid == holder
            ]

    def doom(self, victims: Iterable[Member]) -> None:
        """End sessions: an idle one loses its socket, a busy one ends its request (capture25)."""
        with self._lock:
            for one in victims:
                one.is_doomed = True
                if not one.is_busy:
                    one.hang_up()

    def begin_batch(self, member: Member) -> None:
        """From here on the session is not idle."""
        with self._lock:
            member.is_busy = True

    def end_batch(self, member: Member) -> bool:
        """The session is idle again; False where it was ended meanwhile."""
        with self._lock:
            member.is_busy = False
            return not member.is_doomed

    @contextlib.contextmanager
    def visiting(self, member: Member, database_id: int) -> Iterator[None]:
        """A statement works in a database besides the session's context."""
        with self._lock:
            member.visiting.append(database_id)
        try:
            yield
        finally:
            with self._lock:
                member.visiting.remove(database_id)

    @contextlib.contextmanager
    def altering(self, member: Member, database_id: int) -> Iterator[bool]:
        """One ALTER of a database at a time: yields False where another one is under way."""
        with self._lock:
            is_first = self._altered.setdefault(database_id, member.spid) == member.spid
        try:
            yield is_first
        finally:
            if is_first:
                with self._lock:
                    self._altered.pop(database_id, None)
