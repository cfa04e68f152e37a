"""Restores and the daemon: they wait for each other, and STATUS tells what is true."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installation import DaemonProcess
from tests.system.restore_site import NEW, OLD, RestoreSite, Seen, told
from tests.system.test_crash import kill_at_line

pytestmark = pytest.mark.faults

SLOW = ("--size", "8", "--rate", "4")


@pytest.fixture
def site(tmp_path: Path, driver: str) -> RestoreSite:
    return RestoreSite(tmp_path, driver=driver, standin=SLOW)


def has(words: str) -> Callable[[str], bool]:
    return lambda message: words in message


def is_idle(message: str) -> bool:
    return message.startswith("STATUS=newest backup")


def wait_for_line(process: subprocess.Popen[str], wanted: str) -> None:
    assert process.stderr is not None
    while wanted not in process.stderr.readline():
        assert process.poll() is None, process.stderr.read()


def test_a_backup_that_is_due_while_a_restore_runs_is_taken_after_it(site: RestoreSite) -> None:
    with site:
        restore = site.start("selfmx-restore", "--latest", "--yes")
        wait_for_line(restore, "restoring")
        with DaemonProcess(site, env={"WATCHDOG_USEC": "1000000"}) as daemon:
            daemon.wait_for(has("READY=1"))
            assert restore.poll() is None
            _, errors = restore.communicate(timeout=60)
            assert restore.returncode == 0, errors
            assert len(site.listed()) == 1, "nothing was backed up meanwhile"
            daemon.wait_for(is_idle)
            daemon.wait_for(lambda message: is_idle(message) and "2 verified backups" in message)
            daemon.stop()
        # That backups are overdue is true; the restore is nothing to complain about.
        assert not [each for each in daemon.heard if re.search("interrupted|failed|restore", each)]
        assert site.seen().databases["SelfMX"] == NEW
        newest = site.listed()[0]
        assert newest["tiers"] == ["daily", "weekly", "monthly"]
        site.sql("DELETE FROM SelfMX.dbo.SentEmails")
        assert site.restore(newest["file"]).returncode == 0
        assert site.seen().databases["SelfMX"] == NEW, "it is of the restored database"


def test_a_restore_while_a_backup_runs_is_refused_and_names_the_holder(site: RestoreSite) -> None:
    with site:
        backup = site.start("selfmx-backup")
        wait_for_line(backup, "backing up")
        done = site.restore("--latest")
        assert done.returncode == 7, done.stderr
        assert re.search(
            rf"another job is running: manual backup by process {backup.pid} ",
            told(done, "error")[0],
        )
        assert "Wait until it has finished" in told(done, "hint")[0]
        assert site.restore("--undo").returncode in (2, 7)
        _, errors = backup.communicate(timeout=60)
        assert backup.returncode == 0, errors
        assert site.seen() == Seen({"SelfMX": OLD}, app_runs=True)
        assert site.plan is None


def test_two_restores_at_once_are_one(site: RestoreSite) -> None:
    with site:
        first = site.start("selfmx-restore", "--latest", "--yes")
        wait_for_line(first, "restoring")
        second = site.restore("--latest")
        assert second.returncode == 7, second.stderr
        assert f"restore of {site.file} by process {first.pid} " in told(second, "error")[0]
        _, errors = first.communicate(timeout=60)
        assert first.returncode == 0, errors
        swapped = {"SelfMX": NEW, "SelfMX_before_STAMP": OLD}
        assert site.seen() == Seen(swapped, app_runs=True)


def test_status_names_an_interrupted_restore_and_what_to_type(site: RestoreSite) -> None:
    with site:
        kill_at_line(site.start("selfmx-restore", "--latest", "--yes"), "restoring 25 %")
        with DaemonProcess(site) as daemon:
            status = daemon.wait_for(has("was interrupted"))
            assert f"the restore of {site.file} was interrupted (copying)" in status
            assert "type: selfmx-restore --undo" in status
            daemon.wait_for(lambda message: "PROBLEM" in message and "was interrupted" in message)
            undo = undo_when_free(site)
            assert undo.returncode == 0, undo.stderr
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for(is_idle)
            daemon.stop()
        assert site.seen() == Seen({"SelfMX": OLD}, app_runs=True)
        assert site.listed()[0]["tiers"] == ["daily", "weekly", "monthly"]


def undo_when_free(site: RestoreSite) -> subprocess.CompletedProcess[str]:
    """The daemon takes a backup meanwhile, which is not held up by what was interrupted."""
    undo = site.restore("--undo")
    for _ in range(20):
        if undo.returncode != 7:
            break
        undo = site.restore("--undo")
    return undo
