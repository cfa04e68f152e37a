"""A stand-in as a real process of its own, for tests and benchmarks."""

import os
import select
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyodbc

from tests.standin.drivers import Where, known

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
PASSWORD = "Stand-in-1!"
# Names a directory where every stand-in leaves its log of batches, for `python -m tests.judge`.
SQL_LOGS = "SELFMX_TEST_SQL_LOGS"
_READY = "listening on 127.0.0.1:"


class StandIn:
    """Starts `python -m tests.standin` on a free port of the loopback and ends it again.

    Use as a context manager, or call `start()` and `stop()`; a stopped one may be started
    again over the same data.

    Args:
        data_dir: Where its databases live between starts.
        backup_dir: The host's directory that the server sees as `server_path`.
        server_path: The server's name for `backup_dir`.
        args: Further arguments of the command, for example `("--fault", "flip")`.
    """

    def __init__(
        self,
        data_dir: Path,
        backup_dir: Path,
        *,
        server_path: str = "/var/opt/mssql/backup",
        args: Sequence[str] = (),
    ) -> None:
        self.data_dir = data_dir
        self.backup_dir = backup_dir
        self.server_path = server_path
        self.args = tuple(args)
        self.port = 0
        self.sql_log = _sql_log(data_dir)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._running().pid

    def start(self) -> None:
        """Start it and wait until it listens. A second start keeps the first one's port."""
        self._make_places()
        command = [
            *(*self._python(), "-m", "tests.standin", "--port", str(self.port)),
            *("--data", self._seen(self.data_dir)),
            *("--mount", f"{self.server_path}={self._seen(self.backup_dir)}"),
            *("--sql-log", self._seen(self.sql_log)),
            *self.args,
        ]
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env=_environment()
        )
        try:
            self.port = self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> int | None:
        """End it by SIGTERM and return its exit code; None where it was not running."""
        if self._process is None:
            return None
        process, self._process = self._process, None
        process.terminate()
        try:
            code = process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        return code

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait for it to end by itself (a fault such as `die`) and return its exit code."""
        return self._running().wait(timeout_s)

    def connection_string(
        self,
        driver: str,
        *,
        database: str = "master",
        user: str = "sa",
        password: str = PASSWORD,
        program: str = "tests",
    ) -> str:
        """For `driver`, which is `msodbcsql18` or `freetds`."""
        where = Where(self.port, user, password, database, program)
        return known()[driver].connection_string(where)

    def connect(
        self,
        driver: str,
        *,
        database: str = "master",
        user: str = "sa",
        password: str = PASSWORD,
        program: str = "tests",
        autocommit: bool = True,
    ) -> pyodbc.Connection:
        """A new connection through `driver`, in autocommit mode unless told otherwise."""
        text = self.connection_string(
            driver, database=database, user=user, password=password, program=program
        )
        return pyodbc.connect(text, autocommit=autocommit, timeout=10)

    def _make_places(self) -> None:
        for directory in (self.data_dir, self.backup_dir, self.sql_log.parent):
            directory.mkdir(parents=True, exist_ok=True)

    def _python(self) -> Sequence[str]:
        """What starts Python; another where it is to run elsewhere."""
        return (sys.executable,)

    def _seen(self, path: Path) -> str:
        """A path as it is seen there."""
        return str(path)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("the stand-in was not started")
        return self._process

    def _wait_until_ready(self) -> int:
        """Read the one line that it prints, without waiting for ever."""
        process = self._running()
        if process.stdout is None:
            raise RuntimeError("the stand-in was started without a pipe")
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            ready, _, _ = select.select([process.stdout], [], [], 0.2)
            if ready:
                line = process.stdout.readline().strip()
                if line.startswith(_READY):
                    return int(line.removeprefix(_READY))
                raise RuntimeError(f"the stand-in said {line!r}, exit code {process.poll()}")
        raise TimeoutError(f"the stand-in was not ready within {START_TIMEOUT_S} s")


def _sql_log(data_dir: Path) -> Path:
    """Written where it is to stay, so that it outlives a stand-in that dies by a fault."""
    logs = os.environ.get(SQL_LOGS)
    return REPOSITORY / logs / f"{uuid.uuid4().hex}.log" if logs else data_dir / "sql.log"


def _environment() -> dict[str, str]:
    """Ours, with unbuffered output."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
