"""The command line of the stand-in."""

import argparse
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.standin import faults

DEFAULT_DATABASE = "SelfMX"
DEFAULT_FREE = 100 * 2**30
DEFAULT_PASSWORD = "Stand-in-1!"


class Right(StrEnum):
    """What `--login` may grant; `sa` may do everything."""

    BACKUP = "backup"
    CREATE_DATABASE = "createdb"
    VIEW_STATE = "viewstate"
    ALTER_ANY_DATABASE = "alterdb"
    ALTER_ANY_CONNECTION = "kill"
    DB_CREATOR = "dbcreator"


# What membership of the fixed server role dbcreator brings (docs).
_OF_DB_CREATOR = frozenset({Right.CREATE_DATABASE, Right.ALTER_ANY_DATABASE})


class Edition(StrEnum):
    """What SERVERPROPERTY('Edition') and its siblings say."""

    DEVELOPER = "developer"
    EXPRESS = "express"


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may connect; `rights` None is a sysadmin."""

    name: str
    password: str
    rights: frozenset[Right] | None

    def may(self, right: Right) -> bool:
        """Whether the login has that right."""
        if self.rights is None or right in self.rights:
            return True
        return Right.DB_CREATOR in self.rights and right in _OF_DB_CREATOR

    @property
    def is_sysadmin(self) -> bool:
        """Whether every door is open."""
        return self.rights is None


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory of the host, and the server's name for it."""

    server_path: str
    host_path: Path


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that the command line says."""

    port: int
    data: Path
    mounts: tuple[Mount, ...]
    databases: tuple[str, ...]
    logins: tuple[Login, ...]
    edition: Edition
    size_mib: int
    rate_mib_s: float | None
    volume_free_bytes: int
    sql_log: Path | None
    faults: tuple[faults.Fault, ...]


def _mount(text: str) -> Mount:
    server_path, separator, host_path = text.partition("=")
    if not separator or not server_path.startswith("/") or not host_path:
        raise argparse.ArgumentTypeError(f"{text!r} is not SERVER_PATH=HOST_PATH")
    return Mount(posixpath.normpath(server_path), Path(host_path).resolve())


def _login(text: str) -> Login:
    """NAME:PASSWORD:RIGHTS; the password may hold colons."""
    name, _, rest = text.partition(":")
    password, separator, rights = rest.rpartition(":")
    if not name or not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:PASSWORD:RIGHTS")
    try:
        granted = frozenset(Right(word) for word in rights.split(",") if word not in {"", "none"})
    except ValueError as error:
        known = ", ".join([*Right, "none"])
        raise argparse.ArgumentTypeError(f"{error}; there are {known}") from error
    return Login(name, password, granted)


def _fault(text: str) -> faults.Fault:
    try:
        return faults.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _fault_help() -> str:
    lines = ["faults (NAME[:ARG][@TIMES]; with @TIMES only the first so many times):"]
    for name, kind in faults.KINDS.items():
        spelled = f"{name}:{kind.argument}" if kind.argument else name
        lines.append(f"  {spelled:<20} {kind.effect}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.standin",
        description="A stand-in for SQL Server, for demo and tests, on the loopback only.",
        epilog=_fault_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    add("--data", type=Path, required=True, help="where its databases live between starts")
    add("--mount", type=_mount, action="append", default=[], metavar="SERVER_PATH=HOST_PATH")
    add("--database", action="append", default=[], metavar="NAME", help="default: SelfMX")
    add("--sa-password", default=DEFAULT_PASSWORD, metavar="TEXT")
    add("--login", type=_login, action="append", default=[], metavar="NAME:PASSWORD:RIGHTS")
    add("--edition", type=Edition, choices=list(Edition), default=Edition.DEVELOPER)
    add("--size", type=int, default=0, metavar="MIB", help="data besides the tables")
    add("--rate", type=float, metavar="MIB_PER_S", help="pace of BACKUP, RESTORE and CHECKDB")
    add("--volume-free", type=int, default=DEFAULT_FREE, metavar="BYTES", help="for data files")
    add("--sql-log", type=Path, metavar="FILE", help="one JSON line for every batch")
    add("--fault", type=_fault, action="append", default=[], metavar="NAME[:ARG][@TIMES]")
    return parser


def parse(arguments: Sequence[str]) -> Options:
    """The command line's values; exits 2 with a message where they make no sense."""
    given = _parser().parse_args(arguments)
    return Options(
        port=given.port,
        data=given.data,
        mounts=tuple(given.mount),
        databases=tuple(given.database) or (DEFAULT_DATABASE,),
        logins=(Login("sa", given.sa_password, None), *given.login),
        edition=given.edition,
        size_mib=given.size,
        rate_mib_s=given.rate,
        volume_free_bytes=given.volume_free,
        sql_log=given.sql_log,
        faults=tuple(given.fault),
    )
