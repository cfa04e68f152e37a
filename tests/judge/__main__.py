"""`python -m tests.judge DIRECTORY`: every statement that the product sent, out of its logs.

The logs are those of the stand-ins, see `SQL_LOGS` in `tests/standin/process.py`.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.judge import parser

# How the product's sessions are called; tests' own sessions have other names.
_PROGRAM = "selfmx-backupd/"
# What FreeTDS asks by itself.
_DRIVERS_OWN = "sp_datatype_info"


def main(arguments: Sequence[str]) -> int:
    """Say how much was judged; 1 where a statement does not parse, or there is none."""
    commands = argparse.ArgumentParser(prog="python -m tests.judge", description=__doc__)
    commands.add_argument("directory", type=Path, metavar="DIRECTORY")
    logs = sorted(commands.parse_args(arguments).directory.glob("*.log"))
    batches = [sql for log in logs for sql in _batches(log)]
    if not batches:
        print(f"no batch of the product in {len(logs)} logs: nothing was judged")
        return 1
    if because := parser.missing_because():
        print(f"not judged: {because}")
        return 1 if os.environ.get("CI") == "true" else 0
    statements = list(dict.fromkeys(batches))
    is_good = _judge(statements)
    print(
        f"{len(statements)} distinct statements judged, {len(batches)} batches in {len(logs)} logs"
    )
    return 0 if is_good else 1


def _batches(log: Path) -> Iterator[str]:
    """What the product sent to one stand-in."""
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        sql = str(entry["sql"])
        is_ours = str(entry["program"]).startswith(_PROGRAM)
        if is_ours and not sql.startswith(_DRIVERS_OWN):
            yield sql


def _judge(statements: Sequence[str]) -> bool:
    """Print each that does not parse, and why; whether all of them do."""
    bad = [
        (sql, verdict.errors)
        for sql, verdict in zip(statements, parser.judge(statements), strict=True)
        if verdict.errors
    ]
    for sql, errors in bad:
        print("does not parse:", sql, *(f"    {error}" for error in errors), sep="\n")
    return not bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
