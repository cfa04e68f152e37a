"""SelfMX's own backup script, which this program replaces, and SelfMX's updater brings back."""

import os
from pathlib import Path

from selfmx_backupd.assessment import OLD_TIMER

# Each night it deletes whatever is older than seven days here.
_DIRECTORY = Path("/data/selfmx/backups")
_UNITS = Path("/etc/systemd/system")


def deletes_from(directory: Path, *, units: Path = _UNITS, its_own: Path = _DIRECTORY) -> bool:
    """Whether its timer is enabled, and its script deletes from a directory by age.

    The links that enable a unit are looked for: every wake-up asks this, and so does
    monitoring's user, where systemd would have to be asked by a process each time.

    Args:
        directory: Where our backups are.
        units: The administrator's units, with the links of those that are enabled.
        its_own: The script's directory.
    """
    # Not Path.resolve, which raises where links lead round in a circle.
    if os.path.realpath(directory) != os.path.realpath(its_own):
        return False
    # From Python 3.13 on glob also finds links that lead nowhere, which start nothing.
    return any(link.exists() for link in units.glob(f"*.wants/{OLD_TIMER}"))
