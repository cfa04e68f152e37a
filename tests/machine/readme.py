"""README.md's section Install, typed on a machine as it stands there."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.machine.machine import Machine
from tests.machine.roots import REPOSITORY
from tests.standin.process import PASSWORD as PASSWORD_OF_SA

CLONE = "/usr/src/selfmx-backupd"
PASSWORD = "Backup-1!"
# Steps 1 and 4 are typed to Docker and to SQL Server.
_STEPS = (2, 3, 5, 6)
_NOT_IN_A_CLONE = shutil.ignore_patterns(".git", ".venv", ".cache", "__pycache__", ".*_cache")
# There is no network: what is to be fetched is there, and so is what builds.
_OFFLINE = "export PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0\n"
_EDITOR = """\
#!/bin/sh
# The person at the keyboard: writes what was put ready under the file's name.
[ ! -e "/root/written/${1##*/}" ] || cat "/root/written/${1##*/}" >"$1"
"""
_OLD_TIMER = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"


def text() -> str:
    """All of it."""
    return (REPOSITORY / "README.md").read_text(encoding="utf-8")


def commands(step: int) -> str:
    """The lines of a step of Install that are to be typed, from the blocks without a language."""
    typed = _blocks(_step(step), "")
    assert typed, f"README.md's step {step} has nothing to type"
    return "".join(typed)


def restoring() -> dict[str, Any]:
    """What step 5 has the configuration say for restores."""
    (configuration,) = _blocks(_step(5), "toml")
    return tomllib.loads(f"[sqlserver]\n{configuration}")


def second_database() -> tuple[str, str]:
    """What is to be typed for a second database, and what its configuration is to say."""
    told = _section("A second database")
    (typed,) = _blocks(told, "")
    (configuration,) = _blocks(told, "toml")
    return typed, configuration


def upgrade() -> str:
    """What is to be typed for an upgrade, in a clone that was brought up to date."""
    (typed,) = _blocks(_section("An upgrade"), "")
    return typed


def type_in_clone(machine: Machine, typed: str) -> str:
    """Type lines in the clone, without a network; return what they printed."""
    return machine.shell(f"cd {CLONE}\n{_OFFLINE}{typed}")


def clone(machine: Machine) -> None:
    """This checkout, without its history."""
    shutil.copytree(REPOSITORY, machine.path(CLONE), ignore=_NOT_IN_A_CLONE)


def install(machine: Machine, port: int) -> None:
    """Everything that README.md has an operator type, on a host of a standard SelfMX.

    Args:
        machine: Where.
        port: Where SQL Server is; the one thing that differs from the defaults.
    """
    for path, content in _what_is_there(port):
        file = machine.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    machine.path("/usr/local/bin/editor").chmod(0o755)
    machine.shell("systemctl daemon-reload; systemctl enable --now selfmx-backup.timer")
    for step in _STEPS:
        type_in_clone(machine, commands(step))


def _step(number: int) -> str:
    install = text().split("\n## Install\n")[1].split("\n##")[0]
    return re.split(r"^\*\*\d\. ", install, flags=re.MULTILINE)[number]


def _section(title: str) -> str:
    return text().split(f"\n### {title}\n")[1].split("\n##")[0]


def _blocks(told: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", told, flags=re.MULTILINE | re.DOTALL)


def _what_is_there(port: int) -> Iterator[tuple[str, str]]:
    example = Path(REPOSITORY, "config.example.toml").read_text(encoding="utf-8")
    yield "/root/written/config.toml", example.replace("port = 1433", f"port = {port}")
    yield "/root/written/sqlserver-password", f"{PASSWORD}\n"
    yield "/root/written/sqlserver-restore-password", f"{PASSWORD_OF_SA}\n"
    yield "/usr/local/bin/editor", _EDITOR
    # SelfMX's own, which step 6 ends.
    yield "/etc/systemd/system/selfmx-backup.timer", _OLD_TIMER
    yield "/etc/systemd/system/selfmx-backup.service", "[Service]\nExecStart=/bin/true\n"
