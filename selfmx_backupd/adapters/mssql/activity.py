"""Whether the server works on a session's statement, seen from a second connection."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from selfmx_backupd.adapters.mssql import statements
from selfmx_backupd.errors import BackupdError

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


class Activity:
    """The movement of percent_complete, cpu_time and reads of one session.

    The second connection is opened when it is first needed: a backup that talks all the
    time never opens it.

    Attributes:
        percent: What percent_complete was when it was last seen; None where it was not.
    """

    def __init__(self, connect: Callable[[], Session], session_id: int) -> None:
        self._connect = connect
        self._session_id = session_id
        self._session: Session | None = None
        self.percent: int | None = None

    def pulse(self) -> Hashable | None:
        """What changes while the server works; None where our login may not see it."""
        try:
            if self._session is None:
                self._session = self._connect()
            sql = statements.session_activity(self._session_id)
            rows = self._session.rows(sql, "looking at the running statement")
        except BackupdError:
            self.close()
            return None
        if not rows:
            return None
        self.percent = int(rows[0]["percent_complete"])
        return tuple(rows[0].values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the second connection."""
        if self._session is not None:
            self._session.close()
            self._session = None
