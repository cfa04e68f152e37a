"""The watch over a thread that is really blocked, as it is inside a driver."""

import signal
import threading
import time
from collections.abc import Callable, Hashable
from itertools import count

import pytest

from selfmx_backupd import cancel as cancel_module
from selfmx_backupd.adapters.mssql.watch import Stall, Watch
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import Cancelled, Stalled

PATIENCE_S = 10.0


class Statement:
    """Blocks its thread until it is interrupted, or has run its time."""

    def __init__(self, lasts_s: float = PATIENCE_S, *, deaf_to: int = 0) -> None:
        self._lasts_s = lasts_s
        self._deaf_to = deaf_to
        self._interrupted = threading.Event()
        self.interrupts = 0

    def interrupt(self) -> None:
        """What `cursor.cancel` does; an attention may be lost, or come too late and raise."""
        self.interrupts += 1
        if self.interrupts > self._deaf_to:
            self._interrupted.set()
        raise RuntimeError("the statement has just ended")

    def run(self, watch: Watch, *, speaks_every_s: float | None = None) -> float:
        """Run it; how long that took in seconds."""
        began = time.monotonic()
        while (past := time.monotonic() - began) < self._lasts_s:
            if self._interrupted.wait(min(speaks_every_s or self._lasts_s, self._lasts_s - past)):
                break
            if speaks_every_s:
                watch.moved()
        return time.monotonic() - began


def watching(
    statement: Statement, cancel: Cancel, pulse: Callable[[], Hashable | None], limit_s: float
) -> Watch:
    return Watch(statement.interrupt, cancel, Stall(limit_s, pulse), "the backup of SelfMX")


def silence() -> Hashable | None:
    """Nothing can be seen, so there is no limit."""
    return None


def test_a_wish_to_stop_reaches_a_blocked_statement() -> None:
    statement, cancel = Statement(), Cancel()
    timer = threading.Timer(0.1, cancel.request, (signal.SIGINT,))
    timer.start()
    with watching(statement, cancel, silence, 1800) as watch:
        assert statement.run(watch) < 2
    timer.join()
    assert isinstance(watch.cause, Cancelled)
    assert watch.cause.signal_number == signal.SIGINT
    assert statement.interrupts == 1


def test_a_wish_that_was_lost_is_repeated_and_the_first_cause_is_told() -> None:
    statement, cancel = Statement(deaf_to=1), Cancel()
    with watching(statement, cancel, lambda: "same", 0.3) as watch:
        while watch.cause is None:
            time.sleep(0.05)
        cancel.request(signal.SIGTERM)
        assert 2 < statement.run(watch) < 6
    assert isinstance(watch.cause, Stalled)
    assert statement.interrupts == 2


def test_a_statement_that_ends_by_itself_has_no_cause() -> None:
    statement = Statement(0.3)
    with watching(statement, Cancel(), silence, 1800) as watch:
        statement.run(watch)
    assert watch.cause is None
    assert statement.interrupts == 0


def test_no_limit_means_that_only_a_wish_ends_it() -> None:
    statement = Statement(0.8)
    with Watch(statement.interrupt, Cancel(), None, "it") as watch:
        statement.run(watch)
    assert (watch.cause, statement.interrupts) == (None, 0)


def test_a_statement_without_any_movement_is_given_up() -> None:
    statement = Statement()
    with watching(statement, Cancel(), lambda: ("same", 1), 0.6) as watch:
        assert 0.6 < statement.run(watch) < 5
    assert isinstance(watch.cause, Stalled)
    assert watch.cause.message == "the backup of SelfMX made no progress for 1 s"


@pytest.mark.parametrize("kind", ["moves", "cannot be seen", "fails"])
def test_a_pulse_that_moves_or_cannot_be_seen_keeps_it_alive(kind: str) -> None:
    beats = count()

    def pulse() -> Hashable | None:
        beat = next(beats)
        if kind == "fails":
            raise PermissionError(13, "Permission denied")
        return beat if kind == "moves" else None

    statement = Statement(1.2)
    with watching(statement, Cancel(), pulse, 0.3) as watch:
        statement.run(watch)
    assert (watch.cause, statement.interrupts) == (None, 0)
    assert next(beats) >= 3


def test_a_wish_is_heard_after_a_pulse_failed() -> None:
    def fails() -> Hashable:
        raise PermissionError(13, "Permission denied")

    statement, cancel = Statement(), Cancel()
    timer = threading.Timer(0.5, cancel.request, (signal.SIGTERM,))
    timer.start()
    with watching(statement, cancel, fails, 0.3) as watch:
        assert statement.run(watch) < 3
    timer.join()
    assert isinstance(watch.cause, Cancelled)


def test_a_server_that_speaks_is_not_asked_for_a_pulse() -> None:
    asked = count()
    statement = Statement(0.9)
    with watching(statement, Cancel(), lambda: next(asked), 1.2) as watch:
        statement.run(watch, speaks_every_s=0.05)
    assert (watch.cause, next(asked)) == (None, 0)


def test_the_watching_thread_ends_with_its_statement() -> None:
    with watching(Statement(), Cancel(), silence, 1800):
        assert "watch" in {thread.name for thread in threading.enumerate()}
    assert "watch" not in {thread.name for thread in threading.enumerate()}


def test_what_does_not_end_though_it_was_told_to_is_said_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancel_module, "DEAF_AFTER_S", 0.2)
    statement, cancel = Statement(1.5, deaf_to=1000), Cancel()
    cancel.request(signal.SIGTERM)
    heard: list[str | None] = []
    timer = threading.Timer(1.0, lambda: heard.append(cancel.unheard_by))
    timer.start()
    with watching(statement, cancel, silence, 1800) as watch:
        assert cancel.unheard_by is None
        statement.run(watch)
    assert heard == ["the backup of SelfMX"]
    assert cancel.unheard_by is None
