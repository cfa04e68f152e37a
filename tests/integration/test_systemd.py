"""The notifier in a process of its own, as systemd starts it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SPEAK = """
import json, os, sys
from selfmx_backupd.adapters.systemd import Notifier
if os.environ.get("WATCHDOG_PID") == "mine":
    os.environ["WATCHDOG_PID"] = str(os.getpid())
notifier = Notifier()
for name, *arguments in json.loads(sys.argv[1]):
    getattr(notifier, name)(*arguments)
left = [name for name in os.environ if name.startswith(("NOTIFY", "WATCHDOG"))]
print(json.dumps({"watchdog_s": notifier.watchdog_s, "left": left}))
"""


class Heard:
    """A datagram socket in systemd's place."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1) if address[0] == "@" else address)
        self._socket.settimeout(5)

    def message(self) -> bytes:
        """The next datagram."""
        return self._socket.recv(65536)

    def silent(self) -> bool:
        """Whether nothing more has come."""
        self._socket.settimeout(0)
        try:
            self._socket.recv(65536)
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    heard = Heard(str(tmp_path / "notify"))
    yield heard
    heard.close()


def speak(*calls: list[Any], **environment: str) -> dict[str, Any]:
    """Say something in a new process; what it prints."""
    hidden = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
    clean = {name: value for name, value in os.environ.items() if name not in hidden}
    answer = subprocess.run(
        [sys.executable, "-c", SPEAK, json.dumps(calls)],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    said: dict[str, Any] = json.loads(answer.stdout)
    return said


def test_each_thing_said_is_one_datagram(heard: Heard) -> None:
    speak(
        ["ready", "2 backups"],
        ["status", "backing up 42 %"],
        ["alive"],
        ["reloading", 123456],
        ["stopping", "stopping on SIGTERM"],
        NOTIFY_SOCKET=heard.address,
    )
    assert [heard.message() for _ in range(5)] == [
        b"READY=1\nSTATUS=2 backups",
        b"STATUS=backing up 42 %",
        b"WATCHDOG=1",
        b"RELOADING=1\nMONOTONIC_USEC=123456",
        b"STOPPING=1\nSTATUS=stopping on SIGTERM",
    ]
    assert heard.silent()


def test_text_arrives_as_utf8(heard: Heard) -> None:
    words = "kein Platz · größe 数据 🙂"
    speak(["status", words], ["ready", words], NOTIFY_SOCKET=heard.address)
    assert heard.message().decode() == f"STATUS={words}"
    assert heard.message().decode() == f"READY=1\nSTATUS={words}"


def test_a_status_of_several_lines_cannot_say_anything_else(heard: Heard) -> None:
    speak(["status", "a\nREADY=1"], ["stopping", "a\nb"], NOTIFY_SOCKET=heard.address)
    assert heard.message() == b"STATUS=a; READY=1"
    assert heard.message() == b"STOPPING=1\nSTATUS=a; b"


def test_an_abstract_socket_is_understood() -> None:
    heard = Heard(f"@selfmx-backupd-test-{os.getpid()}")
    try:
        speak(["alive"], NOTIFY_SOCKET=heard.address)
        assert heard.message() == b"WATCHDOG=1"
    finally:
        heard.close()


@pytest.mark.parametrize("address", [None, "/nowhere/notify", ""])
def test_where_nobody_listens_there_is_silence(address: str | None) -> None:
    environment = {} if address is None else {"NOTIFY_SOCKET": address}
    assert speak(["ready", "x"], ["alive"], **environment)["left"] == []


def test_the_variables_are_taken_out_of_the_environment(heard: Heard) -> None:
    said = speak(["alive"], NOTIFY_SOCKET=heard.address, WATCHDOG_USEC="5", WATCHDOG_PID="mine")
    assert said["left"] == []


@pytest.mark.parametrize(
    ("usec", "pid", "watchdog_s"),
    [
        ("30000000", None, 30.0),
        ("2500000", "mine", 2.5),
        ("2500000", "1", None),
        ("2500000", "", None),
        ("", None, None),
        ("soon", None, None),
        ("-5", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_ours_where_systemd_says_so(
    usec: str | None, pid: str | None, watchdog_s: float | None
) -> None:
    given = {"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid}
    environment = {name: value for name, value in given.items() if value is not None}
    assert speak(**environment)["watchdog_s"] == watchdog_s
