"""The JSON answer of `selfmx-backupd status`: packaging/json-schemas/status.schema.json."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from selfmx_backupd import text
from selfmx_backupd.assessment import Assessment, Daemon, Disk, Situation
from selfmx_backupd.model import Backup, State
from selfmx_backupd.typed import typed

_Document = Mapping[str, Any]


def as_document(assessed: Assessment, zone: ZoneInfo) -> _Document:
    """One document; what is null could not be seen or is not there."""
    seen = assessed.seen
    return {
        "schema": 1,
        "at": seen.now.isoformat(),
        "verdict": assessed.verdict.name.lower(),
        "summary": typed(text.headline(assessed, zone)),
        "findings": [
            {
                "severity": each.severity.name.lower(),
                "cause": each.cause,
                "sentence": typed(each.sentence),
                "hint": typed(each.hint) if each.hint else None,
            }
            for each in assessed.findings
        ],
        "sees_all": seen.sees_all,
        "newest": _backup(seen.newest, seen.now) if seen.newest else None,
        "backups": _counts(seen),
        "families": _families(seen),
        "tiers": _tiers(seen),
        "failures": _failures(seen),
        "running": _running(seen),
        "daemon": _daemon(seen.daemon) if seen.daemon else None,
        "disk": _disk(seen.disk) if seen.disk else None,
        "restore": _restore(seen),
    }


def _backup(backup: Backup, now: datetime) -> _Document:
    return {
        "file": backup.file,
        "started_at": backup.started_at.isoformat(),
        "age_s": max(0, int((now - backup.started_at).total_seconds())),
        "size_bytes": backup.size_bytes,
        "verified_at": _at(backup.verified.at if backup.verified else None),
    }


def _counts(seen: Situation) -> _Document:
    states = [each.state for each in seen.entries]
    counts: dict[str, int] = {state: states.count(state) for state in State}
    return {**counts, "held_back": seen.held_back + seen.unswept}


def _families(seen: Situation) -> list[_Document]:
    newest = {each.backup_set.family_guid: each for each in reversed(seen.verified)}
    return [{"guid": guid, "newest": _backup(each, seen.now)} for guid, each in newest.items()]


def _tiers(seen: Situation) -> list[_Document]:
    due = {each.tier: each.since for each in seen.due} if seen.sees_all else {}
    following = {each.tier: each.at for each in seen.next_runs}
    return [
        {
            "tier": tier,
            "verified": len(backups),
            "newest_at": _at(backups[0].started_at if backups else None),
            "due_since": _at(due.get(tier)),
            "next_at": _at(following.get(tier)),
        }
        for tier, backups in seen.by_tier.items()
    ]


def _failures(seen: Situation) -> list[_Document]:
    return [
        {
            "job": job,
            "in_a_row": outcome.failures_in_a_row,
            "at": error.at.isoformat(),
            "exit_code": error.exit_code,
            "message": typed(error.message),
            "hint": typed(error.hint) if error.hint else None,
        }
        for job, outcome in seen.outcomes.jobs.items()
        if outcome.failures_in_a_row and (error := outcome.last_error)
    ]


def _running(seen: Situation) -> _Document | None:
    mark = seen.running
    if mark is None:
        return None
    return {
        "job": mark.job,
        "what": mark.detail,
        "step": mark.step,
        "started_at": mark.started_at.isoformat(),
        "pid": mark.pid,
    }


def _daemon(daemon: Daemon) -> _Document:
    return {"lives": daemon.lives, "since": _at(daemon.since), "pid": daemon.pid}


def _disk(disk: Disk) -> _Document:
    ahead = disk.outlook
    return {
        "free_bytes": disk.free_bytes,
        "total_bytes": disk.total_bytes,
        "next_backup_bytes": ahead.next_bytes if ahead else None,
        "to_come_bytes": ahead.to_come_bytes if ahead else None,
        "growth_bytes_a_day": ahead.growth_bytes_a_day if ahead else None,
        "known_days": ahead.known_days if ahead else 0,
        "lasts_days": ahead.lasts_days if ahead else None,
    }


def _restore(seen: Situation) -> _Document | None:
    plan = seen.outcomes.restore
    if plan is None:
        return None
    kept = [
        {"name": each.name, "since": each.since.isoformat(), "because": each.because}
        for each in plan.kept
    ]
    return {
        "kind": plan.kind,
        "file": plan.file,
        "database": plan.database,
        "step": plan.step,
        "is_open": plan.is_open,
        "started_at": plan.started_at.isoformat(),
        "ended_at": _at(plan.ended_at),
        "kept": kept,
    }


def _at(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
