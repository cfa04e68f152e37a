"""`selfmx-backupd check`: what it looks at, and what it leaves alone."""

import fcntl
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.checking import installed, run, wrong

# The program is loaded first, while it may be read.
AS_NOBODY = """
import os, sys
from selfmx_backupd.adapters.mssql import connect
from selfmx_backupd.cli import check, door
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(door.enter("selfmx-backupd", sys.argv[1:]))
"""
# Everything that is checked where the program is installed as README.md has it.
ALL = 21


def test_an_installation_as_readme_has_it_is_well_and_nothing_is_left_behind(
    tmp_path: Path, driver: str
) -> None:
    with installed(tmp_path, driver) as site:
        assert wrong(site) == (0, {})
        code, printed = run(site)
        first, *rest = printed.splitlines()
        assert (code, first) == (0, f"OK - {ALL} things looked at, nothing is wrong")
        assert any(line.startswith("same directory  ") for line in rest)
        assert {path.name for path in site.backups.iterdir()} == {"selfmx.lock"}
        assert not site.state.exists()


def test_what_depends_on_something_that_failed_is_left_out(tmp_path: Path) -> None:
    with installed(tmp_path) as site:
        site.settings["backup"]["directory"] = "/nowhere"
        site.write_config()
        assert list(wrong(site)[1]) == ["backup_directory"]
        site.server.stop()
        assert list(wrong(site)[1]) == ["backup_directory", "sql_server"]


def test_a_job_under_way_is_not_disturbed_and_what_it_hides_is_unknown(tmp_path: Path) -> None:
    with installed(tmp_path) as site:
        with (site.backups / "selfmx.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            code, found = wrong(site)
        assert (code, list(found)) == (3, ["same_directory"])
        assert wrong(site) == (0, {})


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A directory that other users may enter."""
    root = Path(tempfile.mkdtemp(prefix="selfmx-check-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_is_not_root_is_told_what_he_cannot_see(open_root: Path) -> None:
    with installed(open_root) as site:
        _, *typed = site.command("selfmx-backupd", "check", "--json")
        words = [sys.executable, "-c", AS_NOBODY, *typed]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    unseen = {it["subject"] for it in document["checks"] if it["severity"] == "unknown"}
    assert (done.returncode, document["verdict"]) == (3, "unknown")
    assert unseen == {"backup_directory", "sql_server", "restore_rights"}
    assert f"sudo selfmx-backupd --config {site.config} check" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may ask for another user")
def test_a_directory_that_the_daemons_user_may_not_write_to_is_critical(open_root: Path) -> None:
    """SelfMX's updater takes the group's right to write away; root would not notice."""
    nobody = pwd.getpwnam("nobody")
    with installed(open_root) as site:
        site.state.mkdir()
        os.chown(site.state, nobody.pw_uid, nobody.pw_gid)
        code, found = wrong(site)
        assert (code, list(found)) == (2, ["backup_directory"])
        assert f"nobody may not write to {site.backups}" in found["backup_directory"]["sentence"]
        assert f"chmod 2770 {site.backups}" in found["backup_directory"]["hint"]
        os.chown(site.backups, -1, nobody.pw_gid)
        site.backups.chmod(0o2770)
        assert wrong(site) == (0, {})


def test_a_configuration_that_makes_no_sense_is_unknown(tmp_path: Path) -> None:
    site = installed(tmp_path)
    site.settings["schedule"]["daily"] = "25:00"
    site.write_config()
    done = site.run("selfmx-backupd", "check")
    assert (done.returncode, done.stdout) == (3, "")
    assert "schedule.daily" in done.stderr


def test_a_server_that_accepts_and_says_nothing_ends_the_check_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, installed(tmp_path) as site:
        site.settings["sqlserver"] |= {"port": silent.getsockname()[1], "login_timeout_s": 1}
        site.write_config()
        code, found = wrong(site)
        assert code == 2
        assert "127.0.0.1" in found["sql_server"]["sentence"]
