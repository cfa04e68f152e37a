"""A control group for each machine.

systemd-nspawn makes `payload` below the group that it is started in: the systemds of two machines
that were started in one would take each other's services for their own, and kill them.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_UNIFIED = "0::"
_SYSTEMDS_OWN = "name=systemd"


def may_make() -> bool:
    """Whether there is a place for new groups, and it may be written to."""
    ours = tuple(_ours())
    return bool(ours) and all(os.access(group, os.W_OK) for group in ours)


def make(name: str) -> tuple[Path, ...]:
    """A new group below ours, in every hierarchy that systemd looks at."""
    groups = tuple(ours / name for ours in _ours())
    for group in groups:
        group.mkdir()
    return groups


def started_in(groups: Sequence[Path], command: Sequence[str]) -> list[str]:
    """The command, as it is to be started so that it runs in these groups."""
    joining = [f'echo $$ >"{group}/cgroup.procs"' for group in groups]
    return ["sh", "-ec", "; ".join([*joining, 'exec "$@"']), "sh", *command]


def remove(groups: Sequence[Path]) -> None:
    """Take the groups away again, with all below them; their processes have ended."""
    for group in groups:
        below = sorted((each for each in group.rglob("*") if each.is_dir()), reverse=True)
        for each in (*below, group):
            # A process that has not been reaped yet keeps its group a moment longer.
            with suppress(OSError):
                each.rmdir()


def _ours() -> Iterator[Path]:
    """Where our own groups are, on hosts with the unified hierarchy and with both."""
    membership = Path("/proc/self/cgroup").read_text().splitlines()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, file_system = line.partition(" - ")
        kind, _, options = file_system.split(" ", 2)
        if kind == "cgroup2":
            mark = _UNIFIED
        elif kind == "cgroup" and _SYSTEMDS_OWN in options.split(","):
            mark = f":{_SYSTEMDS_OWN}:"
        else:
            continue
        path = next(each.partition(mark)[2] for each in membership if mark in each)
        yield Path(mount.split(" ")[4], path.lstrip("/"))
