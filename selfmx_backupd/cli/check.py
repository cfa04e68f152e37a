"""`selfmx-backupd check`: what would spoil a backup or a restore, before it does.

Its exit code is a monitoring plug-in's, and so is its first line.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from selfmx_backupd import log, text
from selfmx_backupd.assessment import Severity
from selfmx_backupd.config import load
from selfmx_backupd.jobs.check.check import check
from selfmx_backupd.policy import traps
from selfmx_backupd.policy.traps import Check
from selfmx_backupd.typed import typed
from selfmx_backupd.wiring import world_of


def main(arguments: argparse.Namespace) -> int:
    """Look, print, and exit with the verdict."""
    log.set_up(quiet=True)
    world = world_of(load(arguments.config))
    checks = list(check(world))
    if arguments.json:
        print(json.dumps(as_document(checks, world.now()), indent=2, ensure_ascii=False))
    else:
        print(typed(as_text(checks)))
    return int(traps.verdict(checks))


def as_text(checks: Sequence[Check]) -> str:
    """The plug-in's line, each trap with the way out, and what is well."""
    blocks = [[_headline(checks)], list(_traps(checks)), [_well(checks)]]
    return "\n\n".join("\n".join(block) for block in blocks if any(block))


def as_document(checks: Sequence[Check], at: datetime) -> dict[str, Any]:
    """packaging/json-schemas/check.schema.json describes it."""
    return {
        "schema": 1,
        "at": at.isoformat(),
        "verdict": traps.verdict(checks).name.lower(),
        "summary": typed(_headline(checks)),
        "checks": [
            {
                "subject": each.subject,
                "severity": each.severity.name.lower(),
                "sentence": typed(each.sentence),
                "hint": typed(each.hint) if each.hint else None,
            }
            for each in checks
        ],
    }


def _headline(checks: Sequence[Check]) -> str:
    """`WARNING - transaction log: ...; and 1 more`, or `OK - 20 things ...`."""
    worst = _worst_first(checks)
    name = traps.verdict(checks).name
    if not worst:
        return f"{name} - {text.count(len(checks), 'thing')} looked at, nothing is wrong"
    more = f"; and {len(worst) - 1} more" if len(worst) > 1 else ""
    return f"{name} - {worst[0].subject.words}: {worst[0].sentence}{more}"


def _traps(checks: Sequence[Check]) -> Iterator[str]:
    for each in _worst_first(checks):
        yield f"{each.severity.name.lower()}: {each.subject.words}: {each.sentence}"
        if each.hint:
            yield f"  {each.hint}"


def _well(checks: Sequence[Check]) -> str:
    fine = [each for each in checks if each.severity is Severity.OK]
    return text.table(
        ("WELL", "WHAT WAS SEEN"), [(each.subject.words, each.sentence) for each in fine]
    )


def _worst_first(checks: Sequence[Check]) -> list[Check]:
    found = [each for each in checks if each.severity is not Severity.OK]
    return sorted(found, key=lambda each: -each.severity.rank)
