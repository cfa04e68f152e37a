"""What surrounds a backup says no: our lock, our state, our listener, an unlink."""

import json
import os
import pty
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build import mounted
from tests.installation import DaemonProcess, Installation, environment
from tests.system.test_backup import wait_for_line
from tests.system.test_daemon import has, is_idle

pytestmark = pytest.mark.faults


def test_a_lock_that_cannot_be_opened_is_reported_and_not_only_overdue(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        (site.backups / "selfmx.lock").mkdir()
        with DaemonProcess(site) as daemon:
            daemon.wait_for(has("cannot open the lock"))
            log = daemon.stop()
        assert "cannot open the lock" in log
        assert site.run("selfmx-backup").returncode == 1


def test_a_state_directory_that_cannot_be_written_stops_no_backup(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        site.state.mkdir()
        with mounted(site.state, "-t", "tmpfs", "-o", "size=16k", "none"):
            fill_up(site.state)
            with DaemonProcess(site) as daemon:
                daemon.wait_for(has("1 verified backup"))
                status = daemon.wait_for(has("cannot write"))
                assert "state.json" in status
                time.sleep(2)
                log = daemon.stop()
        assert log.count("work goes on, but how it ends cannot be remembered") == 1
        assert len(site.listed()) == 1


def fill_up(directory: Path) -> None:
    """Make every block of a file system used, but for the lock's file, which is empty."""
    (directory / "daemon.lock").touch()
    with (directory / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 1024)
        except OSError:
            return


def test_a_failure_is_reported_also_where_it_cannot_be_remembered(tmp_path: Path) -> None:
    with Installation(tmp_path, standin=("--fault", "denied")) as site:
        (site.state / "state.json.tmp").mkdir(parents=True)
        with DaemonProcess(site) as daemon:
            daemon.wait_for(has("failed backup run in a row"))
            log = daemon.stop()
        assert "the backup failed: the backup of SelfMX failed: Cannot open backup device" in log


def test_the_mark_of_a_dead_run_does_not_hide_that_a_backup_is_overdue(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        site.settings["schedule"]["retry_after_s"] = [3600]
        site.write_config()
        assert site.run("selfmx-backup").returncode == 0
        outcomes = site.outcomes()
        outcomes["running"] = {
            "job": "backup",
            "run_id": "1",
            "started_at": "2026-01-01T00:00:00+00:00",
            "pid": 1,
            "step": "backing up",
            "detail": "scheduled backup",
        }
        (site.state / "state.json").write_text(json.dumps(outcomes))
        with DaemonProcess(site) as daemon:
            status = daemon.wait_for(has("READY=1"))
            daemon.stop()
        assert "backup overdue for" in status
        assert "1 failed backup run in a row: the scheduled backup died with its process" in status


def test_a_file_that_cannot_be_removed_stops_neither_backups_nor_the_sweep_of_others(
    tmp_path: Path,
) -> None:
    with Installation(tmp_path) as site:
        assert site.run("selfmx-backup").returncode == 0
        (manifest,) = site.backups.glob("*.json")
        document = json.loads(manifest.read_text())
        going = {"at": document["started_at"], "reason": "left manual"}
        manifest.write_text(json.dumps({**document, "going": going}))
        stuck = manifest.with_suffix(".bak")
        with mounted(
            stuck, "--bind", str(site.password_file)
        ):  # EBUSY, as an immutable file's EPERM
            done = site.run("selfmx-backup")
            assert done.returncode == 0, done.stderr
            assert f"{stuck.name} should go and cannot be removed" in done.stderr
        assert site.run("selfmx-backup").returncode == 0
        assert not stuck.exists()
        assert len(site.listed()) == 2


def test_a_damaged_leftover_that_cannot_be_removed_stops_no_backup(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        assert site.run("selfmx-backup").returncode == 0
        (whole,) = site.backups.glob("*.bak")
        part = whole.rename(whole.with_name(f"{whole.name}.part"))
        with mounted(part, "--bind", str(site.password_file)):  # another size, and EBUSY
            done = site.run("selfmx-backup")
            assert done.returncode == 0, done.stderr
            assert f"{whole.name} is damaged" in done.stderr
            assert f"{whole.name} should go and cannot be removed" in done.stderr
        assert [each["state"] for each in site.listed()] == ["verified"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_does_not_end_a_backup(tmp_path: Path, stream: str) -> None:
    slow = ("--size", "8", "--rate", "8")
    with Installation(tmp_path, standin=slow) as site:
        process = site.start("selfmx-backup")
        wait_for_line(process, "backing up")
        pipe = process.stdout if stream == "stdout" else process.stderr
        assert pipe is not None
        pipe.close()
        assert process.wait(30) == 0
        for other in (process.stdout, process.stderr):
            if other is not None and not other.closed:
                other.close()
        assert [each["state"] for each in site.listed()] == ["verified"]
        assert site.outcomes()["jobs"]["backup"]["failures_in_a_row"] == 0


def test_a_terminal_that_is_closed_ends_a_backup_cleanly(tmp_path: Path) -> None:
    slow = ("--size", "64", "--rate", "4")
    with Installation(tmp_path, standin=slow) as site:
        controller, terminal = pty.openpty()
        # `setsid --ctty` makes it the terminal's session, which hears when the terminal goes.
        process = subprocess.Popen(
            ["/usr/bin/setsid", "--ctty", *site.command("selfmx-backup")],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment(),
        )
        os.close(terminal)
        wait_until(lambda: any(site.backups.glob("*.part")))
        os.close(controller)
        assert process.wait(20) == 128 + signal.SIGHUP
        assert site.files() == set()
        assert "backup" not in site.outcomes()["jobs"]


def wait_until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_backups_that_are_moved_away_do_not_make_a_loop_of_backups(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        site.settings["schedule"]["retry_after_s"] = [3600]
        site.write_config()
        with DaemonProcess(site, env={"WATCHDOG_USEC": "1000000"}) as daemon:
            daemon.wait_for(is_idle)
            for path in site.backups.glob("selfmx_*"):
                shutil.move(path, tmp_path / path.name)
            daemon.wait_for(has("overdue"))
            time.sleep(3)
            log = daemon.stop()
        assert log.count("backing up SelfMX to") == 1


def test_a_failed_reconciliation_is_forgiven_by_the_backup_that_made_it_good(
    tmp_path: Path,
) -> None:
    with Installation(tmp_path) as site:
        (site.backups / "selfmx_20260101_030000.bak.part").touch()
        site.server.stop()
        with DaemonProcess(site) as daemon:
            daemon.wait_for(has("failed verify run in a row"))
            site.server.start()
            daemon.wait_for(is_idle)
            daemon.stop()
        assert site.outcomes()["jobs"]["verify"]["failures_in_a_row"] == 0


def test_two_configurations_with_one_state_directory_are_refused(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        assert site.run("selfmx-backup").returncode == 0
        site.settings["backup"]["prefix"] = "other"
        site.write_config()
        done = site.run("selfmx-backup")
        assert done.returncode == 3
        assert "state.directory" in done.stderr
        assert f"is the memory of {site.backups}/selfmx" in done.stderr


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_stream_that_was_never_open_fails_no_backup(tmp_path: Path, closed: str) -> None:
    with Installation(tmp_path) as site:
        shell = ("sh", "-c", f'exec "$@" {closed}', "sh", *site.command("selfmx-backup"))
        done = subprocess.run(shell, env=environment(), timeout=60, check=False)
        assert done.returncode == 0
        assert len(site.listed()) == 1


@pytest.mark.parametrize("zone", ["No/Where", ":/nowhere"])
def test_a_wrong_time_zone_of_the_host_does_not_matter_where_one_is_configured(
    tmp_path: Path, zone: str
) -> None:
    with Installation(tmp_path) as site, DaemonProcess(site, env={"TZ": zone}) as daemon:
        daemon.wait_for(has("READY=1"))
        daemon.stop()
