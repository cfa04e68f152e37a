"""What is remembered of a restore that died, once it has been put right on a server."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from selfmx_backupd import log
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import load
from selfmx_backupd.jobs.restore.heal import heal_what_is_open
from selfmx_backupd.jobs.run import run_job
from selfmx_backupd.outcomes import Job, Outcomes
from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step
from selfmx_backupd.wiring import world_of
from tests.build import plan, utc
from tests.conformance.servers import usable
from tests.installation import Installation

DATA = "/var/opt/mssql/data"
DRIVER = "freetds"
AT = utc("2026-11-24 12:00")
BESIDE, UNDO = plan(Kind.BESIDE), plan(Kind.UNDO)
# Files are called after the name under which a database was made.
OLD, NEW = (f"{DATA}/SelfMX.mdf",), (f"{DATA}/Restored.mdf",)


class Server(Installation):
    """One database, SelfMX; and whatever a test makes besides."""

    def sql(self, *statements: str) -> list[str]:
        """Run statements; the first column of the last one's rows."""
        connection = self.server.connect(DRIVER)
        try:
            rows: list[str] = []
            for each in statements:
                cursor = connection.execute(each)
                rows = [row[0] for row in cursor.fetchall()] if cursor.description else []
            return rows
        finally:
            connection.close()

    def rename(self, name: str, other: str) -> None:
        self.sql(f"ALTER DATABASE [{name}] MODIFY NAME = [{other}]")

    def make(self, made_as: str, name: str) -> None:
        self.sql(f"CREATE DATABASE [{made_as}]")
        if name != made_as:
            self.rename(made_as, name)

    def names(self) -> set[str]:
        system = {"master", "tempdb", "model", "msdb"}
        return set(self.sql("SELECT name AS name FROM sys.databases")) - system


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, driver=usable(DRIVER)) as server:
        yield server


def dead(
    kind: Kind, step: Step, *, live_state: str | None = "ONLINE", kept: Sequence[Kept] = ()
) -> RestorePlan:
    """A plan that names the files of the databases that tests make."""
    of = plan(kind, step, live_state=live_state, kept=kept)
    return replace(of, live_files=OLD if live_state else (), incoming_files=NEW)


def healed(server: Server, left: RestorePlan) -> tuple[RestorePlan, str]:
    """The plan as it is closed, and what was told."""
    log.set_up(quiet=True)
    world = world_of(load(server.config))
    world.state.write(Outcomes(restore=left))
    told = run_job(
        world,
        Job.RESTORE,
        "healing",
        lambda run: heal_what_is_open(world, run),
        cancel=Cancel(),
        progress=lambda _: None,
    )
    closed = world.state.read().restore
    assert closed is not None
    assert not closed.is_open
    assert told is not None
    return closed, "\n".join(told.told)


def names(closed: RestorePlan) -> list[str]:
    return [each.name for each in closed.kept]


def way_back(name: str) -> Kept:
    return Kept(name=name, since=AT, because="selfmx_20261124_030000.bak", is_way_back=True)


def put_away(name: str) -> Kept:
    return Kept(name=name, since=AT, because=None, is_way_back=False)


def test_a_swap_that_was_not_written_down_any_more_leaves_the_way_back(server: Server) -> None:
    server.rename("SelfMX", BESIDE.aside)
    server.make("Restored", "SelfMX")
    closed, told = healed(server, dead(Kind.BESIDE, Step.SWAPPING))
    assert closed.step is Step.DONE
    assert closed.way_back is not None
    assert names(closed) == [closed.way_back.name] == [BESIDE.aside]
    assert f"{BESIDE.aside} is kept" in told


def test_half_a_swap_leaves_nothing_behind(server: Server) -> None:
    server.rename("SelfMX", BESIDE.aside)
    server.make("Restored", BESIDE.incoming)
    closed, _ = healed(server, dead(Kind.BESIDE, Step.SWAPPING))
    assert (closed.step, names(closed)) == (Step.GIVEN_UP, [])
    assert server.names() == {"SelfMX"}


def test_a_death_while_the_application_starts_keeps_the_old_one_once(server: Server) -> None:
    server.rename("SelfMX", BESIDE.aside)
    server.make("Restored", "SelfMX")
    left = dead(Kind.BESIDE, Step.STARTING, kept=[way_back(BESIDE.aside)])
    closed, _ = healed(server, left)
    assert names(closed) == [BESIDE.aside]


def test_the_same_death_of_an_undo_keeps_what_it_put_away_once(server: Server) -> None:
    server.rename("SelfMX", UNDO.aside)
    server.make("Restored", "SelfMX")
    closed, _ = healed(server, dead(Kind.UNDO, Step.STARTING, kept=[put_away(UNDO.aside)]))
    assert names(closed) == [UNDO.aside]


def test_an_undo_that_put_nothing_away_keeps_nothing(server: Server) -> None:
    server.sql("DROP DATABASE [SelfMX]")
    server.make("Restored", UNDO.incoming)
    left = dead(Kind.UNDO, Step.SWAPPING, live_state=None, kept=[way_back(UNDO.incoming)])
    closed, told = healed(server, left)
    assert server.names() == {"SelfMX"}
    assert names(closed) == []
    assert "is kept" not in told


def test_what_is_not_there_any_more_is_not_said_to_be_kept(server: Server) -> None:
    server.sql("DROP DATABASE [SelfMX]")
    server.make("Restored", BESIDE.incoming)
    closed, told = healed(server, dead(Kind.BESIDE, Step.SWAPPING))
    assert server.names() == {"SelfMX"}
    assert names(closed) == []
    assert "is kept" not in told


@pytest.mark.parametrize("kind", [Kind.BESIDE, Kind.UNDO])
def test_a_stranger_that_was_moved_aside_is_remembered_and_told(server: Server, kind: Kind) -> None:
    server.sql("DROP DATABASE [SelfMX]")
    of = dead(kind, Step.SWAPPING)
    server.make("Restored", of.incoming)
    server.make("Empty", "SelfMX")
    kept = [way_back(of.incoming)] if kind is Kind.UNDO else []
    closed, told = healed(server, replace(of, kept=tuple(kept)))
    (stray,) = server.names() - {"SelfMX"}
    assert stray.startswith("SelfMX_stray_")
    assert names(closed) == [stray]
    assert stray in told


def test_each_of_two_strangers_that_were_moved_aside_is_remembered_and_told(
    tmp_path: Path,
) -> None:
    """Whatever makes the database anew may do so between the two renames of a swap."""
    again = ("--fault", "made-after:MODIFY NAME = [SelfMX_stray_")
    with Server(tmp_path, driver=usable(DRIVER), standin=again) as server:
        server.sql("DROP DATABASE [SelfMX]")
        server.make("Original", BESIDE.aside)
        server.make("Empty", "SelfMX")
        left = replace(dead(Kind.BESIDE, Step.SWAPPING), live_files=(f"{DATA}/Original.mdf",))
        closed, told = healed(server, left)
        strays = server.names() - {"SelfMX"}
    assert len(strays) == 2
    assert set(names(closed)) == strays
    assert all(each in told for each in strays)


def test_an_overwriting_that_died_at_its_end_lets_users_and_backups_in_again(
    tmp_path: Path,
) -> None:
    """Its users are the backup's, which may be older than the login that backs up."""
    login = ("--login", "selfmx_backup:Secret-1:createdb,viewstate")
    of = plan(Kind.IN_PLACE, Step.OVERWRITING, safety="selfmx_20261124_120003.bak")
    with Server(
        tmp_path, driver=usable(DRIVER), user="selfmx_backup", password="Secret-1", standin=login
    ) as server:
        assert server.run("selfmx-backup").returncode == 5
        closed, told = healed(server, replace(of, live_files=OLD))
        assert closed.step is Step.DONE
        assert "SelfMX had been overwritten already" in told
        assert "may not be able to back up" not in told
        done = server.run("selfmx-backup")
        assert done.returncode == 0, done.stderr
