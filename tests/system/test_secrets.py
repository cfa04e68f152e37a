"""A password is in its file and in the login packet, and nowhere else."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from selfmx_backupd import events
from selfmx_backupd.event import Event
from tests.installation import Installation, environment
from tests.service import service

# With characters that drivers' and shells' syntax treat in their own ways.
SECRET = "Gh3im-nis}{='\"%s\\ü $HOME"
# What is left of it in any spelling: quoted, escaped, cut short.
MARK = "Gh3im"

# A command whose driver fails as none was seen to fail, but as one might.
BAD_DRIVER = """
import sys
import pyodbc
from selfmx_backupd.cli import door

def connect(words, **_):
    assert "PWD=" in words
    raise {error}

pyodbc.connect = connect
sys.exit(door.enter(sys.argv[1], sys.argv[2:]))
"""


def site_of(root: Path, password: str = SECRET) -> Installation:
    site = Installation(root, password=password, standin=("--sa-password", SECRET))
    site.restore_password_file.write_text(f"{SECRET}\n")
    return site


def traces(site: Installation) -> list[str]:
    """Files that hold the secret, but for those that are made for it; not the stand-in's."""
    known = {site.password_file, site.restore_password_file}
    return [
        str(path)
        for path in sorted(site.root.rglob("*"))
        if path.is_file()
        and path not in known
        and not path.is_relative_to(site.root / "server")
        and MARK.encode() in path.read_bytes()
    ]


def no_spoiling(_site: Installation) -> None:
    pass


def wrong_password(site: Installation) -> None:
    site.password_file.write_text(f"{MARK}-wrong\n")
    site.restore_password_file.write_text(f"{MARK}-wrong\n")


def password_in_place_of_its_file(site: Installation) -> None:
    site.settings["sqlserver"]["password_file"] = f"{MARK}-in-the-wrong-place"
    site.write_config()


def password_as_a_key(site: Installation) -> None:
    site.settings["sqlserver"]["password"] = f"{MARK}-in-the-wrong-place"
    site.write_config()


def password_not_a_text(site: Installation) -> None:
    site.password_file.write_bytes(MARK.encode() + b"\xff\n")


@dataclass(frozen=True)
class Case:
    """Something wrong with a configuration that knows a secret, and how work ends then."""

    spoil: Callable[[Installation], None]
    code: int
    event: Event
    has_server: bool = False


CASES = (
    Case(no_spoiling, 0, events.BACKUP_PUBLISHED, has_server=True),
    Case(wrong_password, 4, events.BACKUP_FAILED, has_server=True),
    Case(no_spoiling, 4, events.RUN_WILL_RETRY),
    Case(password_not_a_text, 3, events.BACKUP_FAILED),
    Case(password_in_place_of_its_file, 3, events.COMMAND_ENDED),
    Case(password_as_a_key, 3, events.COMMAND_ENDED),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.spoil.__name__}-{case.code}")
def test_neither_a_command_nor_the_daemon_tells_the_secret(tmp_path: Path, case: Case) -> None:
    site = site_of(tmp_path)
    site.settings["sqlserver"]["login_timeout_s"] = 1
    site.write_config()
    with site if case.has_server else nullcontext(), service(site) as journal:
        case.spoil(site)
        daemon = journal.start("selfmx-backupd", "run")
        try:
            journal.wait_for(case.event)
            if daemon.poll() is None:
                assert all(MARK not in seen for seen in looked_at(daemon.pid))
        finally:
            daemon.terminate()
            daemon.wait(30)
        journal.read()
        assert MARK not in str(journal.entries) + journal.lines()
        done = site.run("selfmx-backup")
        assert done.returncode == case.code, done.stderr
        assert MARK not in done.stdout + done.stderr
    site.config.unlink()
    assert traces(site) == []


def looked_at(pid: int) -> list[str]:
    """What anybody sees of a process, or its own user does."""
    return [
        Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace")
        for name in ("cmdline", "environ")
    ]


def test_a_command_that_a_restore_starts_is_not_told_the_secret(tmp_path: Path) -> None:
    with site_of(tmp_path) as site:
        seen = tmp_path / "seen"
        look = "cat /proc/$$/environ /proc/$$/cmdline /proc/$PPID/environ /proc/$PPID/cmdline"
        site.settings["application"]["stop"] = ["sh", "-c", f"{look} >>{seen}"]
        site.write_config()
        assert site.run("selfmx-backup").returncode == 0
        done = site.run("selfmx-restore", "--latest", "--yes")
        assert done.returncode == 0, done.stderr
        assert b"selfmx-restore" in seen.read_bytes()
        assert MARK not in done.stdout + done.stderr
        assert traces(site) == []


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        ('pyodbc.OperationalError("08001", f"[x][y]cannot use {words} (0) (SQLDriverConnect)")',
         4, "is not reached"),
        ('pyodbc.Error("HY000", words)', 4, "is not reached"),
        ('RuntimeError("the driver has a fault")', 1, "Traceback"),
    ],
)  # fmt: skip
def test_a_driver_that_repeats_what_it_was_told_is_not_repeated(
    tmp_path: Path, driver: str, error: str, code: int, says: str
) -> None:
    site = Installation(tmp_path, driver=driver, password=SECRET)
    site.write_config()
    script = BAD_DRIVER.format(error=error)
    done = subprocess.run(
        (sys.executable, "-c", script, "selfmx-backup", *site.command("selfmx-backup")[1:]),
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert MARK not in done.stdout + done.stderr
    assert traces(site) == []
