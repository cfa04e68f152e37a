"""How a backup stands: the words, and the JSON, that several commands print."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from selfmx_backupd import text
from selfmx_backupd.adapters import manifest
from selfmx_backupd.jobs.pins import Standing
from selfmx_backupd.model import Decision, Entry, Pin, State


def document(entry: Entry, decision: Decision) -> dict[str, Any]:
    """A backup in JSON: its manifest, `state`, why it stays or goes, and when it may go."""
    known = manifest.as_document(entry.backup) if entry.backup else {"file": entry.file}
    return {
        **known,
        "state": entry.state,
        "reason": entry.reason,
        "keeps": list(decision.keeps),
        "goes": list(decision.goes),
        "goes_at": decision.goes_at.isoformat() if decision.goes_at else None,
    }


def stays(entry: Entry, decision: Decision) -> str:
    """Why it stays; or why it may go."""
    if entry.state is not State.VERIFIED and decision.keeps:
        # The state, which stands first among the reasons, has a column of its own.
        return "; ".join((entry.reason, *decision.keeps[1:]))
    return "; ".join(decision.keeps) or f"may go: {'; '.join(decision.goes)}"


def may_go(decision: Decision, zone: ZoneInfo, now: datetime) -> str:
    """When it may go: a local date, `now`, or `-` where time alone does not decide."""
    if decision.goes_at is None:
        return "next sweep" if decision.held_back else "-"
    return "now" if decision.goes_at <= now else text.local_date(decision.goes_at, zone)


def pinned(pin: Pin, zone: ZoneInfo) -> str:
    """`pinned until 2027-03-01 23:59 CET (before the upgrade)`."""
    until = text.local(pin.until, zone) if pin.until else None
    why = f" ({pin.reason})" if pin.reason else ""
    return f"pinned {f'until {until}' if until else 'for ever'}{why}"


def sentence(backup: Standing, zone: ZoneInfo, now: datetime) -> str:
    """Why it stays, and when it may go."""
    decision = backup.decision
    if not decision.keep:
        return f"it may go now: {'; '.join(decision.goes)}"
    goes = may_go(decision, zone, now)
    when = {"-": "no date on which it may go", "next sweep": "it may go at the next sweep"}
    said = when.get(goes, f"it may go on {goes}")
    return f"it is {backup.entry.state} and stays: {stays(backup.entry, decision)}; {said}"
