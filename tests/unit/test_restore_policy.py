"""Which backup, where its files go, whether they fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmx_backupd.model import Backup, DatabaseFile, State, Tier
from selfmx_backupd.policy import restore
from selfmx_backupd.policy.restore import Directories, Placement, Volume
from tests.build import FAMILY, OTHER_FAMILY, backup, entry, utc

MIB = 2**20
STAMP = "20261125_030000"
INTO = Directories("/data", "/log")
ROLES = ("restore", "before", "undone", "stray")


def file(name: str, kind: str = "D", size: int = MIB) -> DatabaseFile:
    return DatabaseFile(name, kind, f"/old/{name}", size)


PAIR = (file("SelfMX"), file("SelfMX_log", "L"))


def taken(day: int, *tiers: Tier, family: str = FAMILY) -> Backup:
    return backup(utc(f"2026-11-{day:02} 03:00"), tiers or (Tier.DAILY,), family=family)


def names(files: tuple[DatabaseFile, ...], name: str = "SelfMX") -> list[str]:
    return [each.physical_name for each in restore.place(files, name, STAMP, INTO)]


def test_the_latest_is_the_newest_that_is_no_safety_copy() -> None:
    safety, newest, older = taken(3, Tier.PRE_RESTORE), taken(2), taken(1)
    choice = restore.latest([safety, newest, older], [])
    assert choice.backup == newest


def test_two_families_leave_the_choice_to_a_person_and_name_the_newest_of_each() -> None:
    made_anew = taken(4, family=OTHER_FAMILY)
    choice = restore.latest([made_anew, taken(3), taken(2)], [])
    assert choice.backup is None
    assert choice.is_ambiguous
    assert choice.candidates == (made_anew, taken(3))


def test_without_a_verified_backup_there_is_none_to_take() -> None:
    here = [entry(taken(1), State.UNKNOWN), entry(taken(2), State.MISSING)]
    choice = restore.latest([], here)
    assert (choice.backup, choice.is_ambiguous) == (None, False)
    assert choice.reason == "of 1 backup here none is verified"


def test_a_derived_name_says_what_it_is_and_when() -> None:
    assert restore.derived_name("SelfMX", "before", STAMP) == f"SelfMX_before_{STAMP}"


@given(st.text(min_size=1, max_size=140), st.sampled_from(ROLES))
def test_a_derived_name_is_never_too_long(database: str, role: str) -> None:
    name = restore.derived_name(database, role, STAMP)
    assert not restore.name_is_too_long(name)
    assert name.endswith(f"_{role}_{STAMP}")


def test_a_name_is_measured_in_the_servers_units() -> None:
    assert not restore.name_is_too_long("🙂" * 64)
    assert restore.name_is_too_long("🙂" * 64 + "x")


def test_files_go_to_names_that_look_right_after_the_swap() -> None:
    assert names(PAIR) == [f"/data/SelfMX_{STAMP}.mdf", f"/log/SelfMX_{STAMP}_log.ldf"]


def test_every_file_has_an_ending_of_its_kind() -> None:
    kinds = "LDDLSSF"
    files = tuple(file(f"f{at}", kind) for at, kind in enumerate(kinds))
    stem = f"SelfMX_{STAMP}"
    assert names(files) == [
        *(f"/log/{stem}_log.ldf", f"/data/{stem}.mdf", f"/data/{stem}_2.ndf"),
        *(f"/log/{stem}_log2.ldf", f"/data/{stem}_s1", f"/data/{stem}_s2", f"/data/{stem}_f1"),
    ]


def test_what_cannot_stand_in_a_files_name_is_replaced() -> None:
    assert names(PAIR, "a/b ]'Größe")[0] == f"/data/a_b___Gr__e_{STAMP}.mdf"


@given(
    st.lists(st.sampled_from("DLSF"), min_size=1, max_size=12),
    st.text(min_size=1, max_size=130),
)
def test_no_two_files_go_to_one_place_and_none_leaves_its_directory(kinds: str, name: str) -> None:
    files = tuple(file(f"f{at}", kind) for at, kind in enumerate(kinds))
    places = names(files, name)
    assert len(set(places)) == len(files)
    assert {restore.directory_of(place) for place in places} <= {"/data", "/log"}
    assert all(len(place) < 120 for place in places)


def test_over_a_database_its_own_places_are_taken_and_others_are_fresh() -> None:
    backup_files = (file("selfmx"), file("SelfMX_log", "L"), file("extra"))
    fresh = restore.place(backup_files, "SelfMX", STAMP, INTO)
    places = restore.place_over(backup_files, PAIR, fresh)
    assert [each.physical_name for each in places] == [
        *("/old/SelfMX", "/old/SelfMX_log", fresh[2].physical_name)
    ]


def test_a_data_file_never_takes_the_place_of_a_log() -> None:
    wanted = (file("SelfMX_log"),)
    fresh = restore.place(wanted, "SelfMX", STAMP, INTO)
    assert restore.place_over(wanted, PAIR, fresh) == fresh


def test_directories_are_those_of_the_live_files_or_the_servers_defaults() -> None:
    live = (DatabaseFile("d", "D", "/a/x.mdf", 1), DatabaseFile("l", "L", "/b/x.ldf", 1))
    assert restore.directories_of(live, INTO) == Directories("/a", "/b")
    assert restore.directories_of((), INTO) == INTO
    assert restore.directories_of(live[:1], INTO) == Directories("/a", "/log")


@pytest.mark.parametrize(
    ("name", "directory"),
    [("/var/opt/x.mdf", "/var/opt"), ("C:\\data\\x.mdf", "C:\\data"), ("/x.mdf", "")],
)
def test_a_directory_is_what_stands_before_the_last_slash(name: str, directory: str) -> None:
    assert restore.directory_of(name) == directory


def place(directory: str, mib: int) -> Placement:
    return Placement("x", f"{directory}/x", mib * MIB)


def volume(directory: str, free_mib: int, total_mib: int = 1000) -> Volume:
    return Volume(directory, total_mib * MIB, free_mib * MIB)


def test_what_goes_to_one_volume_must_fit_there_together() -> None:
    both = [place("/data", 60), place("/log", 60)]
    apart = [volume("/data", 100), volume("/log", 90)]
    assert restore.room(both, apart).shortage is None
    # Directories with the same numbers are taken for one volume.
    together = [volume("/data", 100), volume("/log", 100)]
    shortage = restore.room(both, together).shortage
    assert shortage == "120.0 MiB are needed for database files and 100.0 MiB free"


def test_exactly_enough_is_enough() -> None:
    assert restore.room([place("/data", 100)], [volume("/data", 100)]).shortage is None
    assert restore.room([place("/data", 101)], [volume("/data", 100)]).shortage is not None


def test_what_is_overwritten_makes_room() -> None:
    freed = [DatabaseFile("x", "D", "/data/x", 60 * MIB)]
    assert restore.room([place("/data", 100)], [volume("/data", 50)], freed).shortage is None
    assert restore.room([place("/data", 120)], [volume("/data", 50)], freed).shortage is not None


def test_a_directory_of_which_nothing_is_known_is_named_once() -> None:
    room = restore.room([place("/nas", 1), place("/nas", 1)], [volume("/data", 1)])
    assert (room.shortage, room.unknown) == (None, ("/nas",))


@given(
    st.lists(st.tuples(st.sampled_from(["/a", "/b"]), st.integers(0, 50)), max_size=6),
    st.integers(0, 100),
)
def test_files_are_never_said_to_fit_where_they_do_not(
    files: list[tuple[str, int]], free: int
) -> None:
    """Both directories are on one volume, as on most servers."""
    places = [place(directory, mib) for directory, mib in files]
    room = restore.room(places, [volume("/a", free), volume("/b", free)])
    assert (room.shortage is None) == (sum(mib for _, mib in files) <= free)


def test_places_that_are_taken_are_found_in_any_case() -> None:
    places = restore.place(PAIR, "SelfMX", STAMP, INTO)
    assert restore.taken(places, [places[0].physical_name.upper()]) == (places[0].physical_name,)
    assert restore.taken(places, ["/data/other.mdf"]) == ()
