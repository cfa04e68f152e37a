"""What `--fault` lets happen in the middle of a statement, and at which percentage."""

import os
from collections.abc import Callable, Mapping
from typing import Never

from tests.standin.session import Killed, Session
from tests.standin.wire import ClientLost

Effect = Callable[[], None]
Points = list[tuple[float, Effect]]

_EXIT_OF_A_CRASH = 70


def interruptions(session: Session, suffix: str = "") -> dict[str, Effect]:
    """What can happen to every long statement, by the names of the faults."""

    def drop() -> Never:
        session.wire.cut()
        raise ClientLost("the connection was cut")

    def kill() -> Never:
        raise Killed

    def die() -> Never:
        os._exit(_EXIT_OF_A_CRASH)

    effects: dict[str, Effect] = {"hang": session.hang, "drop": drop, "kill": kill, "die": die}
    return {name + suffix: effect for name, effect in effects.items()}


def points(session: Session, effects: Mapping[str, Effect]) -> Points:
    """Those of the effects that are switched on, each with its percentage."""
    found: Points = []
    for name, effect in effects.items():
        at = session.instance.faults.percent(name)
        if at is not None:
            found.append((at, effect))
    return found
