import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfmx_backupd.adapters import lock
from selfmx_backupd.errors import Busy, DirectoryUnusable
from tests.build import TINY, mounted, utc

NOW = utc("2026-11-24 03:00")
HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from selfmx_backupd.adapters import lock
with lock.hold(Path(sys.argv[1]), "manual backup", datetime(2026, 11, 24, 2, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "selfmx.lock"


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_told_at_once_who_holds_it_and_since_when(path: Path) -> None:
    with holder(path) as process:
        with pytest.raises(Busy) as caught, lock.hold(path, "sweep", NOW):
            pass
        assert caught.value.exit_code == 7
        assert caught.value.message == (
            f"another job is running: manual backup by process {process.pid} "
            "since 2026-11-24T02:00:00+00:00"
        )


def test_it_is_free_again_once_its_holder_is_done(path: Path) -> None:
    with holder(path) as process:
        process.communicate(timeout=10)
        assert process.returncode == 0
        with lock.hold(path, "sweep", NOW):
            pass


def test_it_is_free_again_once_its_holder_is_killed(path: Path) -> None:
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=10) == -signal.SIGKILL
        assert "manual backup" in path.read_text()  # what it wrote stays, and means nothing
        with lock.hold(path, "sweep", NOW):
            assert "sweep" in path.read_text()


def test_one_process_cannot_hold_it_twice(path: Path) -> None:
    with lock.hold(path, "sweep", NOW):
        told = f"sweep by process {os.getpid()} since 2026-11-24T03:00"
        with pytest.raises(Busy, match=told), lock.hold(path, "verify", NOW):
            pass
        assert json.loads(path.read_text())["what"] == "sweep"


def test_it_is_let_go_when_the_work_fails(path: Path) -> None:
    with pytest.raises(RuntimeError), lock.hold(path, "sweep", NOW):
        raise RuntimeError
    with lock.hold(path, "verify", NOW):
        pass
    assert path.read_text() == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '{"what": "x"}', "\xff", "5"])
def test_a_holder_that_has_not_yet_written_its_name_is_said_to_begin(
    path: Path, content: str
) -> None:
    with holder(path):
        path.write_bytes(content.encode("latin-1"))
        with pytest.raises(Busy, match="it began this moment"), lock.hold(path, "sweep", NOW):
            pass


def test_a_process_that_we_start_does_not_inherit_it(path: Path) -> None:
    words = ["/bin/sh", "-c", "echo started; read line"]
    with lock.hold(path, "sweep", NOW):
        child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"started\n"
    try:
        with lock.hold(path, "verify", NOW):
            pass
        assert child.poll() is None
    finally:
        child.communicate(b"\n", timeout=10)


def test_daemon_and_root_may_both_write_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0o077)
    try:
        with lock.hold(path, "sweep", NOW):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_one_that_root_makes_belongs_to_the_owner_of_its_directory(path: Path) -> None:
    os.chown(path.parent, 12345, 23456)
    with lock.hold(path, "sweep", NOW):
        pass
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_a_link_is_refused_and_its_target_untouched(path: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(DirectoryUnusable) as caught, lock.hold(path, "sweep", NOW):
        pass
    assert str(path) in caught.value.message
    assert (tmp_path / "precious").read_text() == "x"


def test_a_lock_that_cannot_be_opened_names_its_directory(path: Path) -> None:
    path.mkdir()
    for place in (path, path / "missing" / "x.lock"):
        with pytest.raises(DirectoryUnusable) as caught, lock.hold(place, "sweep", NOW):
            pass
        assert caught.value.hint == f"Type: ls -ld {place.parent}"


def test_it_can_be_held_on_a_full_disk(tmp_path: Path) -> None:
    """Otherwise the sweep could not make room."""
    with mounted(tmp_path, *TINY):
        with pytest.raises(OSError, match="No space"):
            (tmp_path / "filling").write_bytes(b"x" * 100_000)
        with lock.hold(tmp_path / "selfmx.lock", "sweep", NOW):
            (tmp_path / "filling").unlink()


def test_a_look_tells_who_holds_it_and_disturbs_nobody(path: Path) -> None:
    assert lock.look(path) is None
    assert not path.exists()
    with holder(path) as process:
        held = lock.look(path)
        assert held == lock.Holder("manual backup", process.pid, utc("2026-11-24 02:00"))
    assert path.read_text(), "its holder was killed, and could not take its name away"
    assert lock.look(path) is None


def test_who_holds_it_and_could_not_write_its_name_is_seen(path: Path) -> None:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert lock.look(path) == lock.Holder()


def test_a_look_turns_nobody_away(path: Path) -> None:
    """It has the lock for an instant, like this one, which is longer."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        end = threading.Timer(0.005, lambda: fcntl.flock(file, fcntl.LOCK_UN))
        end.start()
        with lock.hold(path, "sweep", NOW):
            assert lock.look(path) is not None
        end.join()


def test_a_lock_that_may_not_be_opened_is_no_free_one(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(DirectoryUnusable, match="cannot look at the lock"):
        lock.look(path)
