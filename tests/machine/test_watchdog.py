"""What systemd's watchdog ends, and what it leaves alone."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.machine.service import Service
from tests.machine.test_life import SLOW

LEFT_TO_IT = "the watchdog is left to end the daemon"
QUICK = """
[Service]
WatchdogSec={watchdog_s}
TimeoutAbortSec=2
RestartSec=100ms
"""
# From then on SIGUSR1 holds the main thread for good.
HANG = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(3600))
"""
# From then on SIGUSR1 ends the scheduler's thread: what it does next fails.
DEATH = """
import gc, signal, sys
def end(*_):
    scheduler = next(it for it in gc.get_objects() if type(it).__name__ == "BackgroundScheduler")
    scheduler._process_jobs = sys.exit
    scheduler.wakeup()
signal.signal(signal.SIGUSR1, end)
"""
# What cannot be ended is waited for two minutes, and half a minute at a stop; not here.
IMPATIENCE = """
import sys
if "selfmx-backupd" in " ".join(sys.orig_argv):
    from selfmx_backupd import cancel, daemon
    cancel.DEAF_AFTER_S = daemon._STOP_WITHIN_S = 2.0
"""


def quick(service: Service, watchdog_s: int = 4, planted: str = "") -> None:
    """A watchdog with little patience, and what each Python is to run at its start."""
    place = service.machine.path("/opt/planted")
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(planted)
    service.drop_in(QUICK.format(watchdog_s=watchdog_s) + "Environment=PYTHONPATH=/opt/planted\n")


@contextmanager
def frozen(service: Service) -> Iterator[None]:
    """SQL Server answers nothing meanwhile."""
    os.kill(service.server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(service.server.pid, signal.SIGCONT)


def test_a_daemon_that_is_stopped_is_started_anew(service: Service) -> None:
    quick(service)
    service.systemctl("start")
    service.wait_until_idle()
    service.kill("STOP")
    service.wait_until_restarted()
    assert "Watchdog timeout" in service.journal()
    assert "1 verified backup" in service.wait_until_idle()


def test_a_daemon_that_hangs_is_ended_and_the_journal_shows_where(service: Service) -> None:
    quick(service, planted=HANG)
    service.systemctl("start")
    service.wait_until_idle()
    service.kill("USR1")
    service.wait_until_restarted()
    log = service.journal()
    assert "Fatal Python error: Aborted" in log
    assert "sitecustomize.py" in log
    assert "1 verified backup" in service.wait_until_idle()


def test_a_daemon_whose_scheduler_has_died_is_ended(service: Service) -> None:
    quick(service, planted=DEATH)
    service.systemctl("start")
    service.wait_until_idle()
    service.kill("USR1")
    assert "the scheduler's thread has died" in service.wait_for_log(LEFT_TO_IT)
    service.wait_until_restarted()
    assert "1 verified backup" in service.wait_until_idle()


def test_a_systemd_and_a_journal_that_are_upgraded_still_hear_it(service: Service) -> None:
    quick(service, watchdog_s=2)
    service.systemctl("start")
    service.wait_until_idle()
    pid = service.pid()
    # What Debian's package does at an upgrade.
    service.machine.shell("systemctl daemon-reexec; systemctl restart systemd-journald")
    time.sleep(5)
    service.systemctl("reload")
    service.wait_for_log("the configuration has been read again")
    assert (service.pid(), service.restarts()) == (pid, 0)


def test_a_slow_backup_is_left_alone_however_often_the_watchdog_looks(service: Service) -> None:
    quick(service, watchdog_s=2)
    service.server.renew("--size", "32", "--rate", "4")
    service.systemctl("start")
    service.wait_for("backing up", "%")
    assert "1 verified backup" in service.wait_until_idle()
    assert service.restarts() == 0
    assert len(service.entries("backup.started")) == 1


def test_a_statement_that_cannot_be_cancelled_ends_the_process_and_is_repaired(
    service: Service,
) -> None:
    quick(service, planted=IMPATIENCE)
    service.configure(backup={"stall_timeout_s": 3})
    service.server.renew(*SLOW)
    service.systemctl("start")
    service.wait_for("backing up", "%")
    with frozen(service):
        service.wait_for_log(LEFT_TO_IT, 60)
        service.wait_until_restarted()
    assert "1 verified backup" in service.wait_until_idle(120)
    (died,) = service.entries("run.interrupted")
    assert "the scheduled backup that began" in died["MESSAGE"]


def test_a_stop_does_not_wait_for_a_statement_that_cannot_be_ended(service: Service) -> None:
    quick(service, planted=IMPATIENCE)
    service.server.renew(*SLOW)
    service.systemctl("start")
    service.wait_for("backing up", "%")
    with frozen(service):
        service.systemctl("stop")
    assert service.property("Result") == "success"
    service.systemctl("start")
    assert "1 verified backup" in service.wait_until_idle(120)
    assert {name.rpartition(".")[2] for name in service.files()} == {"bak", "json"}
