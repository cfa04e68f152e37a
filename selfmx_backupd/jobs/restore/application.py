"""The application: stopped only for the swap, started again, its health waited for.

An absent container counts as stopped and is not started: there is none on a new host.
"""

import time

from selfmx_backupd.adapters import command
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import ApplicationSection
from selfmx_backupd.errors import ApplicationFailed

# docker stop kills after ten seconds; a slow disk may need longer to get there.
_STOP_WITHIN_S = 120.0
_START_WITHIN_S = 120.0
_ONE_LOOK_S = 10.0
_LOOK_EVERY_S = 1.0

# How docker and podman say that there is no such container.
_ABSENT = ("no such container", "no container with name")


def ensure_commands(section: ApplicationSection) -> None:
    """Every command could be started.

    Raises:
        ConfigError: One names a program that is not there.
    """
    command.ensure_there("application.stop", section.stop)
    command.ensure_there("application.start", section.start)
    command.ensure_there("application.health", section.health)


def stop(section: ApplicationSection) -> bool:
    """Stop it; return whether there was one, which is to be started again.

    Raises:
        ApplicationFailed: It does not stop.
    """
    if not section.stop:
        return False
    finished = command.run(section.stop, _STOP_WITHIN_S)
    if finished.exit_code == 0:
        return True
    if any(words in finished.output.lower() for words in _ABSENT):
        return False
    raise ApplicationFailed(
        f"the application does not stop: {command.shown(section.stop)} ended with exit code "
        f"{finished.exit_code}: {finished.output or 'it printed nothing'}",
        hint="Stop it yourself, set application.stop = [] for this once, and try again.",
    )


def start(section: ApplicationSection) -> None:
    """Start it.

    Raises:
        ApplicationFailed: It does not start.
    """
    if section.start:
        command.run_or_fail(section.start, _START_WITHIN_S)


def wait_until_healthy(section: ApplicationSection, cancel: Cancel) -> None:
    """Ask until it says that it is well.

    Raises:
        ApplicationFailed: It did not within application.health_timeout_s, or we were told to
            stop waiting.
    """
    if not section.health:
        return
    deadline = time.monotonic() + section.health_timeout_s
    while True:
        trouble = _trouble(section)
        if trouble is None:
            return
        if cancel.requested:
            raise ApplicationFailed(f"its health was not waited for; so far: {trouble}")
        if time.monotonic() > deadline:
            raise ApplicationFailed(
                f"it is not healthy after {section.health_timeout_s} s: {trouble}"
            )
        cancel.wait(_LOOK_EVERY_S)


def _trouble(section: ApplicationSection) -> str | None:
    """What the application says is wrong; None where nothing is."""
    try:
        command.run_or_fail(section.health, _ONE_LOOK_S)
    except ApplicationFailed as error:
        return error.message
    return None


def bring_back(section: ApplicationSection, cancel: Cancel, database: str) -> tuple[str, list[str]]:
    """Start it and wait until it is well; what fails is told, and swaps nothing back.

    Returns:
        What became of it, in words, and what a person must look at.
    """
    try:
        start(section)
    except ApplicationFailed as error:
        return "it does not start", [f"the application does not start: {error.message}"]
    try:
        wait_until_healthy(section, cancel)
    except ApplicationFailed as error:
        return "it runs, and is not well", [f"the application on {database}: {error.message}"]
    return "it was stopped for the swap and is well again" if section.health else "it runs", []
