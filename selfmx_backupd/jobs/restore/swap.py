"""Names change hands: the one short harm of a restore.

All in one session of master that never reconnects: the session that makes a database
single-user keeps its only place until it ends, and then anybody may take it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from selfmx_backupd import log
from selfmx_backupd.adapters.mssql import numbers
from selfmx_backupd.adapters.mssql import restore_statements as statements
from selfmx_backupd.errors import DatabaseInUse, ServerRefused
from selfmx_backupd.events import RESTORE_SESSION_ENDED

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session

# The application is stopped, so those in the way are few; but what they did is rolled back.
_PATIENCE_S = 60.0
_PAUSE_S = 0.2
_MOMENT_S = 0.01


def swap(session: Session, database: str, aside: str, incoming: str) -> None:
    """The live database steps aside, the incoming one gets its name; both or neither.

    Raises:
        BackupdError: Neither, as far as the server still answers.
    """
    with _alone_in(session, database, incoming) as names:
        insist(
            session,
            (database, incoming),
            lambda: session.execute(
                statements.swap(database, aside, incoming),
                f"swapping {database} and {incoming}",
            ),
        )
        names[:] = [database, aside]


def rename(session: Session, database: str, name: str) -> None:
    """Give a database another name."""
    with _alone_in(session, database) as names:
        sql = statements.rename(database, name)
        doing = f"renaming {database} to {name}"
        insist(session, (database,), lambda: session.execute(sql, doing))
        names[:] = [name]


def put_away(session: Session, database: str, state: str) -> None:
    """Drop a database that cannot be renamed, and leave its files where that can be done.

    A database that is OFFLINE when it is dropped leaves its files on the disk. One that is
    RESTORING can be neither set OFFLINE nor used: nothing in it is worth keeping.
    Source: DROP DATABASE (Transact-SQL).
    """
    if state not in ("OFFLINE", "RESTORING"):
        sql = statements.set_offline(database)
        insist(session, (database,), lambda: session.execute(sql, f"closing {database}"))
    drop(session, database)


def drop(session: Session, database: str) -> None:
    """Drop a database, whoever is in it."""
    sql = statements.drop(database)
    insist(session, (database,), lambda: session.execute(sql, f"dropping {database}"))


def make_single_user(session: Session, database: str) -> None:
    """Throw everybody out of a database; its only place is this session's."""
    sql = statements.set_single_user(database)
    insist(session, (database,), lambda: session.execute(sql, f"having {database} alone"))


def make_multi_user(session: Session, database: str) -> None:
    """Let everybody in again."""
    sql = statements.set_multi_user(database)
    insist(session, (database,), lambda: session.execute(sql, f"opening {database} again"))


@contextmanager
def _alone_in(session: Session, *databases: str) -> Iterator[list[str]]:
    """Have databases alone, and open them again whatever happens.

    Yields:
        Their names; whoever renames them meanwhile says what they are called then.
    """
    session.execute(statements.lock_timeout(), "limiting the wait for locks")
    names = list(databases)
    try:
        for each in databases:
            make_single_user(session, each)
        yield names
    except BaseException:
        for each in names:
            with suppress(ServerRefused):  # the failure itself is what counts
                make_multi_user(session, each)
        raise
    for each in names:
        make_multi_user(session, each)


def insist(session: Session, databases: Sequence[str], act: Callable[[], None]) -> None:
    """Do something that nobody else may be in the way of; end those who are, and try again.

    Raises:
        BackupdError: It failed for another reason, or somebody is in the way to the end.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return act()
        except ServerRefused as error:
            if not _is_in_the_way(error) or time.monotonic() > deadline:
                raise
        ended = [_end_sessions(session, each) for each in databases]
        # Who comes back at once would be there again after a pause.
        time.sleep(_MOMENT_S if any(ended) else _PAUSE_S)


def _is_in_the_way(error: ServerRefused) -> bool:
    """Whether somebody else is the reason.

    THROW says only the last of several errors again, and of a failed ALTER DATABASE that is
    5069, which tells no reason.
    """
    also = (numbers.ALTER_FAILED, numbers.DATABASE_HELD)
    return isinstance(error, DatabaseInUse) or error.number in also


def _end_sessions(session: Session, database: str) -> bool:
    """End everybody who is in a database; return whether there was somebody."""
    doing = f"looking who is in {database}"
    seen = set()
    for row in session.rows(statements.sessions_in(database), doing):
        number = int(row["session_id"])
        if number in seen:
            continue
        seen.add(number)
        log.emit(
            RESTORE_SESSION_ENDED,
            session_id=number,
            login=row["login_name"],
            program=row["program_name"],
            database=database,
        )
        with suppress(DatabaseInUse, ServerRefused):  # it has ended meanwhile
            session.execute(statements.kill(number), f"ending session {number}")
    return bool(seen)
