"""Links in the backup directory: SQL Server's user may make them, and root reads there."""

from pathlib import Path

import pytest

from selfmx_backupd.adapters.backup_dir import BackupDir
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import DirectoryUnusable
from tests.build import backup, utc

AT = utc("2026-11-24 03:00")
STEM = "selfmx_20261124_030000"
BAK, PART, JSON = f"{STEM}.bak", f"{STEM}.bak.part", f"{STEM}.json"


@pytest.fixture
def directory(tmp_path: Path) -> BackupDir:
    (tmp_path / "backups").mkdir()
    return BackupDir(tmp_path / "backups", "/var/opt/mssql/backup", "selfmx")


def test_a_temporary_file_that_is_a_link_is_not_followed(
    directory: BackupDir, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("x")
    (directory.path / f"{JSON}.tmp").symlink_to(tmp_path / "precious")
    directory.write_manifest(backup(AT))
    assert (tmp_path / "precious").read_text() == "x"
    assert directory.read().manifests[JSON] == backup(AT)


def test_a_manifest_is_not_read_through_a_link_nor_a_sum_through_one(
    directory: BackupDir, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (directory.path / BAK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DirectoryUnusable, match="too many levels of symbolic links"):
        directory.sha256(BAK, Cancel(), lambda _: None)


def test_a_part_that_cannot_be_opened_is_refused_with_the_way_to_share_it(
    directory: BackupDir, tmp_path: Path
) -> None:
    (directory.path / PART).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DirectoryUnusable, match=f"cannot read a file in .*{PART}"):
        directory.ensure_readable(BAK)
    (directory.path / PART).unlink()
    (directory.path / PART).write_bytes(b"content")
    directory.ensure_readable(BAK)
