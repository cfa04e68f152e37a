"""The manifest beside each backup: JSON to `Backup` and back, without touching a disk.

Schema 1. Unknown keys survive a rewrite; a newer schema is refused, because a rewrite
by this version could lose what it does not understand.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

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

SCHEMA = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")

# Nothing beyond what is known; None is a value of its own, null.
_NOTHING = object()

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class UnreadableManifest(ValueError):
    """The content is no manifest of a schema that this version knows."""


def encode(backup: Backup) -> bytes:
    """A manifest's content, UTF-8 JSON with one key a line.

    A name in SQL Server may hold half of a surrogate pair, which UTF-8 cannot; what Python
    makes of it is JSON's own escape.
    """
    document = json.dumps(as_document(backup), indent=2, ensure_ascii=False)
    return (document + "\n").encode(errors="backslashreplace")


@lru_cache(maxsize=256)
def decode(content: bytes) -> Backup:
    """Read a manifest's content; the same bytes, which come at every wake-up, only once.

    Raises:
        UnreadableManifest: With a sentence about what is wrong.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UnreadableManifest("its manifest is not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableManifest("its manifest is not a JSON object")
    schema = document.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise UnreadableManifest(f"its manifest has schema {schema}, this version knows {SCHEMA}")
    if schema != SCHEMA:
        raise UnreadableManifest("its manifest has no schema that is known")
    try:
        return _from_document(document)
    except KeyError as error:
        raise UnreadableManifest(f"its manifest lacks {error.args[0]}") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreadableManifest(f"its manifest cannot be read: {error}") from None


def as_document(backup: Backup) -> dict[str, Any]:
    """The JSON document of a backup: what the manifest and `list --json` hold."""
    document: dict[str, Any] = _merged(_known_document(backup), backup.extra)
    return document


def _known_document(backup: Backup) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "file": backup.file,
        "database": backup.database,
        "tiers": list(backup.tiers),
        "trigger": backup.trigger,
        "started_at": _instant(backup.started_at),
        "finished_at": _instant(backup.finished_at),
        "timezone": backup.timezone,
        "size_bytes": backup.size_bytes,
        "sha256": backup.sha256,
        "verified": _maybe(backup.verified, lambda it: {"at": _instant(it.at), "by": list(it.by)}),
        "damaged": _maybe(
            backup.damaged, lambda it: {"at": _instant(it.at), "by": it.by, "reason": it.reason}
        ),
        "going": _maybe(backup.going, lambda it: {"at": _instant(it.at), "reason": it.reason}),
        "pin": _maybe(
            backup.pin,
            lambda it: {"until": _maybe(it.until, _instant), "reason": it.reason},
        ),
        "server": _slots(backup.server),
        "backup_set": _slots(backup.backup_set),
        "files": [_slots(file) for file in backup.files],
        "duration_s": _slots(backup.duration_s),
        "writer": backup.writer,
    }


def _from_document(document: Mapping[str, Any]) -> Backup:
    backup = Backup(
        file=str(document["file"]),
        database=str(document["database"]),
        tiers=tuple(Tier(tier) for tier in document["tiers"]),
        trigger=Trigger(document["trigger"]),
        started_at=_utc(document["started_at"]),
        finished_at=_utc(document["finished_at"]),
        timezone=str(document["timezone"]),
        size_bytes=int(document["size_bytes"]),
        sha256=_maybe(document["sha256"], _sha256),
        verified=_maybe(
            document["verified"],
            lambda it: Verified(at=_utc(it["at"]), by=tuple(Check(by) for by in it["by"])),
        ),
        damaged=_maybe(
            document["damaged"],
            lambda it: Damaged(at=_utc(it["at"]), by=it["by"], reason=it["reason"]),
        ),
        going=_maybe(document["going"], lambda it: Going(at=_utc(it["at"]), reason=it["reason"])),
        pin=_maybe(
            document["pin"],
            lambda it: Pin(until=_maybe(it["until"], _utc), reason=it["reason"]),
        ),
        server=_of_slots(Server, document["server"]),
        backup_set=_of_slots(BackupSet, document["backup_set"]),
        files=tuple(_of_slots(DatabaseFile, file) for file in document["files"]),
        duration_s=_of_slots(Durations, document["duration_s"]),
        writer=str(document["writer"]),
    )
    beyond = _beyond(document, _known_document(backup))
    return replace(backup, extra=MappingProxyType({} if beyond is _NOTHING else beyond))


def _beyond(document: Any, known: Any) -> Any:  # noqa: ANN401  # JSON is any of six types
    """What a document holds beyond the known one, in the same shape, or _NOTHING."""
    if isinstance(document, Mapping) and isinstance(known, Mapping):
        rest = {
            key: value if key not in known else _beyond(value, known[key])
            for key, value in document.items()
        }
        return {key: value for key, value in rest.items() if value is not _NOTHING} or _NOTHING
    if isinstance(document, list) and isinstance(known, list):
        items = [_beyond(item, own) for item, own in zip(document, known, strict=True)]
        return items if any(item is not _NOTHING for item in items) else _NOTHING
    return _NOTHING


def _merged(known: Any, beyond: Any) -> Any:  # noqa: ANN401  # JSON is any of six types
    """The known document with what an older reading found beyond it."""
    if isinstance(known, dict) and isinstance(beyond, Mapping):
        both = {key: _merged(value, beyond.get(key, _NOTHING)) for key, value in known.items()}
        return both | {key: value for key, value in beyond.items() if key not in known}
    if isinstance(known, list) and isinstance(beyond, list) and len(known) == len(beyond):
        return [_merged(item, more) for item, more in zip(known, beyond, strict=True)]
    return known


def _maybe(value: _Given | None, convert: Callable[[_Given], _Made]) -> _Made | None:
    return None if value is None else convert(value)


def _slots(value: Server | BackupSet | DatabaseFile | Durations) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _of_slots(kind: Callable[..., _Made], document: Mapping[str, Any]) -> _Made:
    values = {}
    for name, wanted in get_type_hints(kind).items():
        values[name] = document[name]
        if not isinstance(values[name], wanted):
            raise TypeError(f"{name} is {values[name]!r}")
    return kind(**values)


def _sha256(written: str) -> str:
    if not _SHA256.fullmatch(written):
        raise ValueError("sha256 is no sum of 64 hexadecimal digits")
    return written


def _instant(at: datetime) -> str:
    return at.isoformat()


def _utc(written: str) -> datetime:
    at = datetime.fromisoformat(written)
    if at.tzinfo is None:
        raise ValueError(f"{written} has no offset")
    return at.astimezone(UTC)
