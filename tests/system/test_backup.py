"""`selfmx-backup` as a process: success in all its variants, and the ways to stop it."""

import hashlib
import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation

SIGNALS = ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129))


def manifest_of(site: Installation) -> dict[str, Any]:
    (path,) = site.backups.glob("*.json")
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def test_a_manual_backup_is_verified_published_and_described(tmp_path: Path, driver: str) -> None:
    with Installation(tmp_path, driver=driver) as site:
        done = site.run("selfmx-backup")
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(
            r"selfmx_\d{8}_\d{6}\.bak: [\d.]+ [KM]iB, verified, took [\d.]+ s\n", done.stdout
        )
        assert [line for line in done.stderr.splitlines() if "%" in line] != []
        (backup,) = site.backups.glob("*.bak")
        manifest = manifest_of(site)
        assert manifest["file"] == backup.name
        assert manifest["sha256"] == hashlib.sha256(backup.read_bytes()).hexdigest()
        assert manifest["tiers"] == ["manual"]
        assert manifest["verified"]["by"] == ["checksum", "header", "verifyonly", "sha256"]
        assert manifest["backup_set"]["copy_only"] is True
        assert {oct(path.stat().st_mode & 0o777) for path in site.backups.glob("selfmx_*")} == {
            "0o640"
        }


def test_what_is_sent_to_the_server_is_the_recipe_in_its_order(tmp_path: Path, driver: str) -> None:
    with Installation(tmp_path, driver=driver) as site:
        assert site.run("selfmx-backup").returncode == 0
        log = site.server.sql_log.read_text()
        batches = [json.loads(line)["sql"] for line in log.splitlines()]
    steps = [
        re.sub(r"\s.*", "", batch) + (" " + batch.split()[1] if batch[0] in "BR" else "")
        for batch in batches
        if not batch.startswith(("sp_", "EXEC sp_"))
    ]
    assert steps == [
        "SELECT",
        "SELECT",
        "RESTORE HEADERONLY",
        "BACKUP DATABASE",
        "RESTORE HEADERONLY",
        "RESTORE FILELISTONLY",
        "RESTORE HEADERONLY",
        "RESTORE VERIFYONLY",
    ]


@pytest.mark.parametrize(
    "standin",
    [
        ("--edition", "express"),
        ("--fault", "history"),
        ("--fault", "order:between"),
        ("--fault", "space-note"),
        ("--fault", "rough-stats"),
    ],
    ids=" ".join,
)
def test_what_is_unusual_but_good_is_published(
    tmp_path: Path, driver: str, standin: tuple[str, ...]
) -> None:
    with Installation(tmp_path, driver=driver, standin=standin) as site:
        done = site.run("selfmx-backup")
        assert done.returncode == 0, done.stderr
        assert [each["state"] for each in site.listed()] == ["verified"]
        assert ("error 3009" in done.stderr) == ("history" in standin)


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_in_mid_backup_ends_it_and_leaves_nothing(
    tmp_path: Path, driver: str, number: signal.Signals, code: int
) -> None:
    slow = ("--size", "64", "--rate", "4")
    with Installation(tmp_path, driver=driver, standin=slow) as site:
        process = site.start("selfmx-backup")
        wait_for_line(process, "backing up")
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert process.returncode == code, errors
        assert f"error: stopped by {number.name}" in errors
        assert site.files() == set()
        # The server has given it up too: another backup may begin at once.
        again = site.start("selfmx-backup")
        wait_for_line(again, "backing up")
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=20)


def test_an_orphaned_backup_of_a_killed_run_is_waited_for(tmp_path: Path, driver: str) -> None:
    slow = ("--size", "8", "--rate", "4", "--fault", "orphan:3")
    with Installation(tmp_path, driver=driver, standin=slow) as site:
        process = site.start("selfmx-backup")
        wait_for_line(process, "backing up 25 %")
        process.kill()
        process.communicate()
        done = site.run("selfmx-backup")
        assert done.returncode == 0, done.stderr
        assert [each["state"] for each in site.listed()] == ["verified"]
        assert '"sql": "BACKUP' in site.server.sql_log.read_text()


def test_list_needs_neither_a_server_nor_a_password_nor_a_driver(tmp_path: Path) -> None:
    site = Installation(tmp_path)
    with site:
        assert site.run("selfmx-backup").returncode == 0
        site.settings["sqlserver"]["driver"] = "no such driver"
        site.write_config()
    site.password_file.unlink()
    (backup,) = site.listed()
    assert backup["state"] == "verified"
    assert backup["keeps"] != []
    table = site.run("selfmx-backup", "list").stdout.splitlines()
    assert table[0].split() == ["NAME", "STATE", "TIERS", "SIZE", "AGE", "MAY", "GO", "STAYS"]
    assert table[1].startswith(backup["file"])


@pytest.mark.parametrize(
    "words", [("selfmx-backup", "--json", "list"), ("selfmx-backup", "list", "--json")]
)
def test_global_options_mean_the_same_before_and_behind_the_sub_command(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with Installation(tmp_path) as site:
        document = json.loads(site.run(*words).stdout)
        assert document["schema"] == 1
        assert document["backups"] == []


def test_an_unknown_option_is_a_usage_error_with_a_hint(tmp_path: Path) -> None:
    with Installation(tmp_path) as site:
        done = site.run("selfmx-backup", "--bogus")
        assert done.returncode == 2
        assert "error: unrecognized arguments: --bogus" in done.stderr
        assert "hint: Type: selfmx-backup --help" in done.stderr


def wait_for_line(process: subprocess.Popen[str], wanted: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if wanted in line:
            return
    raise AssertionError(f"{wanted} was never said")
