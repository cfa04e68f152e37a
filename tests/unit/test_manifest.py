import json
from dataclasses import replace
from typing import Any

import pytest

from selfmx_backupd.adapters.manifest import UnreadableManifest, decode, encode
from selfmx_backupd.model import (
    Backup,
    Check,
    Damaged,
    DatabaseFile,
    Durations,
    Going,
    Pin,
    Tier,
    Verified,
)
from tests.build import backup, utc

AT = utc("2026-11-24 03:00")


def full() -> Backup:
    """A backup in which nothing is left out."""
    return replace(
        backup(AT, (Tier.DAILY, Tier.MONTHLY)),
        verified=Verified(at=AT, by=(Check.CHECKSUM, Check.HEADER)),
        damaged=Damaged(at=AT, by="verify", reason="Prüfsumme"),
        going=Going(at=AT, reason="left daily"),
        pin=Pin(until=AT, reason="audit"),
        files=(DatabaseFile("SelfMX", "D", "/var/opt/mssql/data/SelfMX.mdf", 1),),
        duration_s=Durations(1.5, 2.5, 4.0),
    )


def document(of: Backup | None = None) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(encode(of or full()))
    return parsed


def reading(changed: object) -> str:
    with pytest.raises(UnreadableManifest) as caught:
        decode(json.dumps(changed).encode())
    return str(caught.value)


def test_the_document_has_exactly_these_keys_in_this_order() -> None:
    written = document()
    assert list(written) == [
        "schema", "file", "database", "tiers", "trigger", "started_at", "finished_at",
        "timezone", "size_bytes", "sha256", "verified", "damaged", "going", "pin", "server",
        "backup_set", "files", "duration_s", "writer",
    ]  # fmt: skip
    inner = {key: list(value) for key, value in written.items() if isinstance(value, dict)}
    assert inner == {
        "verified": ["at", "by"],
        "damaged": ["at", "by", "reason"],
        "going": ["at", "reason"],
        "pin": ["until", "reason"],
        "server": ["name", "version", "edition"],
        "backup_set": [
            "guid", "family_guid", "first_lsn", "last_lsn", "checkpoint_lsn",
            "database_backup_lsn", "recovery_model", "compressed", "copy_only", "size_bytes",
        ],
        "duration_s": ["backup", "verify", "total"],
    }  # fmt: skip
    assert list(written["files"][0]) == ["logical_name", "type", "physical_name", "size_bytes"]


def test_the_document_has_these_values() -> None:
    written = document()
    assert written["schema"] == 1
    assert written["tiers"] == ["daily", "monthly"]
    assert written["trigger"] == "schedule"
    assert written["started_at"] == "2026-11-24T03:00:00+00:00"
    assert written["verified"] == {"at": "2026-11-24T03:00:00+00:00", "by": ["checksum", "header"]}
    assert written["backup_set"]["first_lsn"] == "37000000042400001"


def test_what_is_not_there_is_null() -> None:
    written = document(backup(AT, verified=False))
    empty = {key for key, value in written.items() if value is None}
    assert empty == {"verified", "damaged", "going", "pin"}


def test_it_is_utf8_with_one_key_a_line() -> None:
    content = encode(full())
    assert "Prüfsumme".encode() in content
    assert content.endswith(b"\n}\n")
    assert b'\n  "database": "SelfMX",\n' in content


def test_half_a_surrogate_pair_survives() -> None:
    backup = replace(full(), database="a\ud800b")
    assert decode(encode(backup)).database == "a\ud800b"


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("backup_set", "family_guid", ["a"]),
        ("backup_set", "size_bytes", "7"),
        ("server", "name", None),
        ("duration_s", "total", "long"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_by_its_name(
    section: str, key: str, value: object
) -> None:
    written = document()
    written[section][key] = value
    with pytest.raises(UnreadableManifest, match=f"{key} is "):
        decode(json.dumps(written).encode())


@pytest.mark.parametrize("sha256", ["", "0" * 63, "G" * 64, 7])
def test_a_sum_that_is_none_is_refused_and_not_taken_for_damage(sha256: object) -> None:
    written = document() | {"sha256": sha256}
    with pytest.raises(UnreadableManifest):
        decode(json.dumps(written).encode())


def test_unknown_keys_survive_a_rewrite_wherever_they_are() -> None:
    written = document()
    written["offsite"] = {"at": "x"}
    written["nothing"] = None
    written["verified"]["host"] = "a"
    written["pin"]["by"] = None
    written["server"]["cu"] = 14
    written["backup_set"]["media"] = [1, {"a": None}]
    written["files"][0]["filegroup"] = "PRIMARY"
    once = decode(json.dumps(written).encode())
    assert document(once) == written
    later = replace(once, going=None, pin=Pin(until=None, reason="new"))
    rewritten = document(later)
    assert rewritten["nothing"] is None
    assert "nothing" in rewritten
    assert rewritten["files"] == written["files"]
    assert rewritten["going"] is None


def test_a_known_key_is_not_kept_as_unknown() -> None:
    assert decode(encode(full())).extra == {}
    assert decode(encode(full())) == full()


def test_times_of_another_offset_are_taken_to_utc() -> None:
    written = document()
    written["started_at"] = "2026-11-24T04:00:00+01:00"
    assert decode(json.dumps(written).encode()).started_at == AT


def test_a_newer_schema_is_refused() -> None:
    assert reading({**document(), "schema": 2}) == "its manifest has schema 2, this version knows 1"


@pytest.mark.parametrize("schema", [None, 0, "1", -1])
def test_an_unknown_schema_is_refused(schema: object) -> None:
    assert reading({**document(), "schema": schema}) == "its manifest has no schema that is known"


@pytest.mark.parametrize("key", sorted(document().keys() - {"schema"}))
def test_a_missing_key_is_named(key: str) -> None:
    written = document()
    del written[key]
    assert reading(written) == f"its manifest lacks {key}"


@pytest.mark.parametrize(
    ("section", "key"), [("pin", "until"), ("server", "edition"), ("backup_set", "guid")]
)
def test_a_missing_inner_key_is_named(section: str, key: str) -> None:
    written = document()
    del written[section][key]
    assert reading(written) == f"its manifest lacks {key}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("started_at", "2026-11-24T03:00:00"),
        ("finished_at", "yesterday"),
        ("finished_at", "0001-01-01T00:00:00+14:00"),
        ("started_at", 5),
        ("tiers", ["hourly"]),
        ("tiers", None),
        ("trigger", "whim"),
        ("size_bytes", "many"),
        ("size_bytes", float("inf")),
        ("verified", {"at": "2026-11-24T03:00:00", "by": []}),
        ("verified", True),
        ("files", [5]),
        ("server", "sql1"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(key: str, value: object) -> None:
    assert reading({**document(), key: value}).startswith("its manifest cannot be read: ")


def test_a_time_without_an_offset_is_named() -> None:
    said = reading({**document(), "started_at": "2026-11-24T03:00:00"})
    assert said == "its manifest cannot be read: 2026-11-24T03:00:00 has no offset"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"\x00" * 512, b"[" * 100_000, b'{"schema": 1,}']
)
def test_what_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableManifest, match="its manifest is not JSON"):
        decode(content)


@pytest.mark.parametrize("content", [b"[]", b"null", b"1", b'"a"'])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableManifest, match="its manifest is not a JSON object"):
        decode(content)
