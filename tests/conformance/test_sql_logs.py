"""The logs that stand-ins leave behind, and the judge over all of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyodbc
import pytest

from tests.standin.process import REPOSITORY, SQL_LOGS, StandIn

OURS = "selfmx-backupd/selfmx"
GOOD = "BACKUP DATABASE [SelfMX] TO DISK = N'/x.bak' WITH CHECKSUM"
BAD = "BACKUP DATABASE [SelfMX] TO DISK = N'/x.bak' WITH CHEKSUM"


def leave(directory: Path, name: str, *batches: tuple[str, str]) -> None:
    """A log of batches, each with its program."""
    lines = [json.dumps({"program": program, "sql": sql}) for program, sql in batches]
    (directory / name).write_text("".join(f"{line}\n" for line in lines))


def judged(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `python -m tests.judge` says of a directory, outside of CI unless told otherwise."""
    return subprocess.run(
        [sys.executable, "-m", "tests.judge", str(directory)],
        cwd=REPOSITORY,
        env={**os.environ, "CI": "", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("judge")
def test_what_the_product_sent_is_judged_once(tmp_path: Path) -> None:
    leave(tmp_path, "a.log", (OURS, GOOD), (OURS, "SELECT 1"), ("tests", BAD))
    leave(tmp_path, "b.log", (OURS, GOOD), (OURS, "sp_datatype_info_100 -10, @ODBCVer = 3"))
    answer = judged(tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "2 distinct statements judged, 3 batches in 2 logs\n"


@pytest.mark.usefixtures("judge")
def test_a_statement_that_does_not_parse_is_shown_with_its_errors(tmp_path: Path) -> None:
    leave(tmp_path, "a.log", (OURS, GOOD), (OURS, BAD))
    answer = judged(tmp_path)
    assert answer.returncode == 1, answer.stderr
    first, sql, error, total = answer.stdout.splitlines()
    assert (first, sql) == ("does not parse:", BAD)
    assert error.startswith("    46010 at 1:")
    assert total == "2 distinct statements judged, 2 batches in 1 logs"


@pytest.mark.parametrize("batches", [(), (("tests", GOOD),)])
def test_where_the_product_sent_nothing_that_is_a_failure(
    tmp_path: Path, batches: tuple[tuple[str, str], ...]
) -> None:
    leave(tmp_path, "a.log", *batches)
    answer = judged(tmp_path)
    assert answer.returncode == 1, answer.stderr
    assert answer.stdout == "no batch of the product in 1 logs: nothing was judged\n"


def test_an_empty_directory_is_a_failure(tmp_path: Path) -> None:
    assert judged(tmp_path).returncode == 1


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_the_parser_it_says_so_and_only_ci_fails(
    tmp_path: Path, ci: str, code: int
) -> None:
    leave(tmp_path, "a.log", (OURS, GOOD))
    answer = judged(tmp_path, CI=ci, PATH="")
    assert answer.returncode == code, answer.stderr
    assert answer.stdout.startswith("not judged: mono's compiler is missing")


def test_a_log_outlives_a_stand_in_that_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SQL_LOGS, str(tmp_path / "logs"))
    fault = ("--fault", "die-after:DB_NAME")
    ours = [StandIn(tmp_path / name, tmp_path / "backup", args=fault) for name in ("a", "b")]
    for standin in ours:
        with standin, standin.connect("freetds", program=OURS) as connection:
            with pytest.raises(pyodbc.Error):
                connection.execute("SELECT DB_NAME()")
            assert standin.wait() == 70
    logs = list((tmp_path / "logs").iterdir())
    assert sorted(logs) == sorted(standin.sql_log for standin in ours)
    lines = [json.loads(log.read_text().splitlines()[-1]) for log in logs]
    assert [(line["program"], line["sql"]) for line in lines] == [(OURS, "SELECT DB_NAME()")] * 2
