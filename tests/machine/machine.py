"""A Debian with a real systemd, in a container: a throw-away copy of a root file system."""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.machine import cgroups

NOBODY = 65534

_BOOT_TIMEOUT_S = 60.0
_HALT_TIMEOUT_S = 60.0
_LOOK_EVERY_S = 0.1
_LEADER = "X_NSPAWN_LEADER_PID="
_ENVIRONMENT = (
    *("env", "--ignore-environment", "LC_ALL=C.UTF-8", "HOME=/root"),
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
)

_Answer = TypeVar("_Answer")


def until(
    ask: Callable[[], _Answer], wanted: Callable[[_Answer], bool], timeout_s: float = 30
) -> _Answer:
    """Ask until the answer is what is wanted, or fail with the last one."""
    deadline = time.monotonic() + timeout_s
    while not wanted(answer := ask()):
        assert time.monotonic() < deadline, f"not within {timeout_s} s; the last answer: {answer}"
        time.sleep(_LOOK_EVERY_S)
    return answer


class Machine:
    """Boots when it is entered, and is gone without a trace when it is left.

    It shares the host's loopback, and nothing else: what it writes is in memory.

    Args:
        lower: The root file system, which stays as it is.
        base: An empty directory.

    Attributes:
        root: Its root file system, as the host sees it.
    """

    def __init__(self, lower: Path, base: Path) -> None:
        self._lower = lower
        self._base = base
        self._held = ExitStack()
        self._process: subprocess.Popen[str] | None = None
        self._leader = 0
        self._groups: tuple[Path, ...] = ()
        self._name = f"selfmx-{os.getpid()}"
        self._log = base / "nspawn.log"
        self.root = base / "root"

    def __enter__(self) -> Self:
        with self._held:
            self._mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(self._base))
            for name in ("upper", "work", "root"):
                (self._base / name).mkdir()
            layers = f"lowerdir={self._lower},upperdir={self._base}/upper,workdir={self._base}/work"
            self._mount("-t", "overlay", "-o", layers, "overlay", str(self.root))
            self._groups = cgroups.make(self._name)
            self._held.callback(cgroups.remove, self._groups)
            self._held.callback(self.cut_power)
            self.boot()
            self._held = self._held.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._held.close()

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def boot(self) -> None:
        """Start its systemd and wait until that says that it is up."""
        path = self._base / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(path))
            try:
                self._process = self._start(path)
                self._wait_until_up(ear)
            finally:
                path.unlink()

    def shut_down(self) -> None:
        """As `systemctl poweroff` does, and wait until it is off."""
        self.run("systemctl", "poweroff", check=False)
        self._running().wait(_HALT_TIMEOUT_S)
        self._process = None

    def cut_power(self) -> None:
        """Kill everything in it at once; nothing where it is off."""
        if self._process is None:
            return
        if self._process.poll() is None and self._leader:
            os.kill(self._leader, signal.SIGKILL)
        elif self._process.poll() is None:
            self._process.kill()
        self._process.wait(_HALT_TIMEOUT_S)
        self._process, self._leader = None, 0
        # Where /run is on a disk, systemd-nspawn leaves this.
        with suppress(FileNotFoundError):
            Path("/run/systemd/nspawn/propagate", self._name).rmdir()

    def enter(self, *namespaces: str) -> tuple[str, ...]:
        """The words before a command that let it run in there."""
        return ("nsenter", f"--target={self._leader}", *namespaces)

    def run(
        self, *command: str, check: bool = True, uid: int = 0, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as root or another user, to its end."""
        done = subprocess.run(
            [*self.enter("--all"), f"--setuid={uid}", f"--setgid={uid}", *_ENVIRONMENT, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def shell(self, script: str) -> str:
        """Run a script as root would type it; return what it printed."""
        return self.run("sh", "-ec", script).stdout

    def path(self, inside: str) -> Path:
        """One of its files, as the host sees it."""
        return self.root / inside.lstrip("/")

    def _mount(self, *arguments: str) -> None:
        command = ("mount", *arguments)
        subprocess.run(command, check=True)
        self._held.callback(subprocess.run, ["umount", "--lazy", arguments[-1]], check=True)

    def _start(self, notify: Path) -> subprocess.Popen[str]:
        # Without machined, which a container or a small host does not run.
        command = (
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"),
            *("--notify-ready=yes", "--resolv-conf=off", "--timezone=off", "--link-journal=no"),
            *(f"--directory={self.root}", f"--machine={self._name}"),
        )
        # systemd 256 and later boot with nothing but the unified hierarchy.
        ours = {"NOTIFY_SOCKET": str(notify), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with self._log.open("a") as log:
            return subprocess.Popen(
                cgroups.started_in(self._groups, command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
                env={**os.environ, **ours},
            )

    def _wait_until_up(self, ear: socket.socket) -> None:
        deadline = time.monotonic() + _BOOT_TIMEOUT_S
        heard: list[str] = []
        while "READY=1" not in heard:
            ready, _, _ = select.select([ear], [], [], _LOOK_EVERY_S)
            heard += ear.recv(65536).decode().splitlines() if ready else []
            assert self._running().poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, f"not up; heard: {heard}"
        pid = next(line for line in heard if line.startswith(_LEADER))
        self._leader = int(pid.removeprefix(_LEADER))

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the machine is off"
        return self._process
