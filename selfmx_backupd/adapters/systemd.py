"""What the daemon tells systemd: readiness, status, watchdog.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import os

import sdnotify

_PATIENCE_S = 1.0


class Notifier:
    """The socket that systemd names in NOTIFY_SOCKET; silence where there is none.

    The variables are taken out of the environment, so that a command which we start does
    not speak in our name.
    """

    def __init__(self) -> None:
        self._notifier = sdnotify.SystemdNotifier()
        if self._notifier.socket is not None:
            # A reader that is stuck must not hang the daemon: what cannot be said is dropped.
            self._notifier.socket.settimeout(_PATIENCE_S)
        self.watchdog_s = _watchdog_s()
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
            os.environ.pop(name, None)

    def ready(self, status: str) -> None:
        """The start, or a reload, is complete."""
        self._send(f"READY=1\nSTATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={_one_line(status)}")

    def alive(self) -> None:
        """Ping the watchdog."""
        self._send("WATCHDOG=1")

    def reloading(self, monotonic_us: int) -> None:
        """A reload begins; `Type=notify-reload` wants the moment with it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic_us}")

    def stopping(self, status: str) -> None:
        """The stop begins."""
        self._send(f"STOPPING=1\nSTATUS={_one_line(status)}")

    def _send(self, message: str) -> None:
        # sdnotify encodes as Latin-1 and drops in silence what does not fit; systemd wants
        # UTF-8. A text whose Latin-1 bytes are the UTF-8 bytes gets through it unharmed.
        self._notifier.notify(message.encode().decode("latin-1"))


def _one_line(text: str) -> str:
    """A line feed would end STATUS and begin another variable."""
    return text.replace("\n", "; ")


def _watchdog_s() -> float | None:
    """How often systemd expects a ping, in seconds; None where it does not."""
    written = os.environ.get("WATCHDOG_USEC", "")
    process = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not written.isdecimal() or process != str(os.getpid()):
        return None
    return int(written) / 1_000_000
