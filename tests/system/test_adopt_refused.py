"""What is no backup of ours to take up is left exactly as it is, and its reason said once."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from selfmx_backupd.jobs.adopt import Adoption
from selfmx_backupd.model import Progress
from tests.installation import SERVER_PATH
from tests.system.adopting import AdoptSite, adopt_all, unchanged

NAME, COPY = "selfmx_20260301_030000.bak", "selfmx_20260302_030000.bak"
STAMP = "20260301_030000"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdoptSite]:
    with AdoptSite(tmp_path_factory.mktemp("refused")) as site:
        site.sql("CREATE DATABASE Other", "CREATE DATABASE [Self]")
        yield site


@pytest.fixture
def site(installed: AdoptSite) -> AdoptSite:
    installed.empty()
    return installed


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[AdoptSite], object]
    reason: str
    file: str = NAME


def cut(site: AdoptSite) -> None:
    site.script(STAMP)
    content = site.bak(NAME).read_bytes()
    site.bak(NAME).write_bytes(content[: len(content) // 2])


def flip(site: AdoptSite) -> None:
    site.script(STAMP, options="CHECKSUM")
    content = bytearray(site.bak(NAME).read_bytes())
    content[-1000] ^= 1
    site.bak(NAME).write_bytes(content)


def two_sets(site: AdoptSite) -> None:
    site.script(STAMP)
    site.sql(f"BACKUP DATABASE SelfMX TO DISK = N'{SERVER_PATH}/{NAME}' WITH NOINIT")


def newer(site: AdoptSite) -> None:
    site.restart_server("--fault", "newer")
    site.script(STAMP)
    site.restart_server()


def copy_of_adopted(site: AdoptSite) -> None:
    site.script(STAMP)
    adopt_all(site.world(), Adoption())
    site.copy(NAME, COPY)


def copy_with_manifest(site: AdoptSite) -> None:
    copy_of_adopted(site)
    site.json(COPY).write_bytes(site.json(NAME).read_bytes())


def moved_and_changed(site: AdoptSite) -> None:
    """Of the size that it had, and not what it was; SQL Server sees no difference."""
    copy_of_adopted(site)
    site.bak(NAME).unlink()
    site.change_manifest(NAME, sha256="0" * 64)


CASES = (
    Case("of another database", lambda s: s.script(STAMP, "Other"), "holds a backup of Other, not"),
    Case("of a like name", lambda s: s.script(STAMP, "Self"), "holds a backup of Self, not"),
    Case("of two sets", two_sets, "holds 2 backup sets"),
    Case("of a newer server", newer, "was taken from SQL Server 17.0"),
    Case("cut short", cut, NAME),
    Case("one bit flipped", flip, "error 3189"),
    Case("not a backup", lambda s: s.bak(NAME).write_text("Dear diary\n" * 999), "error 3241"),
    Case("an empty file", lambda s: s.bak(NAME).touch(), "error 3254"),
    Case("a copy", copy_of_adopted, f"{COPY} is a copy of {NAME}", COPY),
    Case("a copy with manifest", copy_with_manifest, f"{COPY} is a copy of {NAME}", COPY),
    Case("moved and changed", moved_and_changed, "has not the SHA-256", COPY),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_left_as_it_is_and_its_reason_is_said_once(
    site: AdoptSite, case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    case.make(site)
    site.age(case.file)
    world, adoption = site.world(), Adoption()
    states = site.states()
    with unchanged(site, *(name for name in site.files())):
        assert adopt_all(world, adoption) == 1
        assert adopt_all(world, adoption) == 0
    said = [line for line in capfd.readouterr().err.splitlines() if "not adopted" in line]
    assert len(said) == 1
    assert said[0].startswith("warning: not adopted, and left as it is: ")
    assert case.reason in said[0]
    assert states[case.file] == "unknown"
    assert site.states() == states
    assert site.outcomes()["jobs"]["verify"]["failures_in_a_row"] == 0


def test_what_was_refused_is_looked_at_again_when_it_has_changed(site: AdoptSite) -> None:
    site.script(STAMP)
    whole = site.bak(NAME).read_bytes()
    site.bak(NAME).write_bytes(whole[:-9])
    site.age(NAME)
    world, adoption = site.world(), Adoption()
    assert adopt_all(world, adoption) == 1
    site.bak(NAME).write_bytes(whole)
    site.age(NAME)
    # Seen to change a moment ago: another two minutes.
    assert adopt_all(world, adoption) == 0
    assert adopt_all(world, Adoption()) == 1
    assert site.states() == {NAME: "verified"}


def test_a_file_that_is_still_being_written_is_left_for_later(site: AdoptSite) -> None:
    site.script(STAMP)
    os.utime(site.bak(NAME))
    assert adopt_all(site.world(), Adoption()) == 0
    assert site.files() == {NAME}


def test_a_file_that_grows_while_it_is_proven_is_neither_adopted_nor_refused(
    site: AdoptSite, capfd: pytest.CaptureFixture[str]
) -> None:
    site.script(STAMP)

    def grow(progress: Progress) -> None:
        if progress.step == "verifying":
            os.utime(site.bak(NAME))

    assert adopt_all(site.world(), Adoption(), grow) == 1
    assert site.files() == {NAME}
    assert "adopted" not in capfd.readouterr().err


def test_whatever_else_is_in_the_directory_is_reported_and_never_touched(site: AdoptSite) -> None:
    site.script(STAMP)
    content = site.bak(NAME).read_bytes()
    others = ("other_20260301_030000.bak", "other_20260301_030000.json", "notes.txt")
    for name in (*others, f"{COPY}.part", COPY):
        site.bak(name).write_bytes(content)
        site.age(name)
    site.bak("selfmx_20260303_030000.bak").mkdir()
    site.bak("selfmx_20260304_030000.bak").symlink_to(site.bak(NAME))
    os.mkfifo(site.bak("selfmx_20260305_030000.bak"))
    site.copy(NAME, "selfmx_20260306_030000.bak")
    site.json("selfmx_20260306_030000.bak").symlink_to(site.bak("notes.txt"))
    before = {path.name for path in site.backups.iterdir()} - {"selfmx.lock"}
    with unchanged(site, NAME, COPY, *others, f"{COPY}.part"):
        assert adopt_all(site.world(), Adoption()) == 1
    assert site.files() == before | {site.json(NAME).name}
    assert site.states() == {
        NAME: "verified", COPY: "unknown", "selfmx_20260306_030000.bak": "unknown"
    }  # fmt: skip
