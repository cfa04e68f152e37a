import hashlib
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selfmx_backupd.adapters.backup_dir import BackupDir, Stamp
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import Cancelled, DirectoryUnusable, NotEnoughSpace
from selfmx_backupd.policy.inventory import part_of
from tests.build import TINY, backup, mounted, utc

AT = utc("2026-11-24 03:00")
STEM = "selfmx_20261124_030000"
BAK, PART, JSON = f"{STEM}.bak", f"{STEM}.bak.part", f"{STEM}.json"


@pytest.fixture
def directory(tmp_path: Path) -> BackupDir:
    path = tmp_path / "backups"
    path.mkdir()
    return BackupDir(path, "/var/opt/mssql/backup", "selfmx")


def names(directory: BackupDir) -> set[str]:
    return {each.name for each in directory.path.iterdir()}


def fill(directory: BackupDir, *files: str) -> None:
    for file in files:
        (directory.path / file).write_bytes(b"content")


def test_a_listing_holds_sizes_manifests_and_everything_else(directory: BackupDir) -> None:
    fill(directory, BAK, "notes.txt", "other_20261124_030000.json")
    directory.write_manifest(backup(AT))
    (directory.path / "selfmx_20261125_030000.json").write_text("{")
    (directory.path / "folder").mkdir()
    (directory.path / "selfmx_20261126_030000.bak").symlink_to(BAK)
    (directory.path / "selfmx_20261127_030000.json").symlink_to(JSON)
    os.mkfifo(directory.path / "selfmx_20261128_030000.bak")
    listing = directory.read()
    assert set(listing.sizes) == {
        BAK, JSON, "notes.txt", "selfmx_20261125_030000.json", "other_20261124_030000.json"
    }  # fmt: skip
    assert listing.sizes[BAK] == 7
    assert listing.others == (
        "folder",
        "selfmx_20261126_030000.bak",
        "selfmx_20261127_030000.json",
        "selfmx_20261128_030000.bak",
    )
    assert listing.manifests == {
        JSON: backup(AT),
        "selfmx_20261125_030000.json": "its manifest is not JSON",
    }


def test_a_name_that_is_no_text_is_listed_in_a_form_that_can_be_printed(
    directory: BackupDir,
) -> None:
    Path(os.fsdecode(os.fsencode(directory.path) + b"/f\xfcr")).touch()
    (name,) = directory.read().sizes
    assert name == "f\\xfcr"
    assert name.encode()


def test_files_that_come_and_go_meanwhile_are_no_error(directory: BackupDir) -> None:
    """The daemon looks without the lock while a job writes, renames and removes."""
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            fill(directory, PART)
            directory.write_manifest(backup(AT))
            directory.publish(BAK)
            directory.remove_backup(BAK)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(1500):
            assert set(directory.read().sizes) <= {BAK, PART, JSON, f"{JSON}.tmp"}
    finally:
        done.set()
        worker.join()


@pytest.mark.parametrize(
    ("place", "reason", "hint"),
    [("missing", "no such file", "Make the directory"), ("file", "not a directory", "ls -la")],
)
def test_a_directory_that_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, place: str, reason: str, hint: str
) -> None:
    (tmp_path / "file").touch()
    directory = BackupDir(tmp_path / place, "/b", "selfmx")
    doings: list[Callable[[], object]] = [
        directory.read,
        directory.write_probe,
        lambda: directory.write_manifest(backup(AT)),
        lambda: directory.remove_backup(BAK),
        lambda: directory.publish(BAK),
        lambda: directory.sync(PART),
        lambda: directory.remove_manifest(BAK),
        lambda: directory.sha256(BAK, Cancel(), lambda _: None),
    ]
    for doing in doings:
        with pytest.raises(DirectoryUnusable) as caught:
            doing()
        assert f"{directory.path}: {reason}" in caught.value.message
        assert hint in str(caught.value.hint)


def test_a_manifest_that_cannot_be_read_is_an_error_and_no_unknown_backup(
    directory: BackupDir,
) -> None:
    fill(directory, JSON)
    # Address 0 of a process cannot be read, by root neither.
    with (
        mounted(directory.path / JSON, "--bind", f"/proc/{os.getpid()}/mem"),
        pytest.raises(DirectoryUnusable, match=f"cannot read {directory.path}: input/output error"),
    ):
        directory.read()


@pytest.mark.parametrize("ending", [".bak", ".bak.part", ".json"])
def test_a_name_is_taken_by_any_of_the_three_files(directory: BackupDir, ending: str) -> None:
    assert directory.free_name(AT) == BAK
    fill(directory, STEM + ending)
    assert directory.free_name(AT) == "selfmx_20261124_030001.bak"
    (directory.path / "selfmx_20261124_030001.json").symlink_to("nowhere")
    assert directory.free_name(AT) == "selfmx_20261124_030002.bak"
    assert directory.free_name(AT.replace(second=1)) == "selfmx_20261124_030002.bak"


def test_a_part_gets_its_name(directory: BackupDir) -> None:
    fill(directory, PART)
    directory.publish(BAK)
    assert names(directory) == {BAK}


@pytest.mark.parametrize("kind", ["file", "folder", "link to nowhere"])
def test_nothing_is_ever_published_over_something_else(directory: BackupDir, kind: str) -> None:
    fill(directory, PART)
    there = directory.path / BAK
    if kind == "file":
        there.write_text("precious")
    elif kind == "folder":
        there.mkdir()
    else:
        there.symlink_to("nowhere")
    with pytest.raises(DirectoryUnusable, match="the name has been taken"):
        directory.publish(BAK)
    assert names(directory) == {BAK, PART}
    assert kind != "file" or there.read_text() == "precious"


def test_of_an_unfinished_backup_the_manifest_goes_first(directory: BackupDir) -> None:
    fill(directory, PART)
    (directory.path / JSON).mkdir()  # cannot be unlinked: everything after it stays
    with pytest.raises(DirectoryUnusable):
        directory.remove_unfinished(BAK)
    assert names(directory) == {PART, JSON}
    (directory.path / JSON).rmdir()
    directory.write_manifest(backup(AT))
    directory.remove_unfinished(BAK)
    assert names(directory) == set()


def test_of_a_backup_the_file_goes_first(directory: BackupDir) -> None:
    directory.write_manifest(backup(AT))
    (directory.path / BAK).mkdir()
    with pytest.raises(DirectoryUnusable):
        directory.remove_backup(BAK)
    assert names(directory) == {BAK, JSON}
    (directory.path / BAK).rmdir()
    fill(directory, BAK)
    directory.remove_backup(BAK)
    directory.remove_backup(BAK)  # what is gone is no error
    assert names(directory) == set()


def test_removing_a_link_leaves_what_it_leads_to(directory: BackupDir, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    (directory.path / BAK).symlink_to(tmp_path / "precious")
    directory.remove_backup(BAK)
    assert (tmp_path / "precious").read_text() == "x"
    assert names(directory) == set()


def test_a_manifest_is_replaced_whole_and_only_we_may_write_it(directory: BackupDir) -> None:
    directory.write_manifest(backup(AT))
    directory.write_manifest(backup(AT, verified=False))
    assert names(directory) == {JSON}
    assert directory.read().manifests[JSON] == backup(AT, verified=False)
    assert stat.S_IMODE((directory.path / JSON).stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_directory(directory: BackupDir) -> None:
    os.chown(directory.path, 12345, 23456)
    directory.write_manifest(backup(AT))
    directory.write_probe()
    for path in (directory.path / JSON, directory.probe_path):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_the_probe_is_empty_and_everybody_may_read_it(directory: BackupDir) -> None:
    directory.probe_path.write_text("left behind")
    directory.write_probe()
    status = directory.probe_path.stat()
    assert (status.st_size, stat.S_IMODE(status.st_mode)) == (0, 0o644)
    directory.remove_probe()
    directory.remove_probe()
    assert names(directory) == set()


def test_a_probe_that_is_a_link_is_replaced_and_not_followed(
    directory: BackupDir, tmp_path: Path
) -> None:
    secret = tmp_path / "shadow"
    secret.touch(mode=0o600)
    directory.probe_path.symlink_to(secret)
    directory.write_probe()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert not directory.probe_path.is_symlink()


def test_both_sides_name_the_same_files(directory: BackupDir) -> None:
    assert part_of(BAK) == PART
    assert directory.server_path_of(PART) == f"/var/opt/mssql/backup/{PART}"
    assert directory.server_probe_path == "/var/opt/mssql/backup/selfmx.probe"
    assert directory.lock_path == directory.path / "selfmx.lock"


def test_a_part_has_a_size_and_a_time_until_it_is_gone(directory: BackupDir) -> None:
    assert (directory.size_of(PART), directory.stamp_of(PART)) == (None, None)
    fill(directory, PART, BAK)
    os.utime(directory.path / PART, (5, 7))
    assert (directory.size_of(PART), directory.stamp_of(PART)) == (7, Stamp(7, 7.0))
    (directory.path / PART).unlink()
    (directory.path / PART).symlink_to(BAK)
    assert (directory.size_of(PART), directory.stamp_of(PART)) == (None, None)


def test_a_sum_is_that_of_the_whole_file(directory: BackupDir) -> None:
    content = os.urandom((1 << 20) + 17)
    (directory.path / BAK).write_bytes(content)
    told: list[int] = []
    assert directory.sha256(BAK, Cancel(), told.append) == hashlib.sha256(content).hexdigest()
    assert told == [1 << 20, len(content)]


def test_a_sum_ends_at_the_wish_to_stop(directory: BackupDir) -> None:
    fill(directory, BAK)
    cancel = Cancel()
    cancel.request(15)
    with pytest.raises(Cancelled):
        directory.sha256(BAK, cancel, lambda _: None)


def test_a_part_is_flushed_where_the_file_system_can(directory: BackupDir) -> None:
    fill(directory, PART)
    assert directory.sync(PART) is True
    (directory.path / PART).unlink()
    try:  # flushing a device such as /dev/null is EINVAL, as on some network file systems
        os.mknod(directory.path / PART, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.close(os.open(directory.path / PART, os.O_RDONLY))
    except PermissionError as error:
        pytest.skip(f"no device can be made here: {error}")
    assert directory.sync(PART) is False


def test_a_part_that_cannot_be_flushed_is_an_error_that_names_it(directory: BackupDir) -> None:
    (directory.path / PART).symlink_to("nowhere")
    with pytest.raises(DirectoryUnusable, match=f"cannot flush a file in .*{PART}"):
        directory.sync(PART)


def test_a_full_disk_is_not_enough_space_and_leaves_the_old_manifest(
    directory: BackupDir,
) -> None:
    with mounted(directory.path, *TINY):
        directory.write_manifest(backup(AT))
        with pytest.raises(NotEnoughSpace) as caught:
            directory.write_manifest(replace(backup(AT), writer="x" * 100_000))
        assert caught.value.message == f"no space is left in {directory.path}"
        assert caught.value.hint == f"Type: df -h {directory.path}"
        assert directory.read().manifests[JSON] == backup(AT)
        assert directory.space().total_bytes == 65536
        assert directory.space().free_bytes < 65536
