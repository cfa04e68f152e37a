"""Which users of a restored database have lost their logins, and who gets them back.

Users are tied to logins by sid. A backup of another server, or of a time before a login was
made anew, has sids that mean nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# The owner's user: it follows the database's owner, and is no orphan of its own.
_OWNER = "dbo"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user of a database, or a login of the server."""

    name: str
    sid: bytes


@dataclass(frozen=True, slots=True)
class Orphans:
    """Users without a login.

    Attributes:
        mapped: Users to whose namesakes among the logins they can be given.
        left: Users for whom there is no such login.
    """

    mapped: tuple[tuple[str, str], ...]
    left: tuple[str, ...]


def orphans(users: Sequence[Principal], logins: Sequence[Principal]) -> Orphans:
    """Find the users whose sid no login has, and their namesakes.

    A login that has a user already is no namesake: a login can be one user only (15063).
    """
    sids = {login.sid for login in logins}
    used = {user.sid for user in users}
    by_name = {login.name.casefold(): login for login in logins if login.sid not in used}
    lost = [each for each in users if each.sid not in sids and each.name.casefold() != _OWNER]
    mapped = tuple(
        (user.name, by_name[user.name.casefold()].name)
        for user in lost
        if user.name.casefold() in by_name
    )
    left = tuple(user.name for user in lost if user.name.casefold() not in by_name)
    return Orphans(mapped, left)
