"""A restore died, and what is in service afterwards is not a database that anybody knows."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfmx_backupd.config import load
from selfmx_backupd.outcomes import Outcomes
from selfmx_backupd.restoration import Kind, RestorePlan, Step
from selfmx_backupd.wiring import world_of
from tests.conformance.servers import usable
from tests.integration.test_heal import BESIDE, DRIVER, Server, dead, healed, names, put_away


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, driver=usable(DRIVER)) as server:
        yield server


def remember(server: Server, left: RestorePlan) -> None:
    world_of(load(server.config)).state.write(Outcomes(restore=left))


def restore(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    return server.run("selfmx-restore", *words, "--yes")


def an_empty_one_in_its_place(server: Server) -> None:
    """What an application makes that finds its database missing."""
    server.sql("DROP DATABASE [SelfMX]")
    server.make("Empty", "SelfMX")


def test_an_undo_does_not_call_a_stranger_what_was_there_before(server: Server) -> None:
    an_empty_one_in_its_place(server)
    remember(server, dead(Kind.BESIDE, Step.STOPPING))
    done = restore(server, "--undo")
    assert done.returncode == 5
    assert "error: SelfMX could not be brought back: SelfMX was made anew meanwhile" in done.stderr
    assert "hint: Restore a backup in its place. The list: selfmx-restore" in done.stderr
    assert "what it was before" not in done.stdout


def test_the_plan_stays_open_until_a_known_database_is_in_service(server: Server) -> None:
    server.rename("SelfMX", "SelfMX_mine")
    remember(server, dead(Kind.BESIDE, Step.STOPPING))
    assert restore(server, "--undo").returncode == 5
    assert server.outcomes()["restore"]["step"] == "stopping"
    server.rename("SelfMX_mine", "SelfMX")
    done = restore(server, "--undo")
    assert done.returncode == 0
    assert "SelfMX is what it was before the last restore" in done.stdout
    assert server.outcomes()["restore"]["step"] == "given_up"


def test_the_application_is_started_once_its_database_is_there(server: Server) -> None:
    server.app.be_stopped()
    server.rename("SelfMX", "SelfMX_mine")
    remember(server, replace(dead(Kind.BESIDE, Step.STOPPING), app_stopped=True))
    done = restore(server, "--undo")
    assert "the application stays stopped, because there is no SelfMX for it" in done.stderr
    assert not server.app.is_running
    server.rename("SelfMX_mine", "SelfMX")
    done = restore(server, "--undo")
    assert "  application  it has been started again" in done.stdout
    assert "not touched" not in done.stdout
    assert server.app.is_running


def test_nothing_that_is_kept_is_dropped_while_a_stranger_is_in_service(server: Server) -> None:
    server.rename("SelfMX", "SelfMX_before_x")
    server.make("Empty", "SelfMX")
    left = replace(dead(Kind.BESIDE, Step.STOPPING), kept=(put_away("SelfMX_before_x"),))
    remember(server, left)
    done = restore(server, "--drop-old")
    assert done.returncode == 5
    assert server.names() == {"SelfMX", "SelfMX_before_x"}


def test_a_restore_that_never_had_a_database_ends_without_one(server: Server) -> None:
    server.sql("DROP DATABASE [SelfMX]")
    server.make("Restored", BESIDE.incoming)
    remember(server, dead(Kind.BESIDE, Step.COPYING, live_state=None))
    done = restore(server, "--undo")
    assert done.returncode == 0
    assert "the unfinished copy has ended, and SelfMX was not touched" in done.stdout
    assert server.names() == set()


def test_an_old_one_that_cannot_be_renamed_stays_and_the_checked_copy_is_in_service(
    server: Server,
) -> None:
    server.rename("SelfMX", BESIDE.aside)
    server.sql(f"ALTER DATABASE [{BESIDE.aside}] SET OFFLINE")
    server.make("Restored", BESIDE.incoming)
    closed, told = healed(server, dead(Kind.BESIDE, Step.SWAPPING))
    assert closed.step is Step.DONE
    assert names(closed) == [BESIDE.aside]
    assert server.names() == {"SelfMX", BESIDE.aside}
    assert "to go back, type: selfmx-restore --undo" in told


def test_a_stranger_that_cannot_be_renamed_is_left_and_the_old_one_kept_in_mind(
    server: Server,
) -> None:
    server.rename("SelfMX", BESIDE.aside)
    server.make("Empty", "SelfMX")
    server.sql("ALTER DATABASE [SelfMX] SET OFFLINE")
    remember(server, dead(Kind.BESIDE, Step.SWAPPING))
    done = restore(server, "--undo")
    assert done.returncode == 5
    assert "nobody knows has the name SelfMX, and is OFFLINE" in done.stderr
    assert f"note: {BESIDE.aside} is kept" in done.stderr
    assert server.names() == {"SelfMX", BESIDE.aside}
