"""Names, places and room for restores of databases that hypothesis makes up."""

from hypothesis import given, settings
from hypothesis import strategies as st

from selfmx_backupd.model import DatabaseFile
from selfmx_backupd.policy.restore import (
    LONGEST_NAME,
    Directories,
    Placement,
    Volume,
    derived_name,
    directories_of,
    directory_of,
    name_is_too_long,
    place,
    place_over,
    room,
    taken,
)

laws = settings(max_examples=200, deadline=None)

ROLES = ("restore", "before", "undone", "stray")
STAMP = "20261125_030000"
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=130) | st.text(
    st.sampled_from("]['/\\.🙂ß "), min_size=1, max_size=128
)
directories = st.sampled_from(["/var/opt/mssql/data", "/log", "/", "/data/", "/ü b"])
intos = st.builds(Directories, directories, directories)
# As types stand in FILELISTONLY; a database has a data and a log file at least.
kinds = st.lists(st.sampled_from("DDDLLSF"), max_size=8).map(lambda more: ["D", "L", *more])
stamps = st.datetimes().map(lambda at: f"{at:%Y%m%d_%H%M%S}")
sizes = st.integers(0, 2**45)


@st.composite
def databases(draw: st.DrawFn, where: str = "/live") -> list[DatabaseFile]:
    """The files of a database; logical names differ in more than their case (a server's rule)."""
    types = draw(kinds)
    logical = draw(
        st.lists(
            st.text("aAbBß]'", min_size=1, max_size=4),
            min_size=len(types),
            max_size=len(types),
            unique_by=str.casefold,
        )
    )
    return [
        DatabaseFile(name, kind, f"{where}/{number}.file", draw(sizes))
        for number, (name, kind) in enumerate(zip(logical, types, strict=True))
    ]


def units(name: str) -> int:
    return len(name.encode("utf-16-le")) // 2


def tail(path: str) -> str:
    return path[len(directory_of(path)) + 1 :]


@laws
@given(names, st.sampled_from(ROLES), stamps)
def test_a_derived_name_is_short_enough_and_says_its_role_and_time(
    name: str, role: str, stamp: str
) -> None:
    derived = derived_name(name, role, stamp)
    assert units(derived) <= LONGEST_NAME
    assert not name_is_too_long(derived)
    assert derived.endswith(f"_{role}_{stamp}")
    assert name.startswith(derived.removesuffix(f"_{role}_{stamp}"))
    cut_off = len(name) - (len(derived) - len(f"_{role}_{stamp}"))
    assert cut_off == 0 or units(derived) >= LONGEST_NAME - 1


@laws
@given(names, stamps)
def test_the_names_of_different_roles_differ(name: str, stamp: str) -> None:
    derived = {derived_name(name, role, stamp).casefold() for role in ROLES}
    assert len(derived) == len(ROLES)


@laws
@given(databases(), names, intos)
def test_every_file_has_a_place_of_its_own_in_the_directory_of_its_kind(
    files: list[DatabaseFile], name: str, into: Directories
) -> None:
    placements = place(files, name, STAMP, into)
    assert len({each.physical_name.casefold() for each in placements}) == len(files)
    for file, placed in zip(files, placements, strict=True):
        assert (placed.logical_name, placed.size_bytes) == (file.logical_name, file.size_bytes)
        directory = into.log if file.type == "L" else into.data
        assert directory_of(placed.physical_name) == directory.rstrip("/")


@laws
@given(databases(), names, intos)
def test_a_files_name_is_plain_and_short_and_carries_the_stamp(
    files: list[DatabaseFile], name: str, into: Directories
) -> None:
    for placed in place(files, name, STAMP, into):
        plain = tail(placed.physical_name)
        assert plain.isascii()
        assert not set(plain) & set("/\\ '\"[]\0\n")
        assert STAMP in plain
        assert len(plain) <= 100


@laws
@given(databases(), names, intos)
def test_the_places_of_two_times_have_nothing_in_common(
    files: list[DatabaseFile], name: str, into: Directories
) -> None:
    there = [each.physical_name for each in place(files, name, STAMP, into)]
    later = place(files, name, "20261125_030001", into)
    assert taken(later, there) == ()
    assert taken(place(files, name, STAMP, into), there) == tuple(there)


@laws
@given(databases("/backup"), databases(), names, intos)
def test_in_place_no_two_files_go_to_one_place_and_none_over_another_kind(
    files: list[DatabaseFile], live: list[DatabaseFile], name: str, into: Directories
) -> None:
    fresh = place(files, name, STAMP, into)
    over = place_over(files, live, fresh)
    assert len({each.physical_name for each in over}) == len(files)
    by_name = {each.physical_name: each for each in live}
    for file, new, placed in zip(files, fresh, over, strict=True):
        overwritten = by_name.get(placed.physical_name)
        assert overwritten is not None or placed == new
        assert overwritten is None or overwritten.type == file.type


@laws
@given(databases())
def test_a_database_goes_back_in_place_exactly_to_where_it_was(files: list[DatabaseFile]) -> None:
    fresh = place(files, "SelfMX", STAMP, Directories("", ""))
    assert [each.physical_name for each in place_over(files, files, fresh)] == [
        each.physical_name for each in files
    ]


@laws
@given(databases(), intos)
def test_the_directories_are_those_of_the_first_files(
    live: list[DatabaseFile], default: Directories
) -> None:
    assert directories_of(live, default) == Directories("/live", "/live")
    logs = [each for each in live if each.type == "L"]
    assert directories_of(logs, default) == Directories(default.data, "/live")


placements = st.lists(
    st.builds(Placement, st.just("x"), st.sampled_from(["/a/1", "/a/2", "/b/3", "/c/4"]), sizes),
    max_size=6,
)
freed = st.lists(
    st.builds(
        DatabaseFile, st.just("x"), st.just("D"), st.sampled_from(["/a/1", "/b/3", "/c/4"]), sizes
    ),
    max_size=3,
)


@laws
@given(placements, freed, sizes, sizes)
def test_files_are_never_said_to_fit_on_one_volume_where_they_do_not(
    wanted: list[Placement], gone: list[DatabaseFile], total: int, free: int
) -> None:
    volume = [Volume(name, total, free) for name in ("/a", "/b", "/c")]
    needed = sum(each.size_bytes for each in wanted) - sum(each.size_bytes for each in gone)
    asked = room(wanted, volume, gone)
    assert (asked.shortage is None) == (needed <= free)
    assert asked.unknown == ()


@laws
@given(placements, freed, st.tuples(sizes, sizes, sizes))
def test_files_are_never_said_to_fit_where_one_volume_of_several_is_too_small(
    wanted: list[Placement], gone: list[DatabaseFile], frees: tuple[int, int, int]
) -> None:
    names = ("/a", "/b", "/c")
    free_in = dict(zip(names, frees, strict=True))
    # A total of its own tells each volume from the others.
    volumes = [Volume(name, total, free_in[name]) for total, name in enumerate(names)]
    fits = all(
        sum(each.size_bytes for each in wanted if each.physical_name.startswith(name))
        - sum(each.size_bytes for each in gone if each.physical_name.startswith(name))
        <= free
        for name, free in free_in.items()
    )
    assert (room(wanted, volumes, gone).shortage is None) == fits


@laws
@given(placements, freed, st.sets(st.sampled_from(["/a", "/b", "/c"])), sizes)
def test_exactly_the_directories_that_the_server_does_not_know_are_unknown(
    wanted: list[Placement], gone: list[DatabaseFile], known: set[str], free: int
) -> None:
    asked = room(wanted, [Volume(name, 0, free) for name in known], gone)
    every = [*(each.physical_name for each in wanted), *(each.physical_name for each in gone)]
    used = {directory_of(name) for name in every}
    assert set(asked.unknown) == used - known
    assert len(asked.unknown) == len(set(asked.unknown))
    seen = [each for each in wanted if directory_of(each.physical_name) in known]
    back = [each for each in gone if directory_of(each.physical_name) in known]
    needed = sum(each.size_bytes for each in seen) - sum(each.size_bytes for each in back)
    assert (asked.shortage is None) == (needed <= free or not (seen or back))
