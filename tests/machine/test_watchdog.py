"""What systemd's watchdog ends, and what it leaves alone."""

import os
import signal

from tests.machine.service import Service

QUICK = """
[Service]
WatchdogSec={watchdog_s}
TimeoutAbortSec=2
RestartSec=100ms
"""
# Imported by each Python at its start; from then on SIGUSR1 holds the main thread for good.
HANG = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(3600))
"""


def quick(service: Service, watchdog_s: int = 4, more: str = "") -> None:
    service.drop_in(QUICK.format(watchdog_s=watchdog_s) + more)


def test_a_daemon_that_is_stopped_is_started_anew(service: Service) -> None:
    quick(service)
    service.systemctl("start")
    service.wait_until_idle()
    service.kill("STOP")
    service.wait_until_restarted()
    assert "Watchdog timeout" in service.journal()
    assert "1 verified backup" in service.wait_until_idle()


def test_a_daemon_that_hangs_is_ended_and_the_journal_shows_where(service: Service) -> None:
    place = service.machine.path("/opt/hang")
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(HANG)
    quick(service, more="Environment=PYTHONPATH=/opt/hang\n")
    service.systemctl("start")
    service.wait_until_idle()
    service.kill("USR1")
    service.wait_until_restarted()
    log = service.journal()
    assert "Fatal Python error: Aborted" in log
    assert "sitecustomize.py" in log
    assert "1 verified backup" in service.wait_until_idle()


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
    # What cannot be cancelled is waited for two minutes; not here.
    place = service.machine.path("/opt/impatient")
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(
        "import sys\n"
        "if sys.argv[-1:] == ['run'] or 'selfmx-backupd' in ' '.join(sys.orig_argv):\n"
        "    from selfmx_backupd import cancel\n"
        "    cancel.DEAF_AFTER_S = 2.0\n"
    )
    quick(service, more="Environment=PYTHONPATH=/opt/impatient\n")
    service.configure(backup={"stall_timeout_s": 3})
    service.server.renew("--size", "32", "--rate", "4")
    service.systemctl("start")
    service.wait_for("backing up", "%")
    os.kill(service.server.pid, signal.SIGSTOP)
    try:
        service.wait_for_log("the watchdog is left to end the daemon", 60)
        service.wait_until_restarted()
    finally:
        os.kill(service.server.pid, signal.SIGCONT)
    assert "1 verified backup" in service.wait_until_idle(120)
    (died,) = service.entries("run.interrupted")
    assert "the scheduled backup that began" in died["MESSAGE"]
