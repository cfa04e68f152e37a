"""What the tables hold before anybody has used them: rows such as SelfMX keeps."""

import uuid
from datetime import UTC, datetime, timedelta

from tests.standin.database import Table

_NAMESPACE = uuid.UUID("6f0c2a52-8b7c-4f0e-9f5e-2f1f8f6f2f10")
_BEGINNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_DOMAINS = ("mail.example.org", "notify.example.net", "shop.example.com")
_EMAILS = 240
_AUDIT_ENTRIES = 360


def _id(kind: str, number: int) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind} {number}"))


def _at(hours: int) -> str:
    return (_BEGINNING + timedelta(hours=hours)).isoformat()


def _domains() -> Table:
    rows: list[list[object]] = [
        [_id("domain", n), name, "verified", "eu-central-1", _at(n)]
        for n, name in enumerate(_DOMAINS)
    ]
    return Table(("Id", "Name", "Status", "Region", "CreatedAt"), rows)


def _api_keys() -> Table:
    rows: list[list[object]] = [
        [_id("key", n), f"key {n}", f"re_{uuid.uuid5(_NAMESPACE, f'prefix {n}').hex[:8]}", _at(n)]
        for n in range(4)
    ]
    return Table(("Id", "Name", "KeyPrefix", "CreatedAt"), rows)


def _api_key_domains() -> Table:
    rows: list[list[object]] = [[_id("key", n), _id("domain", n % len(_DOMAINS))] for n in range(4)]
    return Table(("ApiKeyId", "DomainId"), rows)


def _revoked_api_keys() -> Table:
    return Table(("Id", "ApiKeyId", "RevokedAt"), [[_id("revoked", 0), _id("key", 9), _at(90)]])


def _sent_emails() -> Table:
    rows: list[list[object]] = [
        [
            _id("email", n),
            f"hello@{_DOMAINS[n % len(_DOMAINS)]}",
            f"reader{n}@example.com",
            f"Message number {n}",
            _at(n),
        ]
        for n in range(_EMAILS)
    ]
    return Table(("Id", "From", "To", "Subject", "SentAt"), rows)


def _audit_logs() -> Table:
    rows: list[list[object]] = [
        [_id("audit", n), "email.send" if n % 3 else "domain.verify", _id("key", n % 4), _at(n)]
        for n in range(_AUDIT_ENTRIES)
    ]
    return Table(("Id", "Action", "ActorId", "At"), rows)


def tables() -> dict[str, Table]:
    """The tables by name."""
    return {
        "Domains": _domains(),
        "ApiKeys": _api_keys(),
        "ApiKeyDomains": _api_key_domains(),
        "RevokedApiKeys": _revoked_api_keys(),
        "SentEmails": _sent_emails(),
        "AuditLogs": _audit_logs(),
    }
