"""What can be wrong with what is asked for: nothing is touched, and what is wrong is said."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.restore_site import DEVICE, NEW, OLD, RestoreSite, Seen, told
from tests.system.spoiled_backups import CASES, Case, bak, flip_a_bit, give_it_another_sum

pytestmark = pytest.mark.faults

AS_IT_WAS = Seen({"SelfMX": OLD}, app_runs=True)


@pytest.fixture
def site(tmp_path: Path, driver: str) -> RestoreSite:
    return RestoreSite(tmp_path, driver=driver)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_backup_that_cannot_be_trusted_is_refused(site: RestoreSite, case: Case) -> None:
    with site:
        case.spoil(site)
        for words in ((), ("--in-place",), ("--as", "copy")):
            done = site.restore(site.file, *words)
            assert done.returncode == case.code, (words, done.stderr)
            assert re.search(case.error, told(done, "error")[0]) or words, done.stderr
            assert re.search(case.hint, told(done, "hint")[0]) or words, done.stderr
            assert site.seen() == AS_IT_WAS, words
        assert site.app.calls == []


@pytest.mark.parametrize("spoil", [flip_a_bit, give_it_another_sum])
def test_a_backup_that_is_found_to_be_bad_is_listed_so_from_then_on(
    site: RestoreSite, spoil: Callable[[RestoreSite], None]
) -> None:
    with site:
        spoil(site)
        assert site.restore(site.file).returncode == 6
        assert [each["state"] for each in site.listed()] == ["damaged"]
        again = site.restore(site.file)
        assert again.returncode == 6
        assert re.search("is damaged", told(again, "error")[0])
        assert site.restore("--latest").returncode == 6


def test_a_backup_whose_header_names_a_newer_server_is_refused(tmp_path: Path, driver: str) -> None:
    with RestoreSite(tmp_path, driver=driver) as site:
        site.restart_server("--fault", "newer")
        device = f"{DEVICE}/selfmx_20200101_000000.bak"
        site.sql(f"BACKUP DATABASE SelfMX TO DISK = N'{device}' WITH CHECKSUM")
        done = site.restore("selfmx_20200101_000000.bak")
        assert done.returncode == 5
        assert "was taken from SQL Server 17" in told(done, "error")[0]
        assert site.seen() == AS_IT_WAS


def test_a_backup_of_another_family_is_restored_when_named_and_is_not_the_latest(
    site: RestoreSite,
) -> None:
    with site:
        site.sql("DROP DATABASE SelfMX", "CREATE DATABASE SelfMX")
        made_anew = site.back_up()
        done = site.restore("--latest")
        assert done.returncode == 11
        (error,) = told(done, "error")
        assert error.startswith("the backups are of 2 database families; the newest of each:")
        assert site.file in error
        assert made_anew in error
        assert site.restore(site.file).returncode == 0
        assert site.seen().databases["SelfMX"] == NEW
        kept = [name for name in site.names() if name.startswith("SelfMX_before_")]
        assert len(kept) == 1


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("/somewhere/selfmx_20200101_000000.bak",), 2, "is not in .*, where SQL Server can read"),
        (("../selfmx_20200101_000000.bak",), 2, "is not in "),
        (("--latest", "x.bak"), 2, "FILE and --latest do not go together"),
        (("--undo", "--drop-old"), 2, "--undo and --drop-old do not go together"),
        (("--in-place",), 2, "--in-place wants a FILE, or --latest"),
        (("--undo", "--as", "x"), 2, "--as wants a FILE, or --latest"),
        (("--in-place", "--as", "x", "--latest"), 2, "--in-place and --as do not go together"),
        (("--latest", "--as", ""), 2, "--as wants the name of a database"),
        (("--latest", "--as", "x" * 129), 2, "--as wants the name of a database"),
        (("--latest", "--as", "selfmx"), 11, "there is a database SelfMX already"),
        (("--latest", "--as", "MSDB"), 11, "there is a database msdb already"),
        (("--undo",), 2, "there is no restore to undo"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    tmp_path: Path, words: tuple[str, ...], code: int, error: str
) -> None:
    with RestoreSite(tmp_path, driver="freetds") as site:
        done = site.restore(*words)
        assert done.returncode == code, done.stderr
        assert re.search(error, told(done, "error")[0]), done.stderr
        assert len(told(done, "hint")) == 1
        assert site.seen() == AS_IT_WAS


def test_a_file_of_an_awkward_name_is_restored(site: RestoreSite) -> None:
    with site:
        name = "o'neil] N'x' Größe.bak"
        shutil.copy(bak(site), site.backups / name)
        done = site.restore(f"{site.backups}/{name}")
        assert done.returncode == 0, done.stderr
        assert site.seen() == Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD}, app_runs=True)


def test_an_unfinished_backup_is_refused(site: RestoreSite) -> None:
    with site:
        bak(site).rename(site.backups / f"{site.file}.part")
        done = site.restore(f"{site.file}.part")
        assert done.returncode == 2
        assert told(done, "error") == [f"{site.file}.part is not finished"]


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        ("createdb,viewstate,kill", "ALTER ANY DATABASE"),
        ("dbcreator,viewstate", "ALTER ANY CONNECTION"),
        ("dbcreator,kill", "VIEW SERVER STATE"),
        ("alterdb,viewstate,kill", "CREATE (ANY )?DATABASE"),
        ("dbcreator,viewstate,kill", r"IMPERSONATE ON LOGIN::\[sa\]"),
    ],
)
def test_a_missing_right_is_found_before_anything_is_touched(
    tmp_path: Path, driver: str, rights: str, missing: str
) -> None:
    login = ("--login", f"restorer:Secret-1:{rights}")
    with RestoreSite(tmp_path, driver=driver, standin=login) as site:
        site.settings["sqlserver"]["restore_user"] = "restorer"
        site.restore_password_file.write_text("Secret-1\n")
        site.write_config()
        done = site.restore("--latest")
        assert done.returncode == 5, done.stderr
        assert re.search(missing, told(done, "error")[0]), done.stderr
        assert site.seen() == AS_IT_WAS
        assert site.app.calls == []
        assert not [each for each in site.statements() if each.startswith("RESTORE DATABASE")]


def test_a_wrong_password_of_the_restoring_login_names_its_own_keys(site: RestoreSite) -> None:
    with site:
        site.restore_password_file.write_text("wrong\n")
        done = site.restore("--latest")
        assert done.returncode == 4
        assert "sqlserver.restore_user and sqlserver.restore_password_file" in told(done, "hint")[0]
        site.restore_password_file.unlink()
        done = site.restore("--latest")
        assert done.returncode == 3
        assert told(done, "error")[0].startswith("sqlserver.restore_password_file: cannot read")


def test_a_server_that_is_down_is_named_with_the_command_that_starts_it(site: RestoreSite) -> None:
    with site:
        site.server.stop()
        done = site.restore("--latest")
        assert done.returncode == 4
        assert "docker start selfmx-sqlserver" in told(done, "hint")[0]
        assert site.app.is_running


def test_too_little_room_for_both_is_exit_code_8_and_names_the_way(
    tmp_path: Path, driver: str
) -> None:
    room = ("--volume-free", "1000000")
    with RestoreSite(tmp_path, driver=driver, standin=room) as site:
        done = site.restore("--latest")
        assert done.returncode == 8, done.stderr
        assert "does not fit beside what is there: 16.0 MiB are needed" in told(done, "error")[0]
        assert f"selfmx-restore --in-place {site.file}" in told(done, "hint")[0]
        assert site.seen() == AS_IT_WAS
        assert site.restore("--in-place", "--latest").returncode == 0
        assert site.seen() == Seen({"SelfMX": NEW}, app_runs=True)


def test_an_application_that_names_no_program_is_found_before_anything_is_touched(
    site: RestoreSite,
) -> None:
    with site:
        site.settings["application"]["stop"] = ["dokcer", "stop", "selfmx-app"]
        site.write_config()
        done = site.restore("--latest")
        assert done.returncode == 3
        assert told(done, "error") == [
            "application.stop: there is no program 'dokcer' on this host"
        ]
        assert site.seen() == AS_IT_WAS
