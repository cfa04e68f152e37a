"""Everything that can be looked at, from this host to the rights on the server.

Nothing is changed but the probe, an empty file that is there for a moment.
"""

from collections.abc import Callable, Iterator

from selfmx_backupd.errors import BackupdError
from selfmx_backupd.jobs.check import host, server
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import traps
from selfmx_backupd.policy.traps import Check, Subject

_PARTS: tuple[Callable[[World], Iterator[Check]], ...] = (
    host.look,
    server.look_as_backup_login,
    server.look_as_restore_login,
)


def check(world: World) -> Iterator[Check]:
    """Look at one thing after the other; what cannot be looked at is said, and ends nothing."""
    for look in _PARTS:
        try:
            yield from look(world)
        except BackupdError as error:
            # The link broke, or the server does not answer what every server can.
            yield traps.critical(Subject.SERVER, error.message, error.hint)
