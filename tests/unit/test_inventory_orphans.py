import pytest

from selfmx_backupd.model import Backup
from tests.build import backup
from tests.unit.test_inventory import AT, BAK, JSON, NOW, PART, holds


@pytest.mark.parametrize("about", [None, backup(NOW)])
def test_a_file_of_which_no_manifest_speaks_is_an_orphan(about: Backup | None) -> None:
    (entry,) = holds({BAK: 8192}, {} if about is None else {JSON: about}).entries
    assert (entry.is_orphan, entry.claims, entry.backup) == (True, about, None)


@pytest.mark.parametrize(
    "about", [backup(AT), backup(AT, verified=False), backup(AT, damaged=True), "schema 2"]
)
def test_a_file_with_a_manifest_of_its_own_is_no_orphan_even_where_it_cannot_be_read(
    about: Backup | str,
) -> None:
    (entry,) = holds({BAK: 8192}, {JSON: about}).entries
    assert (entry.is_orphan, entry.claims) == (False, None)


@pytest.mark.parametrize("about", [backup(AT), "its manifest is not JSON", backup(NOW)])
def test_a_missing_backup_is_no_orphan(about: Backup | str) -> None:
    (entry,) = holds({}, {JSON: about}).entries
    assert not entry.is_orphan


@pytest.mark.parametrize("name", [PART, JSON])
def test_where_a_manifest_would_do_harm_a_file_is_no_orphan_and_says_why(name: str) -> None:
    """Beside a `.part` it would call that complete; a link or a folder is somebody else's."""
    inventory = holds({BAK: 8192}, others=(name,))
    (entry,) = inventory.entries
    assert not entry.is_orphan
    assert entry.reason == f"it has no manifest: {name} is in the way of one"
    assert inventory.strangers == (name,)


def test_a_part_beside_a_file_without_manifest_is_in_the_way_of_one() -> None:
    inventory = holds({BAK: 8192, PART: 5})
    assert [entry.is_orphan for entry in inventory.entries] == [False]
    assert inventory.strangers == (PART,)
    assert inventory.unfinished == ()
