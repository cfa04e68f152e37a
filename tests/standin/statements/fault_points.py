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
        _drop(session)

    def kill() -> Never:
        raise Killed

    effects: dict[str, Effect] = {"hang": session.hang, "drop": drop, "kill": kill, "die": _die}
    return {name + suffix: effect for name, effect in effects.items()}


def points(session: Session, effects: Mapping[str, Effect]) -> Points:
    """Those of the effects that are switched on, each with its percentage."""
    found: Points = []
    for name, effect in effects.items():
        at = session.instance.faults.percent(name)
        if at is not None:
            found.append((at, effect))
    return found


def after_statement(session: Session, text: str) -> None:
    """What happens once a statement has run and before its client hears of it."""
    faults = session.instance.faults
    if faults.is_the_time("made-after", text):
        _make_again(session)
    if faults.is_the_time("die-after", text):
        _die()
    if faults.is_the_time("drop-after", text):
        _drop(session)


def _make_again(session: Session) -> None:
    """As an application does that finds its database missing."""
    store, name = session.instance.store, session.instance.options.databases[0]
    if store.find(name) is None:
        store.create(name)


def _drop(session: Session) -> Never:
    session.wire.cut()
    raise ClientLost("the connection was cut")


def _die() -> Never:
    os._exit(_EXIT_OF_A_CRASH)
