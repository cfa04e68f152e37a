"""Manifests that hypothesis makes up: nothing is lost on the way to the disk and back."""

import json
from datetime import UTC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from selfmx_backupd.adapters.manifest import UnreadableManifest, decode, encode
from selfmx_backupd.model import (
    Backup,
    BackupSet,
    Check,
    Damaged,
    DatabaseFile,
    Durations,
    Going,
    Pin,
    Server,
    Tier,
    Trigger,
    Verified,
)

texts = st.text(max_size=20)
times = st.datetimes(timezones=st.just(UTC))
sizes = st.integers(0, 2**63)
seconds = st.none() | st.floats(0, 1e9)
sets = st.builds(
    BackupSet,
    guid=texts, family_guid=texts, first_lsn=texts, last_lsn=texts, checkpoint_lsn=texts,
    database_backup_lsn=texts, recovery_model=texts, compressed=st.booleans(),
    copy_only=st.booleans(), size_bytes=sizes,
)  # fmt: skip
backups = st.builds(
    Backup,
    file=texts,
    database=texts,
    tiers=st.lists(st.sampled_from(Tier), max_size=5).map(tuple),
    trigger=st.sampled_from(Trigger),
    started_at=times,
    finished_at=times,
    timezone=texts,
    size_bytes=sizes,
    sha256=st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    verified=st.none()
    | st.builds(Verified, at=times, by=st.lists(st.sampled_from(Check)).map(tuple)),
    damaged=st.none() | st.builds(Damaged, at=times, by=texts, reason=texts),
    going=st.none() | st.builds(Going, at=times, reason=texts),
    pin=st.none() | st.builds(Pin, until=st.none() | times, reason=texts),
    server=st.builds(Server, texts, texts, texts),
    backup_set=sets,
    files=st.lists(st.builds(DatabaseFile, texts, texts, texts, sizes), max_size=3).map(tuple),
    duration_s=st.builds(Durations, seconds, seconds, seconds),
    writer=texts,
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
# Our own keys are lower case, so none of these is one.
unknown = st.dictionaries(texts.map(lambda text: f"X-{text}"), json_values, max_size=3)


def refusal(content: bytes) -> str:
    """Why a manifest is refused, or nothing where it is read."""
    try:
        decode(content)
    except UnreadableManifest as error:
        return str(error)
    return ""


laws = settings(max_examples=60, deadline=None)


@laws
@given(backups)
def test_a_backup_comes_back_as_it_was(backup: Backup) -> None:
    assert decode(encode(backup)) == backup


@laws
@given(backups, unknown, unknown, unknown)
def test_unknown_keys_survive_any_number_of_rewrites(
    backup: Backup, top: dict[str, Any], server: dict[str, Any], each_file: dict[str, Any]
) -> None:
    document = json.loads(encode(backup))
    document |= top
    document["server"] |= server
    for file in document["files"]:
        file.update(each_file)
    content = json.dumps(document).encode()
    for _ in range(2):
        content = encode(decode(content))
    assert json.loads(content) == document


@laws
@given(backups, st.data())
def test_a_manifest_with_a_changed_value_is_read_or_refused_in_words(
    backup: Backup, data: st.DataObject
) -> None:
    document = json.loads(encode(backup))
    key = data.draw(st.sampled_from(sorted(document)))
    inner = document[key]
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(json_values)
    else:
        document[key] = data.draw(json_values)
    assert refusal(json.dumps(document).encode()).partition(" manifest ")[0] in ("", "its")


@laws
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    assert refusal(content).startswith("its manifest ")
