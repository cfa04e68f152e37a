"""SQL Server as it runs in its container: as another user, with files of its own."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.machine.machine import Machine
from tests.machine.readme import CLONE, PASSWORD
from tests.machine.roots import STAND_IN_PYTHON
from tests.standin.process import StandIn

UID = 10001


class SqlServer(StandIn):
    """The stand-in among a machine's files; it outlives the machine's systemd, as a neighbour."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        backups = machine.path("/data/selfmx/backups")
        super().__init__(machine.path("/srv/sqlserver"), backups, args=_login(PASSWORD))
        self.sql_log = self.data_dir / "sql.log"

    def renew(self, *args: str, password: str = PASSWORD) -> None:
        """End it, and start another one with these arguments, whose database is new."""
        self.stop()
        shutil.rmtree(self.data_dir)
        self.args = (*_login(password), *args)
        self.start()

    def _make_places(self) -> None:
        super()._make_places()
        os.chown(self.data_dir, UID, UID)

    def _python(self) -> Sequence[str]:
        # Only the files are the machine's: a process of its own there would not hear SIGTERM.
        account = (f"--reuid={UID}", f"--regid={UID}", "--clear-groups")
        python = ("env", f"PYTHONPATH={CLONE}", STAND_IN_PYTHON)
        return (*self._machine.enter("--mount"), "setpriv", *account, *python)

    def _seen(self, path: Path) -> str:
        return f"/{path.relative_to(self._machine.root)}"


def _login(password: str) -> tuple[str, str]:
    """What step 4 of README.md's section Install makes."""
    return ("--login", f"selfmx_backup:{password}:backup,createdb,viewstate")
