"""Signals are the main thread's: in another one they would interrupt the ODBC driver."""

import os
import signal
import threading
import time

from selfmx_backupd.adapters import command
from selfmx_backupd.cancel import STOPPING, Cancel, leave_signals_to_the_main_thread
from selfmx_backupd.cli import interruptible


def blocked() -> set[int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def test_a_command_works_where_no_signal_comes_and_so_do_the_threads_that_it_starts() -> None:
    seen: list[set[int]] = []

    def work(_cancel: Cancel) -> None:
        thread = threading.Thread(target=lambda: seen.append(blocked()))
        thread.start()
        thread.join()
        seen.append(blocked())

    interruptible.run(work)
    assert [each & STOPPING for each in seen] == [STOPPING, STOPPING]
    assert not blocked() & STOPPING


def test_a_program_that_is_started_there_hears_signals_all_the_same() -> None:
    masks: list[str] = []

    def work() -> None:
        leave_signals_to_the_main_thread()
        masks.append(command.run(["grep", "SigBlk", "/proc/self/status"], 10).output)
        assert blocked() >= STOPPING

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert masks == ["SigBlk: 0000000000000000"]


def test_a_signal_to_the_process_is_heard_by_the_main_thread() -> None:
    def work(cancel: Cancel) -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        deadline = time.monotonic() + 5
        while not cancel.requested and time.monotonic() < deadline:
            time.sleep(0.01)
        return cancel.requested

    assert interruptible.run(work)
