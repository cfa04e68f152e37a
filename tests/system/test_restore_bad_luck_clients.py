"""Others who use the databases while a restore lets them change places."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyodbc
import pytest

from tests.system.restore_site import NEW, OLD, STRANGERS, RestoreSite, Seen, told

pytestmark = pytest.mark.faults

# A pool that reconnects, or a monitoring agent that looks, does so about this often; whoever
# lies in wait for the only place is quicker.
PAUSE_S, QUICK_S = 0.02, 0.005
SWAPPED = Seen({"SelfMX": NEW, "SelfMX_before_STAMP": OLD, **STRANGERS}, app_runs=True)

Work = Callable[[pyodbc.Connection], int]


@pytest.fixture
def site(tmp_path: Path, driver: str) -> Iterator[RestoreSite]:
    with RestoreSite(tmp_path, driver=driver) as site:
        site.make_strangers()
        yield site


class Client:
    """Somebody who connects, works until the connection breaks, and connects again.

    Attributes:
        entered: How often the work found what it looks for.
    """

    def __init__(
        self, site: RestoreSite, database: str, work: Work, pause_s: float = PAUSE_S
    ) -> None:
        self._site = site
        self._database = database
        self._work = work
        self._pause_s = pause_s
        self._ended = threading.Event()
        self.entered = 0
        self._thread = threading.Thread(target=self._live, daemon=True)

    @contextmanager
    def at_work(self) -> Iterator["Client"]:
        self._thread.start()
        try:
            while not self.entered and self._database != "master":
                time.sleep(PAUSE_S)
            yield self
        finally:
            self._ended.set()
            self._thread.join(30)
        assert not self._thread.is_alive()

    def _live(self) -> None:
        while not self._ended.wait(self._pause_s):
            with suppress(pyodbc.Error):
                self._visit()

    def _visit(self) -> None:
        server, driver = self._site.server, self._site.driver
        connection = server.connect(driver, database=self._database, program="stubborn")
        try:
            while not self._ended.wait(self._pause_s):
                self.entered += self._work(connection)
        finally:
            connection.close()


def ask(connection: pyodbc.Connection) -> int:
    connection.execute("SELECT 1").fetchall()
    return 1


def enter_the_copy(connection: pyodbc.Connection) -> int:
    """As a monitoring agent does that visits every database, and stays in the last one."""
    rows = connection.execute("SELECT name AS name FROM sys.databases").fetchall()
    copies = [row.name for row in rows if row.name.startswith("SelfMX_restore_")]
    for name in copies:
        connection.execute(f"USE [{name}]")
    return len(copies)


def test_a_client_that_comes_back_again_and_again_does_not_stop_a_restore(
    site: RestoreSite,
) -> None:
    with Client(site, "SelfMX", ask).at_work() as client:
        before = client.entered
        done = site.restore("--latest")
    assert done.returncode == 0, done.stderr
    assert client.entered > before
    assert site.seen() == SWAPPED


def test_a_monitoring_session_in_the_copy_does_not_stop_a_restore(site: RestoreSite) -> None:
    # The copy is there for a while, and is found.
    site.restart_server("--rate", "1")
    with Client(site, "master", enter_the_copy).at_work() as client:
        done = site.restore("--latest")
    assert done.returncode == 0, done.stderr
    assert client.entered
    assert site.seen() == SWAPPED


def test_a_client_that_takes_the_only_place_when_our_connection_is_cut_is_put_out_again(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "drop-after:SET SINGLE_USER@1")
    with Client(site, "SelfMX", ask, QUICK_S).at_work():
        done = site.restore("--latest")
    assert done.returncode == 5, done.stderr
    assert re.search("^having SelfMX alone failed", told(done, "error")[0])
    notes = " ".join(told(done, "note"))
    assert "SelfMX is the database that it was before" in notes
    assert "the application has been started again" in notes
    assert site.seen() == Seen({"SelfMX": OLD, **STRANGERS}, app_runs=True)
    assert site.plan is not None
    assert site.plan["step"] == "given_up"


def test_a_client_that_takes_the_only_place_between_the_renames_is_put_out_again(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "drop-after:MODIFY NAME@1")
    with Client(site, "SelfMX", ask, QUICK_S).at_work():
        done = site.restore("--latest")
    assert done.returncode == 5, done.stderr
    assert "SelfMX had been renamed to SelfMX_before_" in " ".join(told(done, "note"))
    assert site.seen() == Seen({"SelfMX": OLD, **STRANGERS}, app_runs=True)


def make_the_database(connection: pyodbc.Connection) -> int:
    """As an application does that is started while its database is missing."""
    rows = connection.execute("SELECT name AS name FROM sys.databases").fetchall()
    if "SelfMX" in [row.name for row in rows]:
        return 0
    connection.execute("CREATE DATABASE SelfMX")
    return 1


def test_an_application_that_makes_its_database_anew_each_time_does_not_stop_the_healing(
    site: RestoreSite,
) -> None:
    site.restart_server("--fault", "die-after:MODIFY NAME@1")
    process = site.start("selfmx-restore", "--latest", "--yes")
    site.server.wait(60)
    process.kill()
    process.communicate()
    site.restart_server()
    site.sql("CREATE DATABASE SelfMX")
    with Client(site, "master", make_the_database, QUICK_S).at_work():
        undo = site.restore("--undo")
    assert undo.returncode == 0, undo.stderr
    seen = site.seen()
    assert (seen.databases["SelfMX"], seen.app_runs) == (OLD, True)
    strays = [name for name in site.names() if "_stray_" in name]
    assert all(each in undo.stdout for each in strays), "what was moved aside is named"
    assert site.restore("--drop-old").returncode == 0
    assert site.seen() == Seen({"SelfMX": OLD, **STRANGERS}, app_runs=True)
