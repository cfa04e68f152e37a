"""What a restore decides: which backup, where its files go, whether they fit."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from selfmx_backupd import text
from selfmx_backupd.model import Backup, DatabaseFile, Entry, State, Tier

# sysname: 128 code units of UTF-16. Source: sys.databases in Microsoft's reference.
LONGEST_NAME = 128
# Of a physical name, sys.master_files has 260 with the end; a name of ours needs far less.
_LONGEST_STEM = 60
_DATA, _LOG = "D", "L"


@dataclass(frozen=True, slots=True)
class Directories:
    """Where a server keeps data and log files, without a slash at the end."""

    data: str
    log: str


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one file of a backup is restored to."""

    logical_name: str
    physical_name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Volume:
    """The space around a database file, as the server sees it."""

    directory: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Room:
    """Whether the files fit.

    Attributes:
        shortage: Why they do not, in words; None where they do, as far as can be told.
        unknown: Directories whose free space the server does not tell.
    """

    shortage: str | None
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What `--latest` means: a backup, or why there is none.

    `candidates` are worth showing where the choice is left to a person, newest first.
    """

    backup: Backup | None
    reason: str
    candidates: tuple[Backup, ...]
    is_ambiguous: bool = False


def latest(verified: Sequence[Backup], entries: Sequence[Entry]) -> Choice:
    """The newest verified backup that is not a safety copy.

    Where the directory holds backups of more than one database family, the database was
    made anew at some time, perhaps empty: then the newest is not surely the wanted one.

    Args:
        verified: The verified backups of our database, newest first.
        entries: Everything in the directory, newest name first.
    """
    families = {each.backup_set.family_guid: each for each in reversed(verified)}
    if len(families) > 1:
        newest = tuple(sorted(families.values(), key=lambda it: it.started_at, reverse=True))
        reason = f"the backups are of {len(families)} database families"
        return Choice(None, reason, newest, is_ambiguous=True)
    wanted = tuple(each for each in verified if Tier.PRE_RESTORE not in each.tiers)
    if wanted:
        return Choice(wanted[0], "the newest verified backup", wanted)
    if verified:
        return Choice(None, "the verified ones are safety copies of restores", ())
    there = text.count(sum(each.state is not State.MISSING for each in entries), "backup")
    return Choice(None, f"of {there} here none is verified", ())


def derived_name(database: str, role: str, stamp: str) -> str:
    """`SelfMX_before_20261125_030000`, short enough to be a database's name.

    Args:
        database: The database in service.
        role: "restore", "before", "undone" or "stray".
        stamp: Local time to the second.
    """
    ending = f"_{role}_{stamp}"
    return _shortened(database, LONGEST_NAME - len(ending)) + ending


def name_is_too_long(name: str) -> bool:
    """Whether SQL Server would refuse a database's name for its length."""
    return _units(name) > LONGEST_NAME


def place(
    files: Sequence[DatabaseFile], name: str, stamp: str, into: Directories
) -> tuple[Placement, ...]:
    """A place of its own for every file of a backup.

    The names carry the stamp rather than the copy's name, because a rename of the database
    leaves them as they are: they should look right after the swap too.

    Args:
        files: As FILELISTONLY lists them.
        name: What the files' names begin with.
        stamp: Makes them unused.
        into: The directories.
    """
    stem = f"{_plain(name)}_{stamp}"
    numbers: Counter[str] = Counter()
    placed = []
    for file in files:
        numbers[file.type] += 1
        directory = into.log if file.type == _LOG else into.data
        ending = _ending(file.type, numbers[file.type])
        physical_name = f"{directory.rstrip('/')}/{stem}{ending}"
        placed.append(Placement(file.logical_name, physical_name, file.size_bytes))
    return tuple(placed)


def place_over(
    files: Sequence[DatabaseFile], live: Sequence[DatabaseFile], fresh: Sequence[Placement]
) -> tuple[Placement, ...]:
    """The places of the live database's files, for those of the same logical name and type.

    What the live one does not have goes to a fresh place.
    """
    known = {(file.logical_name.casefold(), file.type): file.physical_name for file in live}
    return tuple(
        Placement(
            file.logical_name,
            known.get((file.logical_name.casefold(), file.type), place.physical_name),
            file.size_bytes,
        )
        for file, place in zip(files, fresh, strict=True)
    )


def place_back(files: Sequence[DatabaseFile]) -> tuple[Placement, ...]:
    """Every file where it was when the backup was taken: for a database's own safety copy."""
    return tuple(
        Placement(each.logical_name, each.physical_name, each.size_bytes) for each in files
    )


def room(
    placements: Sequence[Placement], volumes: Sequence[Volume], freed: Sequence[DatabaseFile] = ()
) -> Room:
    """Whether files of full size fit on the volumes that they go to.

    RESTORE makes every file as large as it was, whatever the backup's own size, and on Linux
    it does not look first (KB 4519691). On Linux a volume has no name (its mount point is
    NULL): directories with the same total and free bytes are taken for one volume, which
    errs on the side of too little room.

    Args:
        placements: What is to be written.
        volumes: What the server says of the directories in which it has files.
        freed: Files that are overwritten, whose space comes back.
    """
    by_directory = {volume.directory: volume for volume in volumes}
    needs: dict[tuple[int, int], int] = {}
    unknown = []
    for directory, size in _sizes(placements, freed):
        volume = by_directory.get(directory)
        if volume is None:
            unknown.append(directory)
            continue
        key = (volume.total_bytes, volume.free_bytes)
        needs[key] = needs.get(key, 0) + size
    for (_, free), needed in needs.items():
        if needed > free:
            words = f"{text.size(needed)} are needed for database files and {text.size(free)} free"
            return Room(words, tuple(dict.fromkeys(unknown)))
    return Room(None, tuple(dict.fromkeys(unknown)))


def directory_of(physical_name: str) -> str:
    """The directory of a file as the server names it; on Windows it has backslashes."""
    return physical_name[: max(physical_name.rfind("/"), physical_name.rfind("\\"))]


def directories_of(live: Sequence[DatabaseFile], default: Directories) -> Directories:
    """Where the live database has its first data and log file; else the server's defaults."""
    data = next((directory_of(it.physical_name) for it in live if it.type != _LOG), default.data)
    log = next((directory_of(it.physical_name) for it in live if it.type == _LOG), default.log)
    return Directories(data, log)


def taken(placements: Sequence[Placement], names: Collection[str]) -> tuple[str, ...]:
    """Which of the places are a file's already, in any case."""
    used = {name.casefold() for name in names}
    return tuple(each.physical_name for each in placements if each.physical_name.casefold() in used)


def _sizes(placements: Sequence[Placement], freed: Sequence[DatabaseFile]) -> list[tuple[str, int]]:
    sizes = [(directory_of(each.physical_name), each.size_bytes) for each in placements]
    return sizes + [(directory_of(each.physical_name), -each.size_bytes) for each in freed]


def _ending(kind: str, number: int) -> str:
    """The end of the name of the first, second, ... file of its kind."""
    is_first = number == 1
    if kind == _DATA:
        return ".mdf" if is_first else f"_{number}.ndf"
    if kind == _LOG:
        return "_log.ldf" if is_first else f"_log{number}.ldf"
    # A directory: FILESTREAM or in-memory data, or a full-text catalog.
    return f"_{kind.lower()}{number}"


def _plain(name: str) -> str:
    """What of a database's name can stand in a file's name."""
    return "".join(it if it.isascii() and (it.isalnum() or it in "-_.") else "_" for it in name)[
        :_LONGEST_STEM
    ]


def _units(name: str) -> int:
    return len(name.encode("utf-16-le", errors="surrogatepass")) // 2


def _shortened(name: str, units: int) -> str:
    """A name cut to so many code units of UTF-16, never inside a character."""
    while _units(name) > units:
        name = name[:-1]
    return name
