from collections.abc import Sequence
from datetime import timedelta

import pytest

from selfmx_backupd.model import Backup, DatabaseFile, State, Tier
from selfmx_backupd.policy import restore
from selfmx_backupd.policy.restore import Choice, Directories, Placement, Room, Volume
from tests.build import FAMILY, OTHER_FAMILY, backup, entry, utc

NOW = utc("2026-11-24 03:00")
DAY = timedelta(days=1)
STAMP = "20261125_030000"
INTO = Directories("/data", "/logs")
MIB = 2**20


def latest(backups: Sequence[Backup], others: Sequence[State] = ()) -> Choice:
    """Of verified backups, newest first, beside entries in other states."""
    there = [entry(backup(NOW - 99 * DAY), state) for state in others]
    return restore.latest(backups, [*(entry(each) for each in backups), *there])


def aged(*days: int, family: str = FAMILY, tier: Tier = Tier.DAILY) -> list[Backup]:
    return [backup(NOW - each * DAY, (tier,), family=family) for each in days]


def test_the_latest_is_the_newest_verified_backup() -> None:
    every = aged(0, 1, 2)
    assert latest(every) == Choice(every[0], "the newest verified backup", tuple(every))


def test_a_safety_copy_is_not_the_latest() -> None:
    """It holds what a restore was to get rid of."""
    safety, wanted = aged(0, tier=Tier.PRE_RESTORE), aged(1)
    assert latest([*safety, *wanted]) == Choice(
        wanted[0], "the newest verified backup", tuple(wanted)
    )


def test_of_two_families_nobody_but_a_person_can_choose() -> None:
    empty, full = aged(0, 3, family=OTHER_FAMILY), aged(1, 2, 4)
    every = sorted([*empty, *full], key=lambda each: each.started_at, reverse=True)
    assert latest(every) == Choice(
        None,
        "the backups are of 2 database families",
        (empty[0], full[0]),
        is_ambiguous=True,
    )


def test_without_a_backup_there_is_no_latest() -> None:
    assert latest([]) == Choice(None, "of 0 backups here none is verified", ())


def test_backups_that_are_there_and_not_verified_are_counted() -> None:
    others = [State.UNKNOWN, State.DAMAGED, State.MISSING]
    assert latest([], others).reason == "of 2 backups here none is verified"


def test_safety_copies_alone_are_not_said_to_be_unverified() -> None:
    choice = latest(aged(0, tier=Tier.PRE_RESTORE))
    assert choice.backup is None
    assert "none is verified" not in choice.reason


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("before", "SelfMX_before_20261125_030000"),
        ("restore", "SelfMX_restore_20261125_030000"),
        ("undone", "SelfMX_undone_20261125_030000"),
        ("stray", "SelfMX_stray_20261125_030000"),
    ],
)
def test_a_derived_name_says_of_what_it_is_and_why_and_when(role: str, name: str) -> None:
    assert restore.derived_name("SelfMX", role, STAMP) == name


def units(name: str) -> int:
    return len(name.encode("utf-16-le")) // 2


@pytest.mark.parametrize("name", ["x" * 128, "🙂" * 64, "x" + "🙂" * 63, "ß数" * 64, "]" * 128])
def test_a_derived_name_is_a_databases_name(name: str) -> None:
    derived = restore.derived_name(name, "before", STAMP)
    assert 127 <= units(derived) <= 128
    assert derived.endswith("_before_20261125_030000")
    assert name.startswith(derived.removesuffix("_before_20261125_030000"))


def test_a_name_that_just_fits_is_not_shortened() -> None:
    assert restore.derived_name("x" * 105, "before", STAMP).startswith("x" * 105 + "_before")
    assert restore.derived_name("x" * 106, "before", STAMP).startswith("x" * 105 + "_before")


@pytest.mark.parametrize(
    ("name", "is_too_long"),
    [
        ("x" * 128, False),
        ("x" * 129, True),
        ("🙂" * 64, False),
        ("🙂" * 64 + "x", True),
        ("", False),
    ],
)
def test_a_name_is_as_long_as_its_units_of_utf_16(name: str, is_too_long: bool) -> None:  # noqa: FBT001  # a parameter of the test
    assert restore.name_is_too_long(name) is is_too_long


def files(*kinds: str) -> list[DatabaseFile]:
    """A database's files of these types, each of a MiB more than the one before."""
    return [
        DatabaseFile(f"logical {n}", kind, f"/old/{n}", n * MIB)
        for n, kind in enumerate(kinds, start=1)
    ]


def placed(*kinds: str, name: str = "SelfMX", into: Directories = INTO) -> list[str]:
    return [each.physical_name for each in restore.place(files(*kinds), name, STAMP, into)]


def test_a_data_file_and_a_log_file_have_each_their_place() -> None:
    assert restore.place(files("D", "L"), "SelfMX", STAMP, INTO) == (
        Placement("logical 1", "/data/SelfMX_20261125_030000.mdf", MIB),
        Placement("logical 2", "/logs/SelfMX_20261125_030000_log.ldf", 2 * MIB),
    )


def test_more_files_and_containers_are_numbered() -> None:
    stem = "SelfMX_20261125_030000"
    assert placed("D", "L", "D", "L", "D", "S", "S", "F") == [
        f"/data/{stem}.mdf",
        f"/logs/{stem}_log.ldf",
        f"/data/{stem}_2.ndf",
        f"/logs/{stem}_log2.ldf",
        f"/data/{stem}_3.ndf",
        f"/data/{stem}_s1",
        f"/data/{stem}_s2",
        f"/data/{stem}_f1",
    ]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a]b", "a_b"),
        ("o'neil", "o_neil"),
        ("../../etc/x", ".._.._etc_x"),
        ("a b\nc\0d", "a_b_c_d"),
        ("Größe 数🙂", "Gr__e___"),
        ("C:\\x", "C__x"),
        ("x" * 128, "x" * 60),
        ("", ""),
    ],
)
def test_an_odd_name_of_a_database_makes_a_plain_name_of_a_file(name: str, stem: str) -> None:
    assert placed("D", name=name) == [f"/data/{stem}_20261125_030000.mdf"]


def test_a_slash_at_the_end_of_a_directory_does_not_matter() -> None:
    assert placed("D", "L", into=Directories("/data/", "/")) == [
        "/data/SelfMX_20261125_030000.mdf",
        "/SelfMX_20261125_030000_log.ldf",
    ]


def over(source: Sequence[DatabaseFile], live: Sequence[DatabaseFile]) -> list[str]:
    fresh = restore.place(source, "SelfMX", STAMP, INTO)
    done = restore.place_over(source, live, fresh)
    assert [(each.logical_name, each.size_bytes) for each in done] == [
        (each.logical_name, each.size_bytes) for each in source
    ]
    return [each.physical_name for each in done]


def test_in_place_each_file_goes_over_the_live_one_of_its_name_in_any_case() -> None:
    live = [
        DatabaseFile("LOGICAL 2", "L", "/elsewhere/live.ldf", MIB),
        DatabaseFile("Logical 1", "D", "/elsewhere/live.mdf", MIB),
    ]
    assert over(files("D", "L"), live) == ["/elsewhere/live.mdf", "/elsewhere/live.ldf"]


def test_in_place_a_file_that_the_live_database_lacks_goes_to_a_place_of_its_own() -> None:
    live = [DatabaseFile("logical 1", "D", "/live.mdf", MIB)]
    assert over(files("D", "D", "L"), live) == [
        "/live.mdf",
        "/data/SelfMX_20261125_030000_2.ndf",
        "/logs/SelfMX_20261125_030000_log.ldf",
    ]


def test_in_place_a_log_never_goes_over_a_data_file() -> None:
    live = [DatabaseFile("logical 1", "L", "/live.ldf", MIB)]
    assert over(files("D"), live) == ["/data/SelfMX_20261125_030000.mdf"]


def test_in_place_without_anything_live_everything_goes_to_a_place_of_its_own() -> None:
    assert over(files("D", "L"), []) == placed("D", "L")


DATA, LOGS = Volume("/data", 100 * MIB, 5 * MIB), Volume("/logs", 90 * MIB, 2 * MIB)


def room(
    sizes_mib: dict[str, int], volumes: Sequence[Volume], freed_mib: dict[str, int] | None = None
) -> Room:
    placements = [Placement("x", name, size * MIB) for name, size in sizes_mib.items()]
    freed = [DatabaseFile("x", "D", name, n * MIB) for name, n in (freed_mib or {}).items()]
    return restore.room(placements, volumes, freed)


def test_files_fit_on_volumes_that_have_room_for_them() -> None:
    assert room({"/data/a": 5, "/logs/b": 2}, [DATA, LOGS]) == Room(None, ())


@pytest.mark.parametrize(
    ("sizes_mib", "shortage"),
    [
        ({"/data/a": 6}, "6.0 MiB are needed for database files and 5.0 MiB free"),
        ({"/data/a": 3, "/data/b": 3}, "6.0 MiB are needed for database files and 5.0 MiB free"),
        ({"/data/a": 5, "/logs/b": 3}, "3.0 MiB are needed for database files and 2.0 MiB free"),
    ],
)
def test_files_that_do_not_fit_are_said_to_with_both_sizes(
    sizes_mib: dict[str, int], shortage: str
) -> None:
    assert room(sizes_mib, [DATA, LOGS]).shortage == shortage


def test_two_directories_of_one_volume_share_its_room() -> None:
    same = [Volume("/data", 100 * MIB, 5 * MIB), Volume("/logs", 100 * MIB, 5 * MIB)]
    assert room({"/data/a": 3, "/logs/b": 3}, same).shortage is not None
    assert room({"/data/a": 3, "/logs/b": 2}, same).shortage is None


def test_what_is_overwritten_gives_its_room_back_on_its_own_volume() -> None:
    assert room({"/data/a": 8}, [DATA, LOGS], {"/data/old": 3}).shortage is None
    assert room({"/data/a": 9}, [DATA, LOGS], {"/data/old": 3}).shortage is not None
    assert room({"/data/a": 8}, [DATA, LOGS], {"/logs/old": 30}).shortage is not None


def test_a_directory_of_unknown_room_is_named_once_and_hinders_nothing() -> None:
    asked = room({"/new/a": 99, "/new/b": 99, "/data/c": 1}, [DATA])
    assert asked == Room(None, ("/new",))


def test_a_directory_of_unknown_room_hides_no_shortage_elsewhere() -> None:
    asked = room({"/new/a": 99, "/data/c": 9}, [DATA])
    assert asked.unknown == ("/new",)
    assert asked.shortage is not None


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("/var/opt/mssql/data/SelfMX.mdf", "/var/opt/mssql/data"),
        ("C:\\var\\data\\SelfMX.mdf", "C:\\var\\data"),
        ("C:\\var\\data/SelfMX.mdf", "C:\\var\\data"),
        ("/x.mdf", ""),
    ],
)
def test_a_files_directory_is_what_stands_before_its_last_slash(name: str, directory: str) -> None:
    assert restore.directory_of(name) == directory


def test_the_directories_are_those_of_the_live_database() -> None:
    live = [
        DatabaseFile("a", "D", "/one/a.mdf", 1),
        DatabaseFile("b", "L", "/two/b.ldf", 1),
        DatabaseFile("c", "D", "/three/c.ndf", 1),
        DatabaseFile("d", "L", "/four/d.ldf", 1),
    ]
    assert restore.directories_of(live, INTO) == Directories("/one", "/two")


def test_without_a_live_database_they_are_the_servers() -> None:
    assert restore.directories_of([], INTO) == INTO
    live = [DatabaseFile("b", "L", "/two/b.ldf", 1)]
    assert restore.directories_of(live, INTO) == Directories("/data", "/two")


def test_a_place_is_taken_by_a_file_of_its_name_in_any_case() -> None:
    places = restore.place(files("D", "L"), "SelfMX", STAMP, INTO)
    mdf, ldf = (each.physical_name for each in places)
    assert restore.taken(places, ["/data/other.mdf", ldf.upper()]) == (ldf,)
    assert restore.taken(places, [f"{mdf}x", mdf[1:]]) == ()
