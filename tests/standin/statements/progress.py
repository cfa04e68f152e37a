"""The pace of a statement that runs for a while, and what it tells about its progress."""

import time
from dataclasses import dataclass, field

from tests.standin.database import MIB
from tests.standin.messages import message
from tests.standin.session import Session
from tests.standin.sessions import Request
from tests.standin.statements.fault_points import Points

# STATS without a number (docs).
DEFAULT_STATS = 10
_POLL_S = 0.05
# Where a real server was seen to report 51 and 61 percent with STATS = 10 (report).
_ROUGH = range(50, 70)


@dataclass(slots=True)
class Stats:
    """STATS = n: which percentages are reported, as they are passed."""

    every: int | None
    rough: bool
    _next: int = field(init=False)

    def __post_init__(self) -> None:
        self._next = max(1, self.every or 0)

    def passed(self, percent: float) -> int | None:
        """The percentage to report, or None."""
        if self.every is None:
            return None
        whole = int(percent)
        late = 1 if self.rough and self._next in _ROUGH else 0
        if whole < self._next + late:
            return None
        self._next = min(100, (whole // self.every + 1) * self.every)
        if whole == 100:
            self.every = None
        return whole


def stats_of(session: Session, every: int | None) -> Stats:
    """The percentages that this statement reports."""
    return Stats(every, rough=session.instance.faults.name_of("rough-stats") is not None)


@dataclass(slots=True)
class Course:
    """One statement's way from 0 to 100 percent.

    Attributes:
        total_pages: What there is to read.
        fault_points: What happens at which percentage; each happens at most once.
    """

    session: Session
    request: Request
    command: int
    stats: Stats
    shows_percent: bool
    total_pages: int = 0
    fault_points: Points = field(default_factory=list)
    pages: int = 0
    read_bytes: int = 0
    _began: float = field(default_factory=time.monotonic)
    _cpu_began: float = field(default_factory=time.thread_time)

    @property
    def percent(self) -> float:
        """How much is done."""
        return 100 * self.pages / self.total_pages if self.total_pages else 100.0

    def meet_faults(self) -> None:
        """Let happen what happens at this percentage."""
        due = [point for point in self.fault_points if self.percent >= point[0]]
        for point in due:
            self.fault_points.remove(point)
            _, effect = point
            effect()

    def advance(self, pages: int, read_bytes: int) -> None:
        """Account for pages that are done, wait for the pace, notice interrupts."""
        self.pages += pages
        self.read_bytes += read_bytes
        self.request.reads += pages
        self.request.cpu_time_ms = int((time.thread_time() - self._cpu_began) * 1000)
        if self.shows_percent:
            self.request.percent_complete = self.percent
        self._keep_pace()
        self.session.check_interrupts()

    def report(self, *, up_to: int = 100) -> None:
        """Send 3211 where a percentage of STATS was passed."""
        if self.percent > up_to:
            return
        percent = self.stats.passed(self.percent)
        if percent is not None:
            self.session.reply.announce(message(3211, percent), self.command)

    def _keep_pace(self) -> None:
        rate = self.session.instance.options.rate_mib_s
        if rate is None:
            return
        due = self._began + self.read_bytes / (rate * MIB)
        while (left := due - time.monotonic()) > 0:
            self.session.check_interrupts()
            time.sleep(min(_POLL_S, left))
