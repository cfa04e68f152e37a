"""The daemon as a process: what it tells systemd, what it does by itself, how it ends."""

import json
import re
import shutil
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.installation import DaemonProcess, Installation


def is_idle(message: str) -> bool:
    return message.startswith("STATUS=newest backup")


def has(text: str) -> Callable[[str], bool]:
    return lambda message: text in message


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_its_life_as_systemd_sees_it(tmp_path: Path, driver: str, number: signal.Signals) -> None:
    with Installation(tmp_path, driver=driver) as site:
        with DaemonProcess(site, env={"WATCHDOG_USEC": "1000000"}) as daemon:
            first = daemon.wait_for(has("READY=1"))
            assert first.startswith("READY=1\nSTATUS=")
            daemon.wait_for(is_idle)
            pings = daemon.heard.count("WATCHDOG=1")
            daemon.wait_for(lambda _: daemon.heard.count("WATCHDOG=1") >= pings + 3, 5)
            log = daemon.stop(number)
        assert daemon.heard[-1] == f"STOPPING=1\nSTATUS=stopping on {number.name}"
        backups = site.listed()
        assert [each["tiers"] for each in backups] == [["daily", "weekly", "monthly"]]
        assert [each["state"] for each in backups] == ["verified"]
        assert driver_is_named(log, driver)
        assert site.outcomes()["running"] is None


def driver_is_named(log: str, driver: str) -> bool:
    library = {"msodbcsql18": "libmsodbcsql-18", "freetds": "libtdsodbc"}[driver]
    return re.search(rf"connected to SQL Server .* with the driver .*{library}", log) is not None


def test_what_was_backed_up_is_not_backed_up_again_after_a_restart(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        for _ in range(2):
            with DaemonProcess(site) as daemon:
                daemon.wait_for(is_idle)
                time.sleep(0.5)
                daemon.stop()
        assert len(site.listed()) == 1


def test_a_tier_that_was_missed_is_caught_up_by_one_backup(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        with DaemonProcess(site) as daemon:
            daemon.wait_for(is_idle)
            daemon.stop()
        age_by(site, timedelta(days=2))
        with DaemonProcess(site) as daemon:
            daemon.wait_for(lambda message: "2 verified backups" in message)
            daemon.stop()
        newest = site.listed()[0]
        assert "daily" in newest["tiers"]
        assert newest["trigger"] == "catch-up"


def test_a_server_that_is_down_at_the_start_does_not_keep_it_from_being_ready(
    tmp_path: Path, driver: str
) -> None:
    site = Installation(tmp_path, driver=driver)
    with site:
        site.server.stop()
        with DaemonProcess(site) as daemon:
            daemon.wait_for(has("READY=1"))
            status = daemon.wait_for(has("failed backup run in a row"))
            assert "is not reached" in status
            site.server.start()
            daemon.wait_for(is_idle)
            log = daemon.stop()
        warning = "warning: the scheduled backup failed and will be tried again: SQL Server at 127"
        assert warning in log
        assert "error: " not in log
        assert site.listed()[0]["trigger"] == "retry"
        assert site.outcomes()["jobs"]["backup"]["failures_in_a_row"] == 0


def test_a_stop_in_mid_backup_ends_it_on_the_server_and_counts_as_no_failure(
    tmp_path: Path, driver: str
) -> None:
    slow = ("--size", "64", "--rate", "4")
    with Installation(tmp_path, driver=driver, standin=slow) as site:
        with DaemonProcess(site) as daemon:
            daemon.wait_for(lambda message: "STATUS=backing up" in message and "%" in message)
            began = time.monotonic()
            log = daemon.stop()
            assert time.monotonic() - began < 5
        assert "the scheduled backup was given up: stopped by SIGTERM" in log
        assert site.files() == set()
        outcomes = site.outcomes()
        assert outcomes["running"] is None
        assert "backup" not in outcomes["jobs"]


def test_a_second_daemon_is_refused_with_exit_code_7(tmp_path: Path) -> None:
    with Installation(tmp_path) as site, DaemonProcess(site) as daemon:
        daemon.wait_for(is_idle)
        second = site.run("selfmx-backupd", "run")
        assert second.returncode == 7
        assert f"daemon by process {daemon.process.pid}" in second.stderr
        daemon.stop()


def test_a_wrong_configuration_is_exit_code_3_at_the_start(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        site.settings["retention"] = {"daily": 0}
        site.write_config()
        done = site.run("selfmx-backupd", "run")
        assert done.returncode == 3
        assert "error: config.toml: retention.daily: " in done.stderr


def test_a_reload_takes_up_a_good_file_and_refuses_a_bad_one(tmp_path: Path) -> None:
    with Installation(tmp_path) as site, DaemonProcess(site) as daemon:
        daemon.wait_for(is_idle)
        site.settings["schedule"]["daily"] = "05:45"
        site.settings["schedule"]["weekly"] = "off"
        site.settings["schedule"]["monthly"] = "off"
        site.settings["backup"]["prefix"] = "other"
        site.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        message = daemon.wait_for(has("RELOADING=1"))
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", message)
        daemon.wait_for(has("READY=1"))
        daemon.wait_for(has("05:45"))
        site.settings["schedule"]["daily"] = "25:00"
        site.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for(has("RELOADING=1"))
        daemon.wait_for(has("READY=1"))
        daemon.wait_for(has("05:45"))
        log = daemon.stop()
        assert "changed, but taken up only by a restart: backup.prefix" in log
        assert "error: the new configuration is wrong and the old one stays in force" in log


def test_a_directory_that_goes_and_comes_back_is_reported_and_used_again(tmp_path: Path) -> None:
    with (
        Installation(tmp_path) as site,
        DaemonProcess(site, env={"WATCHDOG_USEC": "1000000"}) as daemon,
    ):
        daemon.wait_for(is_idle)
        away = site.backups.with_name("away")
        site.backups.rename(away)
        assert "cannot read" in daemon.wait_for(has("PROBLEM"))
        away.rename(site.backups)
        daemon.wait_for(is_idle)
        assert "error: no backup can be taken: cannot read" in daemon.stop()


def test_what_has_left_its_tiers_is_swept(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        site.settings["retention"] = {"daily": 1, "weekly": 1, "monthly": 1, "minimum": 1}
        site.write_config()
        with DaemonProcess(site) as daemon:
            daemon.wait_for(is_idle)
            daemon.stop()
        age_by(site, timedelta(days=100))
        old = site.listed()[0]["file"]
        # Today's sweep has been done; without the memory of it, it is due again.
        (site.state / "state.json").unlink()
        watched_since_yesterday(site)
        with DaemonProcess(site) as daemon:
            daemon.wait_for(
                lambda message: (
                    is_idle(message)
                    and "1 verified backup" in message
                    and not (site.backups / old).exists()
                )
            )
            log = daemon.stop()
        assert f"removed {old}" in log
        assert len(site.files()) == 2


def test_what_has_left_its_tiers_stays_while_the_clock_is_not_trusted(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        site.settings["retention"] = {"daily": 1, "weekly": 1, "monthly": 1, "minimum": 1}
        site.write_config()
        with DaemonProcess(site) as daemon:
            daemon.wait_for(is_idle)
            daemon.stop()
        age_by(site, timedelta(days=100))
        (site.state / "state.json").unlink()
        with DaemonProcess(site) as daemon:
            daemon.wait_for(has("PROBLEM: 1 backup that may go is kept: the clock has been steady"))
            daemon.wait_for(
                lambda _: "last_success_at" in str(site.outcomes()["jobs"].get("sweep"))
            )
            log = daemon.stop()
        assert (
            "warning: 1 backup may go but wait for the next sweep: the clock has been steady only"
            in log
        )
        assert len(site.listed()) == 2


def watched_since_yesterday(site: Installation) -> None:
    """Make the daemon's watch over the clock a day older than it is."""
    path = site.state / "tick.json"
    tick = json.loads(path.read_text())
    since = datetime.fromisoformat(tick["steady_since"]) - timedelta(days=1)
    path.write_text(json.dumps(tick | {"steady_since": since.isoformat()}))


def age_by(site: Installation, span: timedelta) -> None:
    """Make the only backup older, by name and manifest, as if it had been taken then."""
    path = next(site.backups.glob("*.json"))
    manifest = json.loads(path.read_text())
    started = datetime.fromisoformat(manifest["started_at"]) - span
    stem = f"selfmx_{started.astimezone(UTC):%Y%m%d_%H%M%S}"
    manifest |= {"file": f"{stem}.bak", "started_at": started.isoformat()}
    shutil.move(path.with_suffix(".bak"), site.backups / f"{stem}.bak")
    path.unlink()
    (site.backups / f"{stem}.json").write_text(json.dumps(manifest))
