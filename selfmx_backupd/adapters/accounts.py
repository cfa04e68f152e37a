"""Users of this host, and what they may do to a directory."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this host, with all its groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def named(name: str) -> Account | None:
    """A user by its name; None where there is none."""
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return _account(found)


def owner_of(path: Path) -> Account | None:
    """Whom a file or directory belongs to; None where it is not there, or its owner has no name."""
    try:
        found = pwd.getpwuid(path.stat().st_uid)
    except (OSError, KeyError):
        return None
    return _account(found)


def _account(found: pwd.struct_passwd) -> Account:
    groups = os.getgrouplist(found.pw_name, found.pw_gid)
    return Account(found.pw_name, found.pw_uid, found.pw_gid, tuple(groups))


def may_write(account: Account, path: Path) -> bool:
    """Whether a user may list a directory and write to it. Only root can ask this.

    The system answers rather than the mode: access lists and read-only mounts count.
    """
    asked = ("/usr/bin/test", "-r", str(path), "-a", "-w", str(path), "-a", "-x", str(path))
    done = subprocess.run(  # noqa: S603  # its words are ours
        asked,
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
        cwd="/",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0
