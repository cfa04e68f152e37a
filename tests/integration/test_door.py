"""The one door: where options belong."""

from pathlib import Path

import pytest

from tests.directory import Directory

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def test_an_option_behind_a_sub_command_is_its_own(directory: Directory) -> None:
    made = directory.add(1)
    assert directory.type("pin", made.file, "--until", "2099-01-01", "--reason=why") == 0
    assert directory.type("pin", "--reason", "pin", made.file) == 0
    pin = directory.read(made.file).pin
    assert pin is not None
    assert (pin.until, pin.reason) == (None, "pin")


@pytest.mark.parametrize(
    "words", [("--until", "2099-01-01"), ("--until=2099-01-01",), ("--pin",), ("--reason", "pin")]
)
def test_an_option_of_the_command_without_a_name_is_not_lost_before_another(
    directory: Directory, capsys: Captured, words: tuple[str, ...]
) -> None:
    made = directory.add(1)
    assert directory.type(*words, "pin", made.file) == 2
    assert directory.read(made.file).pin is None
    said = capsys.readouterr().err
    assert f"error: {words[0]} does not belong before pin" in said
    assert "hint: Type: selfmx-backup pin --help" in said


def test_a_backup_that_is_pinned_wants_to_be_called_so(
    directory: Directory, capsys: Captured
) -> None:
    assert directory.type("--until", "2099-01-01") == 2
    assert directory.type("--reason", "why") == 2
    assert directory.type("--pin", "--until", "2020-01-01") == 2
    said = capsys.readouterr().err
    assert said.count("error: --until and --reason want --pin\n") == 2
    assert "error: --until 2020-01-01 has passed" in said


def test_verify_wants_names_or_all_of_them(directory: Directory, capsys: Captured) -> None:
    made = directory.add(1)
    assert directory.type("verify") == 2
    assert directory.type("verify", "--all", made.file) == 2
    assert capsys.readouterr().err.count("error: name backups, or --all\n") == 2
    assert directory.type("verify", made.file, "selfmx_20200101_030000.bak") == 6
    assert "there is no backup selfmx_20200101_030000.bak in" in capsys.readouterr().err
    assert directory.read(made.file) == made
