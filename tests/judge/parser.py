"""Builds the judge once and asks it."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
# Where `packaging/prepare.sh` puts the wheel.
CACHE = HERE.parents[1] / ".cache" / "judge"

_SOURCES = ("judge.cs", "netstandard.cs", "requirements.txt", "parser.py")
_IN_WHEEL = "mssqlcli/mssqltoolsservice/bin/"
_PARSER = "Microsoft.SqlServer.TransactSql.ScriptDom.dll"
_STANDARD = "netstandard.dll"
# How the public half of .NET Standard's key begins; it is 160 bytes long.
_KEY_BEGINS = bytes.fromhex("00240000048000009400000006020000002400005253413100040000")
_KEY_BYTES = 160
_TIMEOUT_S = 60.0
_FETCH = "packaging/prepare.sh --with-judge"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the parser found in one statement.

    Attributes:
        errors: Each as `46010 at 1:21: Incorrect syntax near ].`; none where it parses.
        statements: The kinds of statements, `BackupDatabaseStatement`.
        names: The values of the delimited identifiers, in order.
        texts: The values of the Unicode literals, in order.
    """

    errors: tuple[str, ...]
    statements: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


Judge = Callable[[Sequence[str]], list[Verdict]]


def missing_because() -> str:
    """Why this machine has no judge, and what to type; empty where it has one."""
    if not (shutil.which("mcs") and shutil.which("mono")):
        return (
            "mono's compiler is missing: "
            f"sudo apt-get install --no-install-recommends mono-mcs && {_FETCH}"
        )
    if not list(CACHE.glob("*.whl")):
        return f"Microsoft's parser was not fetched: {_FETCH}"
    return ""


def judge(statements: Sequence[str]) -> list[Verdict]:
    """A verdict for each statement, in order.

    Raises:
        LookupError: Where `missing_because` has something to say.
    """
    if any("\0" in sql for sql in statements):
        raise ValueError("NUL separates statements and cannot be in one")
    answer = subprocess.run(
        ["mono", str(_built())],  # noqa: S607
        input="\0".join(statements).encode(),
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if answer.returncode:
        raise RuntimeError(f"the judge failed: {answer.stderr.decode(errors='replace')}")
    verdicts = [_read(line) for line in answer.stdout.decode("ascii").splitlines()]
    if len(verdicts) != len(statements):
        raise RuntimeError(f"{len(verdicts)} verdicts for {len(statements)} statements")
    return verdicts


def _read(line: str) -> Verdict:
    found = json.loads(line)
    return Verdict(
        errors=tuple(
            f"{error['number']} at {error['line']}:{error['column']}: {error['message']}"
            for error in found["errors"]
        ),
        statements=tuple(found["statements"]),
        names=tuple(found["names"]),
        texts=tuple(found["texts"]),
    )


def _built() -> Path:
    """The judge's program; built where these sources were not built before."""
    if because := missing_because():
        raise LookupError(because)
    digest = hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in _SOURCES))
    home = CACHE / digest.hexdigest()[:16]
    if not home.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as directory:
            room = Path(directory) / "judge"
            room.mkdir()
            _build(room)
            try:
                room.rename(home)
            except OSError:
                # Another worker was faster; what it built is the same.
                if not home.exists():
                    raise
    return home / "judge.exe"


def _build(room: Path) -> None:
    """Compile into `room`, beside the parser, where mono looks for what a program needs."""
    wheel = max(CACHE.glob("*.whl"))
    pins = (HERE / "requirements.txt").read_text(encoding="utf-8")
    if hashlib.sha256(wheel.read_bytes()).hexdigest() not in pins:
        raise RuntimeError(f"{wheel} is not the pinned wheel: remove it and {_FETCH}")
    with zipfile.ZipFile(wheel) as archive:
        (room / _PARSER).write_bytes(archive.read(_IN_WHEEL + _PARSER))
        standard = archive.read(_IN_WHEEL + _STANDARD)
    # The parser asks for .NET Standard by the token of its public key, so ours must bear that
    # key. mono does not look at the signature, which only Microsoft could give.
    begin = standard.index(_KEY_BEGINS)
    key = room / "key"
    key.write_bytes(standard[begin : begin + _KEY_BYTES])
    _compile(
        *("-target:library", "-nowarn:618", "-delaysign+", f"-keyfile:{key}"),
        *("-r:System.dll,System.Core.dll", f"-out:{room / _STANDARD}"),
        str(HERE / "netstandard.cs"),
    )
    _compile(
        *("-r:System.Core.dll", f"-r:{room / _STANDARD}", f"-r:{room / _PARSER}"),
        *(f"-out:{room / 'judge.exe'}", str(HERE / "judge.cs")),
    )


def _compile(*arguments: str) -> None:
    done = subprocess.run(
        ["mcs", "-warnaserror", *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise RuntimeError(f"mcs failed: {done.stdout}{done.stderr}")
