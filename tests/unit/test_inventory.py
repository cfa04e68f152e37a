from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from selfmx_backupd.model import Backup, Going, State
from selfmx_backupd.policy.inventory import Inventory, Listing, dated, part_of, take
from tests.build import VIENNA, backup, utc

NOW = utc("2026-11-24 12:00")
AT = utc("2026-11-24 03:00")
STEM = "selfmx_20261124_030000"
BAK, PART, JSON = f"{STEM}.bak", f"{STEM}.bak.part", f"{STEM}.json"
WHAT_THEN = "the daemon adopts it, or its log says why not"
GOING = Going(at=AT, reason="left daily")


def holds(
    sizes: Mapping[str, int],
    manifests: Mapping[str, Backup | str] | None = None,
    others: tuple[str, ...] = (),
    prefix: str = "selfmx",
) -> Inventory:
    manifests = manifests or {}
    sizes = {**dict.fromkeys(manifests, 900), **sizes}
    return take(Listing(sizes, others, manifests), prefix, NOW)


def only(inventory: Inventory) -> tuple[State, str]:
    """The state and the reason of the one entry, beside which there is nothing else."""
    (entry,) = inventory.entries
    assert entry.file == BAK
    assert inventory == Inventory((entry,), (), (), (), ())
    return entry.state, entry.reason


def test_an_empty_directory_holds_nothing() -> None:
    assert holds({}) == Inventory((), (), (), (), ())


@pytest.mark.parametrize(
    ("about", "size", "state", "reason"),
    [
        (backup(AT), 8192, State.VERIFIED, "proven by verifyonly"),
        (backup(AT), 8191, State.DAMAGED, "its size is 8191 bytes, 8192 were written"),
        (backup(AT), 0, State.DAMAGED, "its size is 0 bytes, 8192 were written"),
        (backup(AT, damaged=True), 8192, State.DAMAGED, "checksum"),
        (backup(AT, verified=False), 8192, State.UNKNOWN, "it was never proven"),
        (backup(AT, verified=False), 1, State.DAMAGED, "its size is 1 bytes, 8192 were written"),
        ("its manifest is not JSON", 8192, State.UNKNOWN, "its manifest is not JSON"),
        (None, 8192, State.UNKNOWN, f"it has no manifest: {WHAT_THEN}"),
        (
            backup(AT + timedelta(hours=1)),
            8192,
            State.UNKNOWN,
            f"its manifest speaks of selfmx_20261124_040000.bak: {WHAT_THEN}",
        ),
    ],
)
def test_a_backup_is_worth_what_its_manifest_and_size_say(
    about: Backup | str | None, size: int, state: State, reason: str
) -> None:
    manifests = {} if about is None else {JSON: about}
    assert only(holds({BAK: size}, manifests)) == (state, reason)


@pytest.mark.parametrize(("ahead_min", "state"), [(10, State.VERIFIED), (11, State.UNKNOWN)])
def test_a_date_more_than_ten_minutes_ahead_is_unknown(ahead_min: int, state: State) -> None:
    late = replace(backup(NOW + timedelta(minutes=ahead_min)), file=BAK)
    assert only(holds({BAK: 8192}, {JSON: late}))[0] == state


@pytest.mark.parametrize("about", [backup(AT), "its manifest is not JSON", backup(NOW)])
def test_a_manifest_without_its_file_is_a_missing_backup(about: Backup | str) -> None:
    said = only(holds({}, {JSON: about}))
    assert said == (State.MISSING, "its manifest is here, the file is gone")


def test_an_entry_never_carries_the_manifest_of_another_file() -> None:
    """A copied manifest would have its original removed."""
    original = backup(AT - timedelta(days=1), going=GOING)
    copied = holds({BAK: 8192}, {JSON: original})
    assert only(copied)[0] is State.UNKNOWN
    assert copied.entries[0].backup is None
    assert copied.going == ()
    assert holds({}, {JSON: original}).going == ()


def test_a_part_without_a_manifest_is_unfinished_rubbish() -> None:
    (unfinished,) = holds({PART: 5}).unfinished
    assert (unfinished.file, unfinished.backup) == (BAK, None)


def test_a_part_with_its_manifest_is_unfinished_and_complete() -> None:
    about = backup(AT, verified=False)
    inventory = holds({PART: 5}, {JSON: about})
    assert [each.backup for each in inventory.unfinished] == [about]
    assert inventory.entries == ()


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ("its manifest has schema 2, this version knows 1", "schema 2"),
        (backup(NOW), "its manifest speaks of another file"),
    ],
)
def test_a_part_whose_manifest_cannot_be_used_is_kept_as_unknown(
    about: Backup | str, why: str
) -> None:
    inventory = holds({PART: 5}, {JSON: about})
    state, reason = only(inventory)
    assert state is State.UNKNOWN
    assert reason.startswith("it was not finished, and ")
    assert why in reason
    assert inventory.entries[0].size_bytes == 5


def test_a_part_beside_its_finished_backup_is_a_stranger() -> None:
    inventory = holds({BAK: 8192, PART: 5}, {JSON: backup(AT)})
    assert [entry.state for entry in inventory.entries] == [State.VERIFIED]
    assert inventory.strangers == (PART,)
    assert inventory.unfinished == ()


@pytest.mark.parametrize("sizes", [{}, {BAK: 8192}, {BAK: 1}])
def test_a_deletion_that_was_begun_is_going(sizes: Mapping[str, int]) -> None:
    about = backup(AT, going=GOING)
    inventory = holds(sizes, {JSON: about})
    assert inventory == Inventory((), (), (about,), (), ())


def test_temporary_files_of_ours_are_leftovers() -> None:
    names = ("selfmx.probe", f"{STEM}.json.tmp")
    assert holds(dict.fromkeys(names, 0)).leftovers == names


def test_the_lock_is_neither_a_leftover_nor_a_stranger() -> None:
    assert holds({"selfmx.lock": 80}) == Inventory((), (), (), (), ())


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        ".bak",
        ".hidden",
        "selfmx.bak",
        f"{STEM}",
        f"{STEM}.BAK",
        f"{STEM}.bak.gz",
        f"{STEM}.bak.part.part",
        f"{STEM}.part",
        f"{STEM}.json.tmp.tmp",
        f"{STEM}.tmp",
        f" {BAK}",
        f"{BAK} ",
        f"{BAK}\n",
        f"x{BAK}",
        "SELFMX_20261124_030000.bak",
        "selfmx_2026112_030000.bak",
        "selfmx_20261124_0300.bak",
        "selfmx_20261124030000.bak",
        "selfmx-20261124-030000.bak",
        "selfmx_20261124_030000_1.bak",
        "selfmx_20261301_000000.bak",
        "selfmx_20260229_000000.bak",
        "selfmx_00000101_000000.bak",
        "selfmx_20261124_240000.bak",
        "selfmx_20261124_036000.json",
        "selfmx_20261231_235960.bak.part",
        "selfmx_２０２６１１２４_030000.bak",  # noqa: RUF001  # other digits, on purpose
        "selfmx-test_20261124_030000.bak",
        "self_20261124_030000.bak",
        "selfmxx_20261124_030000.bak",
        "other.lock",
        "other.probe",
    ],
)
def test_a_name_that_we_do_not_give_is_a_stranger(name: str) -> None:
    assert holds({name: 8192}) == Inventory((), (), (), (), (name,))


@pytest.mark.parametrize("name", [BAK, PART, JSON, "selfmx.lock", "selfmx.probe", "folder"])
def test_a_link_or_a_folder_is_a_stranger_whatever_its_name(name: str) -> None:
    assert holds({}, others=(name,)) == Inventory((), (), (), (), (name,))


def test_a_link_in_place_of_the_file_leaves_the_backup_missing() -> None:
    inventory = holds({}, {JSON: backup(AT)}, others=(BAK,))
    assert [entry.state for entry in inventory.entries] == [State.MISSING]
    assert inventory.strangers == (BAK,)


@pytest.mark.parametrize("prefix", ["selfmx-test", "a-z", "-", "0"])
def test_a_prefix_means_itself_and_is_no_pattern(prefix: str) -> None:
    ours = f"{prefix}_20261124_030000.bak"
    names = [ours, BAK, "b_20261124_030000.bak", "1_20261124_030000.bak"]
    inventory = holds(dict.fromkeys(names, 1), prefix=prefix)
    assert [entry.file for entry in inventory.entries] == [ours]
    assert set(inventory.strangers) == {*names} - {ours}


def test_strangers_are_sorted_and_each_is_named_once() -> None:
    inventory = holds({"b": 1, PART: 1, BAK: 1}, others=("c", "a"))
    assert inventory.strangers == ("a", "b", "c", PART)


def test_entries_come_newest_name_first() -> None:
    names = [f"selfmx_202611{day}_030000.bak" for day in (22, 24, 23)]
    inventory = holds(dict.fromkeys(names, 1))
    assert [entry.file for entry in inventory.entries] == sorted(names, reverse=True)


def test_verified_are_those_of_one_database_whatever_its_case() -> None:
    mine, other = backup(AT), replace(backup(AT - timedelta(days=1)), database="Other")
    bad = backup(AT - timedelta(days=2), verified=False)
    every = (mine, other, bad)
    manifests = {each.file.replace(".bak", ".json"): each for each in every}
    inventory = holds({each.file: 8192 for each in every}, manifests)
    assert inventory.verified("SELFMX") == (mine,)


def test_verified_come_newest_first_in_the_hour_that_exists_twice() -> None:
    """In Vienna 2026-10-25 02:30 summer time was before 02:15 winter time."""
    earlier = replace(backup(utc("2026-10-25 00:30")), file="selfmx_20261025_023000.bak")
    later = replace(backup(utc("2026-10-25 01:15")), file="selfmx_20261025_021500.bak")
    manifests = {each.file.replace(".bak", ".json"): each for each in (earlier, later)}
    inventory = holds({earlier.file: 8192, later.file: 8192}, manifests)
    assert inventory.verified("SelfMX") == (later, earlier)


@pytest.mark.parametrize(
    ("file", "zone", "at"),
    [
        ("selfmx_20261124_030000.bak", VIENNA, utc("2026-11-24 02:00")),
        ("selfmx_20260724_030000.bak", VIENNA, utc("2026-07-24 01:00")),
        ("selfmx_20261124_030000.bak", UTC, utc("2026-11-24 03:00")),
        ("any-prefix_20261124_235959.bak", UTC, utc("2026-11-24 23:59:59")),
        ("selfmx_20261124_030000", UTC, utc("2026-11-24 03:00")),
        # An hour that exists twice, and one that does not exist.
        ("selfmx_20261025_023000.bak", VIENNA, utc("2026-10-25 00:30")),
        ("selfmx_20260329_023000.bak", VIENNA, utc("2026-03-29 01:30")),
    ],
)
def test_a_name_of_ours_says_when_its_backup_was_begun_by_the_local_clock(
    file: str, zone: tzinfo, at: datetime
) -> None:
    found = dated(file, zone)
    assert found == at
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "file",
    [
        "before-the-update.bak",
        "selfmx.bak",
        "20261124_030000.bak",
        "selfmx_20261124.bak",
        "selfmx_20261124_030000_2.bak",
        "selfmx_20261324_030000.bak",
        "selfmx_20261124_240000.bak",
        "selfmx_20261124_030000.bak.bak",
        "selfmx_20261124_030000.bak.part",
        "selfmx_20261124_030000.BAK",
        "a_selfmx_20261124_030000.bak",
        "\uff12_2026112\uff14_030000.bak",
        "",
    ],
)
def test_any_other_name_says_nothing_of_when(file: str) -> None:
    assert dated(file, VIENNA) is None


def test_a_backup_is_called_a_part_until_it_is_proven() -> None:
    assert part_of(BAK) == PART
    (unfinished,) = holds({part_of(BAK): 5}).unfinished
    assert unfinished.file == BAK
