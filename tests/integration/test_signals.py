import os
import signal
import threading
import time

from selfmx_backupd.adapters.signals import Bell

USR1, USR2 = signal.SIGUSR1, signal.SIGUSR2


def later(what: object, *arguments: object) -> threading.Thread:
    """Do it from another thread, after the wait has begun."""
    assert callable(what)
    timer = threading.Timer(0.1, what, arguments)
    timer.start()
    return timer


def test_a_signal_ends_the_wait_and_is_its_value() -> None:
    with Bell((USR1, USR2)) as bell:
        thread = later(os.kill, os.getpid(), USR1)
        assert bell.wait(10) == (USR1,)
        thread.join()


def test_signals_that_came_before_are_not_lost_and_keep_their_order() -> None:
    with Bell((USR1, USR2)) as bell:
        for number in (USR2, USR1, USR2):
            os.kill(os.getpid(), number)
            time.sleep(0.01)
        assert bell.wait(10) == (USR2, USR1, USR2)
        assert bell.wait(0) == ()


def test_a_ring_from_another_thread_ends_the_wait_without_a_signal() -> None:
    with Bell((USR1,)) as bell:
        began = time.monotonic()
        thread = later(bell.ring)
        assert bell.wait(10) == ()
        assert time.monotonic() - began < 5
        thread.join()


def test_rings_before_the_wait_end_one_wait_only() -> None:
    with Bell((USR1,)) as bell:
        for _ in range(100_000):  # more than the pipe holds
            bell.ring()
        assert bell.wait(10) == ()
        began = time.monotonic()
        assert bell.wait(0.2) == ()
        assert time.monotonic() - began > 0.15


def test_a_wait_without_a_ring_ends_at_its_time_out() -> None:
    with Bell((USR1,)) as bell:
        began = time.monotonic()
        assert bell.wait(0.2) == ()
        assert 0.15 < time.monotonic() - began < 5


def test_handlers_and_the_wake_up_descriptor_are_restored() -> None:
    seen: list[int] = []
    before = signal.signal(USR1, lambda number, _frame: seen.append(number))
    try:
        with Bell((USR1, USR2)):
            os.kill(os.getpid(), USR1)
        os.kill(os.getpid(), USR1)
        assert seen == [USR1]
        assert signal.getsignal(USR2) is signal.SIG_DFL
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(USR1, before)


def test_a_ring_that_comes_too_late_harms_nobody() -> None:
    with Bell((USR1,)) as bell:
        pass
    bell.ring()
