"""The stand-in's own command line, its log, and what lives between two starts."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.servers import Start, drained, through_driver
from tests.standin.faults import KINDS
from tests.standin.process import REPOSITORY, StandIn

COUNT = "SELECT COUNT(*) FROM SelfMX.dbo.AuditLogs"


def standin_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.standin", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def test_help_explains_every_fault() -> None:
    shown = standin_command("--help").stdout
    assert all(f"  {name}" in shown for name in KINDS)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--fault", "nonsense"), "no fault 'nonsense'"),
        (("--fault", "diskfull"), "write --fault diskfull:PERCENT"),
        (("--fault", "flip:3"), "write --fault flip"),
        (("--fault", "offline@1"), "offline lasts"),
        (("--login", "someone"), "NAME:PASSWORD:RIGHTS"),
        (
            ("--login", "someone:secret:everything"),
            "there are backup, createdb, viewstate, alterdb, kill, dbcreator, none",
        ),
        (("--mount", "backup=/tmp"), "SERVER_PATH=HOST_PATH"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, arguments: tuple[str, str], complaint: str
) -> None:
    ended = standin_command("--port", "0", "--data", str(tmp_path), *arguments)
    assert ended.returncode == 2
    assert complaint in ended.stderr


def test_it_listens_on_the_loopback_only(plain: StandIn) -> None:
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.2", plain.port))


def test_every_batch_is_a_line_of_the_log(start: Start) -> None:
    standin = start()
    with standin.connect("freetds", database="SelfMX") as connection:
        connection.execute("SELECT @@SPID").fetchall()
    *_, last = standin.sql_log.read_text().splitlines()
    entry = json.loads(last)
    assert set(entry) == {"at", "spid", "login", "program", "database", "sql"}
    assert (entry["login"], entry["program"]) == ("sa", "tests")
    assert (entry["database"], entry["sql"]) == ("SelfMX", "SELECT @@SPID")


def test_rows_live_between_two_starts(start: Start) -> None:
    standin = start()
    with standin.connect("freetds") as connection:
        assert connection.execute(COUNT).fetchval() > 0
        connection.execute("DELETE FROM SelfMX.dbo.AuditLogs")
    assert standin.stop() == 0
    standin.start()
    with standin.connect("freetds") as connection:
        assert connection.execute(COUNT).fetchval() == 0


def test_sigint_ends_it_as_well(start: Start) -> None:
    standin = start()
    os.kill(standin.pid, signal.SIGINT)
    assert standin.wait() == 0


def test_further_databases_have_a_family_of_their_own(start: Start) -> None:
    standin = start("--database", "SelfMX", "--database", "Other")
    server = through_driver(standin, "freetds")
    families = set()
    with server.connect() as connection:
        for database in ("SelfMX", "Other"):
            device = server.device(f"{database}.bak")
            drained(
                connection.execute(f"BACKUP DATABASE {database} TO DISK = N'{device}' WITH FORMAT")
            )
            cursor = connection.execute(f"RESTORE HEADERONLY FROM DISK = N'{device}'")
            families.add(cursor.fetchall()[0].FamilyGUID)
            drained(cursor)
    assert len(families) == 2


def test_size_makes_database_and_backup_larger(start: Start) -> None:
    standin = start("--size", "16")
    server = through_driver(standin, "freetds")
    with server.connect() as connection:
        drained(connection.execute(server.backup("large.bak")))
    size_bytes = (standin.backup_dir / "large.bak").stat().st_size
    assert 16 * 2**20 < size_bytes < 24 * 2**20
