"""`selfmx-backupd status` as a process: its first line, its exit code, its JSON."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from selfmx_backupd.adapters import lock, manifest
from selfmx_backupd.adapters.state import StateFile
from selfmx_backupd.model import SCHEDULED_TIERS, Backup
from selfmx_backupd.outcomes import Job, Outcomes, RunMark
from selfmx_backupd.wiring import now
from tests.build import OTHER_FAMILY, backup, plan
from tests.installation import DaemonProcess, Installation

SCHEMA = Path(__file__).parents[2] / "packaging" / "json-schemas" / "status.schema.json"
# The program is loaded first, while it may be read.
AS_NOBODY = """
import os, sys
from selfmx_backupd.cli import door, status
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(door.enter("selfmx-backupd", sys.argv[1:]))
"""
MINUTE = timedelta(minutes=1)


def put(site: Installation, made: Backup) -> Backup:
    (site.backups / made.file).write_bytes(bytes(made.size_bytes))
    (site.backups / f"{made.file.removesuffix('.bak')}.json").write_bytes(manifest.encode(made))
    return made


@pytest.fixture
def site(tmp_path: Path) -> Installation:
    """An installation with one good backup; no server, no password, nobody at work."""
    return installed(tmp_path)


def installed(root: Path) -> Installation:
    made = Installation(root)
    made.settings["health"] = {"min_free_percent": 0}
    made.write_config()
    made.password_file.unlink()
    put(made, backup(now() - MINUTE, SCHEDULED_TIERS))
    return made


def lives(site: Installation) -> AbstractContextManager[None]:
    """What a daemon holds for its life."""
    site.state.mkdir(exist_ok=True)
    return lock.hold(site.state / "daemon.lock", "daemon", now() - 60 * MINUTE)


def answer(site: Installation) -> tuple[int, dict[str, Any]]:
    """The exit code, and the document, which is as its schema says."""
    done = site.run("selfmx-backupd", "status", "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert done.stderr == ""
    return done.returncode, document


def causes(document: dict[str, Any]) -> list[str]:
    return [each["cause"] for each in document["findings"]]


def test_all_is_well_where_it_is(site: Installation) -> None:
    with lives(site):
        done = site.run("selfmx-backupd", "status")
        code, document = answer(site)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rest = done.stdout.splitlines()
    zone = r"\d{4}-\d\d-\d\d \d\d:\d\d CES?T"
    assert re.fullmatch(rf"OK - newest backup \d+ s old, 1 verified, next \w+ {zone}", first)
    assert f"daemon  runs since {document['daemon']['since'][:10]}" in "\n".join(rest)
    assert re.search(r"^daily +1 ", done.stdout, re.MULTILINE)
    assert (code, document["verdict"], document["findings"]) == (0, "ok", [])
    assert document["summary"].startswith("OK - newest backup")
    assert document["daemon"]["pid"] == os.getpid()


def test_a_daemon_that_does_not_run_is_critical(site: Installation) -> None:
    code, document = answer(site)
    assert (code, document["verdict"], causes(document)) == (2, "critical", ["daemon_down"])
    with lives(site):
        pass
    assert answer(site)[0] == 2, "the lock's file alone is no daemon"


def test_what_is_wrong_is_told_with_the_command_that_helps(site: Installation) -> None:
    put(site, backup(now() - 9 * MINUTE, family=OTHER_FAMILY))
    lost = put(site, backup(now() - 8 * MINUTE))
    (site.backups / lost.file).unlink()
    with lives(site):
        done = site.run("selfmx-backupd", "status")
        code, document = answer(site)
    assert done.returncode == code == 2
    assert done.stdout.startswith(f"CRITICAL - {lost.file} is missing: ")
    assert f"selfmx-backup forget {lost.file}" in done.stdout
    assert causes(document) == ["missing", "families"]
    assert len(document["families"]) == 2


def test_a_restore_that_died_is_critical_and_one_that_lives_is_not(site: Installation) -> None:
    state = StateFile(site.state, f"{site.backups}/selfmx")
    mark = RunMark(
        job=Job.RESTORE,
        run_id="1",
        started_at=now(),
        pid=os.getpid(),
        step="swapping",
        detail="restore",
    )
    state.write(Outcomes(running=mark, restore=plan()))
    with lives(site):
        code, document = answer(site)
        assert (code, causes(document)) == (2, ["interrupted_restore", "failed"])
        assert document["running"] is None
        with lock.hold(site.backups / "selfmx.lock", "restore", now()):
            code, document = answer(site)
        assert (code, causes(document)) == (0, [])
        assert document["running"]["step"] == "swapping"


@pytest.fixture
def open_site() -> Iterator[Installation]:
    """An installation that others may enter."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become somebody else, and by setpriv")
    root = Path(tempfile.mkdtemp(prefix="selfmx-status-"))
    root.chmod(0o755)
    yield installed(root)
    shutil.rmtree(root)


def as_nobody(site: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    """Type `selfmx-backupd status` as the user nobody, who may not enter our checkout."""
    _, *typed = site.command("selfmx-backupd", "status", *words)
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *typed], capture_output=True, text=True, check=False
    )


def test_who_may_not_see_everything_is_told_what_and_never_that_all_is_well(
    open_site: Installation,
) -> None:
    older = put(open_site, backup(now() - 5 * MINUTE))
    with lives(open_site):
        (open_site.state / "daemon.lock").chmod(0o664)
        done = as_nobody(open_site)
        assert (done.returncode, done.stdout[:5]) == (0, "OK - "), done.stdout + done.stderr
        hidden = older.file.replace(".bak", ".json")
        (open_site.backups / hidden).chmod(0o600)
        open_site.state.chmod(0o700)
        done = as_nobody(open_site, "--json")
        document = json.loads(done.stdout)
    assert done.returncode == 3
    assert document["verdict"] == "unknown"
    said = "\n".join(each["sentence"] for each in document["findings"])
    assert f"1 manifest may not be read: {hidden}" in said
    assert f"cannot read {open_site.state / 'state.json'}: permission denied" in said
    assert "daemon.lock: permission denied" in said
    again = f"sudo selfmx-backupd --config {open_site.config} status"
    assert {each["hint"] for each in document["findings"]} == {f"Type: {again}"}
    assert document["backups"]["verified"] == 1


def test_who_may_not_see_the_backups_is_not_told_that_there_are_none(
    open_site: Installation,
) -> None:
    """The standard installation: only the daemon's group sees configuration and backups."""
    open_site.backups.chmod(0o2770)
    with lives(open_site):
        done = as_nobody(open_site)
    assert done.returncode == 3
    assert done.stdout.startswith(f"UNKNOWN - cannot read {open_site.backups}: permission denied")
    assert "no verified backup" not in done.stdout
    open_site.config.chmod(0o600)
    done = as_nobody(open_site)
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot be read: permission denied" in done.stderr


@pytest.mark.parametrize("words", [("status", "--nonsense"), ("--nonsense", "status")])
def test_a_usage_error_is_unknown_to_monitoring_and_2_elsewhere(
    site: Installation, words: tuple[str, ...]
) -> None:
    assert site.run("selfmx-backupd", *words).returncode == 3
    assert site.run("selfmx-backupd", "run", "--nonsense").returncode == 2


def test_a_directory_that_is_not_there_is_critical(site: Installation) -> None:
    shutil.rmtree(site.backups)
    with lives(site):
        code, document = answer(site)
    assert code == 2
    assert causes(document) == ["directory_unusable"]
    assert document["disk"] is None


def test_the_daemons_backup_is_seen_from_outside(tmp_path: Path) -> None:
    slow = ("--size", "16", "--rate", "6")
    with Installation(tmp_path, standin=slow) as site:
        site.settings["health"] = {"min_free_percent": 0}
        site.write_config()
        with DaemonProcess(site) as daemon:
            said = daemon.wait_for(lambda message: "STATUS=backing up" in message)
            assert " · PROBLEM: there is no verified backup · next " in said
            assert "overdue" not in said
            code, document = answer(site)
            assert (code, causes(document)) == (2, ["no_backup"])
            assert document["running"]["what"] == "scheduled backup"
            daemon.wait_for(lambda message: message.startswith("STATUS=newest backup"))
            assert answer(site)[1]["verdict"] == "ok"
            daemon.process.kill()
            daemon.process.wait()
            assert answer(site)[0] == 2


def test_what_is_to_be_typed_acts_on_the_configuration_that_was_asked(site: Installation) -> None:
    lost = put(site, backup(now() - 8 * MINUTE))
    (site.backups / lost.file).unlink()
    asked, *config = site.command("selfmx-backupd", "status")
    said = subprocess.run([asked, *config], capture_output=True, text=True, check=False).stdout
    (typed,) = re.findall("accept the loss: selfmx-backup (.+)$", said, re.MULTILINE)
    assert typed == f"--config {site.config} forget {lost.file}"
    done = subprocess.run(
        [Path(asked).with_name("selfmx-backup"), *typed.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert lost.file not in site.run("selfmx-backupd", "status").stdout
