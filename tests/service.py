"""The product's processes as systemd starts them: a journal behind their standard error."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from selfmx_backupd.event import Event
from tests.installation import Installation, environment
from tests.journald import Entry, Journald, stream_of


class Service:
    """Our commands as systemd starts them, and everything that the journal got."""

    def __init__(self, site: Installation, journald: Journald) -> None:
        self._site = site
        self._journald = journald
        self._stream, self._lines = socket.socketpair()
        self._lines.settimeout(0)
        self.entries: list[Entry] = []

    def start(
        self, program: str, *words: str, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        command = self._journald.command(program, *words, "--config", str(self._site.config))
        return subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=self._stream.fileno(),
            env=environment({"JOURNAL_STREAM": stream_of(self._stream.fileno()), **(env or {})}),
        )

    def run(self, program: str, *words: str) -> int:
        code = self.start(program, *words).wait(60)
        self.read()
        return code

    def read(self) -> None:
        """Take what has come by now."""
        self.entries += self._journald.read()

    def wait_for(self, event: Event, *, times: int = 1, timeout_s: float = 30) -> Entry:
        """The newest entry of an event, once it has come so many times."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.read()
            found = self.of(event)
            if len(found) >= times:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"no {event.name} within {timeout_s} s: {self.entries}")

    def of(self, event: Event) -> list[Entry]:
        return [each for each in self.entries if each.get("MESSAGE_ID") == [event.message_id]]

    @property
    def errors(self) -> list[str]:
        """The events that `journalctl -p err` shows."""
        return [each["EVENT"][0] for each in self.entries if int(each["PRIORITY"][0]) <= 3]

    def lines(self) -> str:
        """What was written to standard error beside the entries."""
        try:
            return self._lines.recv(1 << 20).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        self._stream.close()
        self._lines.close()


@contextmanager
def service(site: Installation) -> Iterator[Service]:
    with Journald(site.root / "journal") as journald:
        service = Service(site, journald)
        try:
            yield service
        finally:
            service.close()


@contextmanager
def running(
    service: Service, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, until the block ends."""
    daemon = service.start("selfmx-backupd", "run", env=env)
    try:
        yield daemon
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
    finally:
        daemon.kill()
        daemon.wait()
