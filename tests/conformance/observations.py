"""The words in which the capture is written down."""

from dataclasses import dataclass
from enum import Enum, auto


class Changing(Enum):
    """A value that changes from run to run."""

    ANY = auto()


ANY = Changing.ANY


class End(Enum):
    """The token that closes a statement."""

    DONE = 0xFD
    PROC = 0xFE
    IN_PROC = 0xFF


@dataclass(frozen=True, slots=True)
class Said:
    """An INFO or ERROR token."""

    number: int
    state: int
    severity: int
    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A DONE token: status bits 1 MORE, 2 ERROR, 16 COUNT."""

    status: int
    command: int
    count: int
    end: End = End.DONE


@dataclass(frozen=True, slots=True)
class Observation:
    """One batch and its answer.

    `columns` None: the capture does not list them. `occupied`: a database in which a
    second session sits meanwhile.
    """

    sql: str
    done: tuple[Ended, ...]
    info: tuple[Said, ...] = ()
    errors: tuple[Said, ...] = ()
    columns: tuple[str, ...] | None = None
    rows: tuple[tuple[object, ...], ...] = ()
    occupied: str = ""


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What differs between the captured rows of HEADERONLY."""

    database: str
    name: str | None
    description: str | None
    position: int
    compressed: bool = False
    checksums: bool = False
    copy_only: bool = False
    flags: int = 512


def terminated(statement: str) -> Said:
    """The last error of every failed BACKUP and RESTORE."""
    return Said(3013, 1, 16, f"{statement} is terminating abnormally.")


def processed(percent: int) -> Said:
    """A line of STATS."""
    return Said(3211, 1, 0, f"{percent} percent processed.")


def backed_up(database: str, position: int) -> tuple[Said, Said, Said]:
    """The three lines that end a BACKUP."""
    return _three("BACKUP DATABASE", database, database, position)


def restored(target: str, logical_name: str) -> tuple[Said, Said, Said]:
    """The three lines that end a RESTORE: the target's name, the backup's logical names."""
    return _three("RESTORE DATABASE", target, logical_name, 1)


def _three(statement: str, database: str, file: str, position: int) -> tuple[Said, Said, Said]:
    pages = f"Processed <n> pages for database '{database}', file"
    end = f"{statement} successfully processed <n> pages in <t> seconds (<r> MB/sec)."
    return (
        Said(4035, 1, 0, f"{pages} '{file}' on file {position}."),
        Said(4035, 1, 0, f"{pages} '{file}_log' on file {position}."),
        Said(3014, 1, 0, end),
    )


def lines(command: int, count: int) -> tuple[Ended, ...]:
    """A DONE for each message of BACKUP: MORE on all but the last."""
    return (*(Ended(1, command, 0) for _ in range(count - 1)), Ended(0, command, 0))


def row_set(count: int, command: int) -> tuple[Ended, Ended]:
    """What ends HEADERONLY and FILELISTONLY."""
    return Ended(17, 230, count), Ended(0, command, 0)


def header_row(facts: HeaderFacts) -> tuple[object, ...]:
    """A row of HEADERONLY; the capture's ANY where it changes."""
    return (
        *(facts.name, facts.description, 1, None, int(facts.compressed), facts.position, 2, "sa"),
        *(ANY, facts.database, 957, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY),
        *(52, 0, 1033, 196609, 160, 4608, 16, 0, 4236, ANY, facts.flags, ANY, ANY),
        *("SQL_Latin1_General_CP1_CI_AS", ANY, False, False, False, False, facts.checksums),
        *(False, False, False, False, facts.copy_only, ANY, None, "SIMPLE", None, None),
        *("Database", ANY, ANY, 0, None, None, None, None, ANY),
        "MS_XPRESS" if facts.compressed else None,
    )
