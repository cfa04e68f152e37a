import re
from itertools import combinations

import pytest

from selfmx_backupd.adapters.mssql import statements
from selfmx_backupd.model import Tier, Trigger
from tests.build import utc

AT = utc("2026-11-24 03:00")
AWKWARD = (
    ("SelfMX", "[SelfMX]", "N'SelfMX'"),
    ("a]b", "[a]]b]", "N'a]b'"),
    ("o'neil", "[o'neil]", "N'o''neil'"),
    ("a]]'';--", "[a]]]];--]".replace("];", "]'';", 1), "N'a]]'''';--'"),
    ("Größe 数据 🙂", "[Größe 数据 🙂]", "N'Größe 数据 🙂'"),
    ("x" * 128, f"[{'x' * 128}]", f"N'{'x' * 128}'"),
    ("a\nb", "[a\nb]", "N'a\nb'"),
)


@pytest.mark.parametrize(("name", "as_name", "as_text"), AWKWARD)
def test_awkward_names_are_quoted(name: str, as_name: str, as_text: str) -> None:
    assert statements.quote_name(name) == as_name
    assert statements.quote_text(name) == as_text


@pytest.mark.parametrize(("name", "as_name", "as_text"), AWKWARD)
def test_no_value_leaves_its_quotes(name: str, as_name: str, as_text: str) -> None:
    backup = statements.backup_database(name, name, name=name, description=name, compression=None)
    assert backup == (
        f"BACKUP DATABASE {as_name} TO DISK = {as_text} "
        f"WITH COPY_ONLY, FORMAT, CHECKSUM, NAME = {as_text}, DESCRIPTION = {as_text}, STATS = 1"
    )
    for make in (statements.header_only, statements.file_list_only, statements.verify_only):
        assert f" FROM DISK = {as_text}" in make(name)
    assert statements.database_facts(name).endswith(f"WHERE d.name = {as_text}")
    assert statements.running_backups(name).endswith(f"s.program_name = {as_text}")


@pytest.mark.parametrize(
    ("compression", "words"),
    [
        (True, "CHECKSUM, COMPRESSION, NAME"),
        (False, "CHECKSUM, NO_COMPRESSION, NAME"),
        (None, "CHECKSUM, NAME"),
    ],
)
def test_compression_is_asked_for_refused_or_left_to_the_server(
    compression: bool | None,  # noqa: FBT001  # three values are what it has
    words: str,
) -> None:
    sql = statements.backup_database("D", "/d", name="n", description="d", compression=compression)
    assert words in sql


def test_a_verification_reads_checksums_unless_there_are_none() -> None:
    assert statements.verify_only("/x") == (
        "RESTORE VERIFYONLY FROM DISK = N'/x' WITH CHECKSUM, STATS = 1"
    )
    assert statements.verify_only("/x", checksum=False) == (
        "RESTORE VERIFYONLY FROM DISK = N'/x' WITH STATS = 1"
    )


@pytest.mark.parametrize("trigger", Trigger)
def test_every_description_fits_and_can_be_read_again(trigger: Trigger) -> None:
    for count in range(1, len(Tier) + 1):
        for tiers in combinations(Tier, count):
            text = statements.describe(tiers, trigger, AT)
            assert len(text) < statements.DESCRIPTION_LIMIT_CHARS
            assert text.isascii()
            found = re.fullmatch(r"selfmx-backupd: tiers=(\S+) trigger=(\S+) started=(\S+)", text)
            assert found is not None
            assert found.groups() == (",".join(tiers), trigger, "2026-11-24T03:00:00+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nightly",
        "selfmx-backupd",
        "selfmx-backupd: tiers= trigger=schedule started=2026-11-24T03:00:00+00:00",
        "selfmx-backupd: tiers=hourly trigger=schedule started=2026-11-24T03:00:00+00:00",
        "selfmx-backupd: tiers=daily trigger=schedule started=2026-11-24T03:00:00",
        "selfmx-backupd: tiers=daily trigger=schedule started=yesterday",
        "selfmx-backupd: tiers=daily trigger=schedule",
        "a selfmx-backupd: tiers=daily trigger=schedule started=2026-11-24T03:00:00+00:00",
        "selfmx-backupd: tiers=daily trigger=schedule started=2026-11-24T03:00:00+00:00\nx",
    ],
)
def test_a_description_that_is_not_ours_tells_nothing(text: str) -> None:
    assert statements.parse_description(text) is None


def test_what_a_later_version_adds_to_a_description_is_passed_over() -> None:
    text = "selfmx-backupd: tiers=yearly,monthly trigger=new started=2026-11-24T05:00:00+02:00 a=b"
    assert statements.parse_description(text) == statements.Description((Tier.MONTHLY,), AT)


def test_the_limit_of_a_description_is_the_servers() -> None:
    assert statements.DESCRIPTION_LIMIT_CHARS == 255


def test_a_session_is_looked_at_by_its_number_alone() -> None:
    assert statements.session_activity(57).endswith("WHERE session_id = 57")
    with pytest.raises(ValueError, match="format code"):
        statements.session_activity("57 OR 1=1")  # type: ignore[arg-type]  # on purpose


def test_every_fact_is_a_named_column() -> None:
    names = re.findall(r" AS (\w+)(?=,| FROM|$)", statements.server_facts())
    assert names == [
        "product_version", "edition", "engine_edition", "edition_id", "server_name",
        "session_id", "sees_all",
    ]  # fmt: skip
