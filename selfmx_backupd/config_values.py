"""What a configured value may be: plain checks, from a value to the value that is kept.

Their ValueErrors say what is wrong and what would be right. They never repeat the value,
which could be a secret that was written in the wrong place.
"""

import re
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from selfmx_backupd.policy.retention import LONGEST_WINDOW

PREFIX = re.compile(r"[a-z0-9-]{1,60}")

# It stands bare in the connection string, where these characters mean something.
_NOT_IN_A_HOST = re.compile(r"[\s;{}=,\0]")
# How `policy.rules` begins a sentence: with the text that it could not read.
_QUOTED_TEXT = re.compile(r'".*" (?=is not )', re.DOTALL)


def host(value: str) -> str:
    """A host's name or address."""
    if _NOT_IN_A_HOST.search(value):
        raise ValueError("is no host, write a name or an address alone, the port has its own key")
    return value


def absolute(path: Path) -> Path:
    """A path on this host."""
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("is no absolute path, write the whole path from / on")
    return path


def server_directory(path: str) -> str:
    """A directory as SQL Server sees it, without a slash at its end."""
    if not path.startswith("/") or "\0" in path:
        raise ValueError(
            "is no absolute path, write the whole path from / on, as SQL Server sees it"
        )
    return path.rstrip("/") or "/"


def zone(name: str) -> str:
    """The name of a time zone, or "local"."""
    if name == "local":
        return name
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            'is no time zone, write "local" or a name such as "Europe/Vienna"'
        ) from None
    return name


def window(value: object) -> int | None:
    """How long backups are kept, in the unit of their tier; None is for ever."""
    if value == "forever":
        return None
    if isinstance(value, str) and value.isdecimal() and len(value) <= len(str(LONGEST_WINDOW)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_WINDOW:
        # 0 and "off" above all: they could mean "keep none" as well as "never remove".
        raise ValueError(
            f'does not say how long, write a number from 1 to {LONGEST_WINDOW}, or "forever"'
        )
    return value


def prefix(value: str) -> str:
    """What names of files begin with, or "auto"."""
    if value != "auto" and not PREFIX.fullmatch(value):
        raise ValueError('does not fit, write "auto" or 1 to 60 of the characters a-z, 0-9 and -')
    return value


def number(value: object) -> object:
    """A number, but not true or false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("is true or false, write a number")  # noqa: TRY004  # pydantic's kind
    return value


def word(value: str) -> str:
    """A word of a command."""
    if not value or "\0" in value:
        raise ValueError("has an empty word, write the command as a list of its words")
    return value


def readable(parse: Callable[[str], object]) -> Callable[[str], str]:
    """A check that keeps the text and only asks whether the policy can read it."""

    def check(text: str) -> str:
        try:
            parse(text)
        except ValueError as error:
            raise ValueError(_QUOTED_TEXT.sub("", str(error))) from None
        return text

    return check
