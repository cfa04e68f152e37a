"""`selfmx-backup verify` and `--pin` against the server."""

import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfmx_backupd.config import load
from selfmx_backupd.model import State
from selfmx_backupd.wiring import world_of
from tests.installation import Installation
from tests.system.restore_site import told
from tests.system.test_backup import wait_for_line


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """With two verified backups, copies of which are kept in `kept`."""
    with Installation(tmp_path_factory.mktemp("verify")) as installation:
        for _ in range(2):
            done = installation.run("selfmx-backup")
            assert done.returncode == 0, done.stderr
        shutil.copytree(installation.backups, installation.root / "kept")
        yield installation


@pytest.fixture
def two(site: Installation) -> tuple[Path, Path]:
    """Two verified backups, the newest first."""
    for path in site.backups.iterdir():
        path.unlink()
    shutil.copytree(site.root / "kept", site.backups, dirs_exist_ok=True)
    newest, oldest = sorted(site.backups.glob("*.bak"), reverse=True)
    return newest, oldest


def states(site: Installation) -> list[State]:
    """The newest first."""
    return [entry.state for entry in world_of(load(site.config)).inventory().entries]


def about(backup: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(backup.with_suffix(".json").read_text())
    return manifest


def change(backup: Path, **changed: object) -> None:
    backup.with_suffix(".json").write_text(json.dumps({**about(backup), **changed}))


def flip(backup: Path) -> None:
    """One bit; and back again by the same."""
    content = bytearray(backup.read_bytes())
    content[-1000] ^= 1
    backup.write_bytes(content)


def test_every_backup_is_proven_again_and_its_date_moves(
    site: Installation, two: tuple[Path, Path]
) -> None:
    before = [about(each) for each in two]
    done = site.run("selfmx-backup", "verify", "--all")
    assert done.returncode == 0, done.stderr
    by = "size, checksum, header, RESTORE VERIFYONLY, SHA-256"
    assert done.stdout.splitlines() == [f"{each.name}: verified again ({by})" for each in two]
    assert "verifying" in done.stderr
    for manifest, path in zip(before, two, strict=True):
        now = about(path)
        assert now["verified"]["at"] > manifest["verified"]["at"]
        assert {**now, "verified": None, "duration_s": None} == {
            **manifest,
            "verified": None,
            "duration_s": None,
        }
    assert site.outcomes()["jobs"]["verify"]["failures_in_a_row"] == 0


def test_all_are_tried_and_damage_decides_the_exit_code_and_lifts_when_it_is_gone(
    site: Installation, two: tuple[Path, Path]
) -> None:
    newest, oldest = two
    flip(newest)
    done = site.run("selfmx-backup", "verify", newest.name, str(oldest), newest.name)
    assert done.returncode == 6
    bad, good = done.stdout.splitlines()
    assert bad.startswith(f"{newest.name}: NOT VERIFIED: ")
    assert good.startswith(f"{oldest.name}: verified again (")
    assert told(done, "note") == [f"1 of 2 not verified: {newest.name}"]
    assert states(site) == [State.DAMAGED, State.VERIFIED]
    flip(newest)
    assert states(site) == [State.DAMAGED, State.VERIFIED]
    done = site.run("selfmx-backup", "verify", newest.name)
    assert done.returncode == 0, done.stderr
    assert "; it was called damaged until now: " in done.stdout
    assert f"warning: {newest.name} was called damaged (" in done.stderr
    assert about(newest)["damaged"] is None
    assert states(site) == [State.VERIFIED, State.VERIFIED]


def test_a_copy_that_is_cut_is_damaged_and_whole_again_it_is_good(
    site: Installation, two: tuple[Path, Path]
) -> None:
    newest, _ = two
    whole = newest.read_bytes()
    newest.write_bytes(whole[:5000])
    done = site.run("selfmx-backup", "verify", newest.name)
    assert done.returncode == 6
    assert f"{newest.name} has 5000 bytes, {len(whole)} were written" in done.stderr
    newest.write_bytes(whole)
    assert about(newest)["damaged"] is not None
    done = site.run("selfmx-backup", "verify", newest.name)
    assert done.returncode == 0
    assert about(newest)["damaged"] is None


def test_a_manifest_that_lacks_a_proof_gets_it(site: Installation, two: tuple[Path, Path]) -> None:
    newest, _ = two
    sha256 = about(newest)["sha256"]
    change(newest, verified=None, sha256=None)
    assert states(site)[0] is State.UNKNOWN
    assert site.run("selfmx-backup", "verify", newest.name).returncode == 0
    assert states(site)[0] is State.VERIFIED
    assert about(newest)["sha256"] == sha256


def test_what_cannot_be_proven_is_told_by_what_it_is(
    site: Installation, two: tuple[Path, Path]
) -> None:
    newest, oldest = two
    gone = "its manifest is here, the file is gone"
    bare = "it has no manifest: the daemon adopts it, or its log says why not"
    newest.unlink()
    oldest.with_suffix(".json").unlink()
    done = site.run("selfmx-backup", "verify", "--all")
    assert done.returncode == 6
    assert done.stdout.splitlines() == [
        f"{newest.name}: NOT VERIFIED: {newest.name} is missing: {gone}",
        f"{oldest.name}: NOT VERIFIED: {oldest.name} is unknown: {bare}",
    ]
    assert f"selfmx-backup forget {newest.name}" in told(done, "hint")[0]
    assert site.run("selfmx-backup", "verify", "selfmx_20200101_030000.bak").returncode == 6


def test_a_backup_of_a_newer_server_is_not_called_damaged(
    site: Installation, two: tuple[Path, Path]
) -> None:
    newest, _ = two
    change(newest, server={"name": "sql", "version": "17.0.1000.7", "edition": "Developer"})
    done = site.run("selfmx-backup", "verify", "--all")
    assert done.returncode == 5
    assert "was taken from SQL Server 17.0.1000.7" in told(done, "error")[0]
    assert states(site) == [State.VERIFIED, State.VERIFIED]


def test_a_backup_that_is_being_deleted_is_told_so(
    site: Installation, two: tuple[Path, Path]
) -> None:
    newest, _ = two
    change(newest, going={"at": about(newest)["started_at"], "reason": "left manual"})
    done = site.run("selfmx-backup", "verify", newest.name)
    assert done.returncode == 6
    assert told(done, "error") == [f"the deletion of {newest.name} has begun (left manual)"]
    assert told(done, "hint")[0].endswith(f"selfmx-backup pin {newest.name}")


def test_while_a_job_holds_the_lock_each_one_is_busy(
    site: Installation, two: tuple[Path, Path]
) -> None:
    with (site.backups / "selfmx.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = site.run("selfmx-backup", "verify", "--all")
    assert done.returncode == 7
    assert told(done, "note") == [f"2 of 2 not verified: {two[0].name} {two[1].name}"]


def test_a_server_that_does_not_answer_is_not_asked_for_every_backup(
    site: Installation, two: tuple[Path, Path]
) -> None:
    env = {"SELFMX_BACKUPD_SQLSERVER__PORT": "1", "SELFMX_BACKUPD_SQLSERVER__LOGIN_TIMEOUT_S": "1"}
    done = site.run("selfmx-backup", "verify", "--all", env=env)
    assert done.returncode == 4
    assert "1 more were not tried" in told(done, "note")
    assert states(site) == [State.VERIFIED] * len(two)


def test_a_backup_that_is_pinned_at_once_is_held_from_its_first_manifest_on(
    site: Installation, two: tuple[Path, Path]
) -> None:
    words = ("--pin", "--until", "2099-03-01", "--reason", "before the upgrade")
    done = site.run("selfmx-backup", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(", pinned until 2099-03-01 23:59 CET (before the upgrade)\n")
    newest = site.listed()[0]
    assert newest["file"] not in {each.name for each in two}
    assert newest["pin"] == {"until": "2099-03-01T22:59:59+00:00", "reason": "before the upgrade"}


def test_ctrl_c_ends_all_of_it_and_calls_nothing_damaged(tmp_path: Path) -> None:
    slow = ("--size", "4", "--rate", "4")
    with Installation(tmp_path, standin=slow) as site:
        assert site.run("selfmx-backup").returncode == 0
        process = site.start("selfmx-backup", "verify", "--all")
        wait_for_line(process, "verifying 25 %")
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130, errors
        assert "1 of 1 not tried or not ended" in errors
        assert states(site) == [State.VERIFIED]
        assert site.outcomes()["jobs"].get("verify", {}).get("failures_in_a_row", 0) == 0


def test_one_that_retention_removes_meanwhile_is_no_failure(tmp_path: Path) -> None:
    with Installation(tmp_path, standin=("--size", "4", "--rate", "4")) as site:
        for _ in range(2):
            assert site.run("selfmx-backup").returncode == 0
        newest, oldest = sorted(site.backups.glob("*.bak"), reverse=True)
        process = site.start("selfmx-backup", "verify", "--all")
        wait_for_line(process, "verifying 25 %")
        oldest.unlink()
        oldest.with_suffix(".json").unlink()
        said, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        first, second = said.splitlines()
        assert first.startswith(f"{newest.name}: verified again")
        assert second == f"{oldest.name}: it has been removed meanwhile, with its manifest"
