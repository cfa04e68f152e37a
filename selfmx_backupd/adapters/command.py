"""Other people's commands: without a shell, without our terminal, never for ever."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from selfmx_backupd.cancel import hearing_signals
from selfmx_backupd.errors import ApplicationFailed, ConfigError

_SHOWN_CHARS = 600
_READ_BYTES = 16 * _SHOWN_CHARS


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended: its exit code, and the end of what it printed."""

    exit_code: int
    output: str


def ensure_there(key: str, words: Sequence[str]) -> None:
    """The command's program exists.

    Raises:
        ConfigError: It does not; `key` is the configuration's key.
    """
    if words and shutil.which(words[0]) is None:
        raise ConfigError(
            (f"{key}: there is no program {words[0]!r} on this host",),
            hint=f"Set {key} to a command that is there, or to [] where nothing is to be done.",
        )


def run(words: Sequence[str], timeout_s: float) -> Finished:
    """Run a command to its end.

    In a session of its own: Ctrl-C at our terminal is for us, who end in order.

    Raises:
        ApplicationFailed: It could not be started, or did not end in time and was killed.
    """
    # A file rather than a pipe: what the command leaves running (an application) may keep its
    # output open for ever, and a pipe would be read to its end.
    with tempfile.TemporaryFile() as output:
        try:
            with hearing_signals():
                process = subprocess.Popen(  # noqa: S603  # root's own configuration names it
                    list(words),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ApplicationFailed(f"{shown(words)} cannot be started: {reason}") from error
        try:
            exit_code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise ApplicationFailed(
                f"{shown(words)} did not end within {timeout_s:.0f} s{_behind(_end_of(output))}"
            ) from None
        return Finished(exit_code, _end_of(output))


def run_or_fail(words: Sequence[str], timeout_s: float) -> Finished:
    """Run a command that must succeed.

    Raises:
        ApplicationFailed: It did not; the message has what it printed.
    """
    finished = run(words, timeout_s)
    if finished.exit_code:
        raise ApplicationFailed(
            f"{shown(words)} ended with exit code {finished.exit_code}{_behind(finished.output)}"
        )
    return finished


def shown(words: Sequence[str]) -> str:
    """A command as a person would type it, as far as that matters here."""
    return " ".join(words)


def _behind(output: str) -> str:
    return f": {output}" if output else ""


def _end_of(output: IO[bytes]) -> str:
    """The end of what was printed, in one line that can be printed again."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _READ_BYTES))
    lines = output.read().decode(errors="backslashreplace").split()
    text = "".join(it if it.isprintable() else "?" for it in " ".join(lines))
    return text if len(text) <= _SHOWN_CHARS else f"… {text[-_SHOWN_CHARS:]}"
