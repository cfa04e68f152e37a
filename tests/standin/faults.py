"""The faults that `--fault NAME[:ARG][@TIMES]` switches on.

Each one is something that a real server was seen or documented to do, or something that
the world does to a server and its files.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Argument(StrEnum):
    """What a fault's argument is."""

    NONE = ""
    PERCENT = "PERCENT"
    SECONDS = "SECONDS"
    NAME = "NAME"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that can be switched on."""

    argument: Argument
    effect: str


KINDS: dict[str, FaultKind] = {
    "history": FaultKind(Argument.NONE, "BACKUP ends with error 3009 after 3014; the file is good"),
    "order": FaultKind(Argument.NAME, "'between': 100 percent is reported between the two 4035"),
    "rough-stats": FaultKind(Argument.NONE, "some percentages are one more than a multiple"),
    "diskfull": FaultKind(Argument.PERCENT, "BACKUP fails with 3202, OS error 112"),
    "denied": FaultKind(Argument.NONE, "BACKUP cannot open its device: 3201, OS error 5"),
    "unreadable": FaultKind(Argument.NONE, "RESTORE cannot open its device: 3201, OS error 5"),
    "die": FaultKind(Argument.PERCENT, "the server dies during BACKUP; the partial file stays"),
    "drop": FaultKind(Argument.PERCENT, "the connection is cut during BACKUP; the file goes"),
    "kill": FaultKind(Argument.PERCENT, "KILL ends the session during BACKUP: 596, class 21"),
    "hang": FaultKind(Argument.PERCENT, "BACKUP makes no progress until it is cancelled"),
    "hang-verify": FaultKind(Argument.PERCENT, "VERIFYONLY makes no progress until cancelled"),
    "drop-verify": FaultKind(Argument.PERCENT, "the connection is cut during VERIFYONLY"),
    "die-verify": FaultKind(Argument.PERCENT, "the server dies during VERIFYONLY"),
    "kill-verify": FaultKind(Argument.PERCENT, "KILL ends the session during VERIFYONLY"),
    "hang-restore": FaultKind(Argument.PERCENT, "RESTORE makes no progress until cancelled"),
    "drop-restore": FaultKind(Argument.PERCENT, "the connection is cut during RESTORE"),
    "die-restore": FaultKind(Argument.PERCENT, "the server dies during RESTORE"),
    "kill-restore": FaultKind(Argument.PERCENT, "KILL ends the session during RESTORE"),
    "fail-restore": FaultKind(Argument.PERCENT, "RESTORE fails with 3183, as on a damaged page"),
    "newer": FaultKind(Argument.NONE, "BACKUP says that SQL Server 2025 (version 998) made it"),
    "checkdb": FaultKind(Argument.NAME, "CHECKDB finds that many damaged pages"),
    "hang-checkdb": FaultKind(Argument.PERCENT, "CHECKDB makes no progress until cancelled"),
    "drop-checkdb": FaultKind(Argument.PERCENT, "the connection is cut during CHECKDB"),
    "die-checkdb": FaultKind(Argument.PERCENT, "the server dies during CHECKDB"),
    "kill-checkdb": FaultKind(Argument.PERCENT, "KILL ends the session during CHECKDB"),
    "die-after": FaultKind(
        Argument.NAME, "the server dies once the TIMES-th statement holding that text has run"
    ),
    "drop-after": FaultKind(
        Argument.NAME, "the connection is cut once the TIMES-th statement holding that text ran"
    ),
    "made-after": FaultKind(
        Argument.NAME, "somebody makes the missing first --database once such a statement ran"
    ),
    "flip": FaultKind(Argument.NONE, "one byte of the backup's data is flipped after BACKUP"),
    "damaged-header": FaultKind(Argument.NONE, "the file's first bytes are damaged after BACKUP"),
    "truncate": FaultKind(Argument.PERCENT, "the file is cut to that percentage after BACKUP"),
    "no-checksum": FaultKind(Argument.NONE, "BACKUP ignores CHECKSUM"),
    "space-note": FaultKind(Argument.NONE, "VERIFYONLY also sends 3181 and 3257, information"),
    "slow-login": FaultKind(Argument.SECONDS, "every login takes so long"),
    "upgrading": FaultKind(Argument.SECONDS, "logins get 18401 so long after the start"),
    "orphan": FaultKind(Argument.SECONDS, "BACKUP goes on so long after its client vanished"),
    "offline": FaultKind(Argument.NONE, "the databases are OFFLINE"),
    "state": FaultKind(
        Argument.NAME, "all are in that state, e.g. RESTORING; DB=STATE: DB at start"
    ),
}
ORDERS = frozenset({"between"})
# What is true all the time, and therefore takes no @TIMES.
LASTING = frozenset({"order", "rough-stats", "upgrading", "orphan", "offline", "state"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One `--fault`: `times` is how often it happens, None for always."""

    name: str
    argument: str
    times: int | None


def parse(text: str) -> Fault:
    """`NAME[:ARG][@TIMES]`; raises ValueError with what would be right."""
    spelled, _, times = text.partition("@")
    name, _, argument = spelled.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        raise ValueError(f"no fault {name!r}; there are {', '.join(KINDS)}")
    if bool(argument) != (kind.argument is not Argument.NONE):
        wanted = f"{name}:{kind.argument}" if kind.argument else name
        raise ValueError(f"write --fault {wanted}")
    if times and name in LASTING:
        raise ValueError(f"{name} lasts; it takes no @TIMES")
    if kind.argument in {Argument.PERCENT, Argument.SECONDS}:
        float(argument)
    if name == "checkdb":
        int(argument)
    if name == "order" and argument not in ORDERS:
        raise ValueError(f"order is one of {', '.join(ORDERS)}")
    return Fault(name, argument, int(times) if times else None)


class Faults:
    """The faults that are switched on, and how often each has still to happen."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = {fault.name: fault for fault in faults}
        self._left = {fault.name: fault.times for fault in self._faults.values()}
        self._statements: dict[str, int] = {}
        self._lock = threading.Lock()

    def is_the_time(self, name: str, text: str) -> bool:
        """Whether this is the statement that a TIMES-th fault waits for; the first one if bare."""
        with self._lock:
            fault = self._faults.get(name)
            if fault is None or fault.argument.upper() not in text.upper():
                return False
            self._statements[name] = self._statements.get(name, 0) + 1
            return self._statements[name] == (fault.times or 1)

    def happens(self, name: str) -> bool:
        """Whether the fault happens now; counts against its number of times."""
        with self._lock:
            if name not in self._faults:
                return False
            left = self._left[name]
            if left is None:
                return True
            self._left[name] = max(0, left - 1)
            return left > 0

    def name_of(self, name: str) -> str | None:
        """A fault's NAME argument, or None where it is off."""
        fault = self._faults.get(name)
        return None if fault is None else fault.argument

    def seconds(self, name: str) -> float:
        """A fault's SECONDS argument, 0 where it is off."""
        fault = self._faults.get(name)
        return 0.0 if fault is None else float(fault.argument)

    def percent(self, name: str) -> float | None:
        """The percentage at which a fault happens in this statement, or None.

        Ask once a statement: it counts against the fault's number of times.
        """
        if not self.happens(name):
            return None
        return float(self._faults[name].argument)
