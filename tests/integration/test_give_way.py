"""Between two proofs the daemon gets the lock for a backup that is due."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from selfmx_backupd.adapters import lock
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import Cancelled
from selfmx_backupd.jobs.verify import give_way
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import SCHEDULED_TIERS, Due
from tests.directory import Directory

PAUSE_S = 0.3


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def asked(world: World, served: tuple[Due, ...] = ()) -> tuple[tuple[Due, ...], bool]:
    """What is due, and whether there was a pause."""
    began = time.monotonic()
    due = give_way(world, served, Cancel(), PAUSE_S)
    return due, time.monotonic() - began >= PAUSE_S


def test_a_daemon_that_waits_is_let_in_once_for_what_is_due(directory: Directory) -> None:
    world = directory.world()
    with lock.hold(world.state.daemon_lock_path, "daemon", world.now()):
        assert lock.pid_in(world.state.daemon_lock_path) == os.getpid()
        due, paused = asked(world)
        assert [each.tier for each in due] == list(SCHEDULED_TIERS)
        assert paused
        assert asked(world, due) == (due, False)


def test_where_nothing_is_due_there_is_no_pause(directory: Directory) -> None:
    directory.add(0, SCHEDULED_TIERS)
    world = directory.world()
    with lock.hold(world.state.daemon_lock_path, "daemon", world.now()):
        assert asked(world) == ((), False)
        tomorrow = replace(world, now=lambda: directory.at + timedelta(days=1))
        assert asked(tomorrow)[1]


def test_a_daemon_that_does_not_run_is_not_waited_for(directory: Directory) -> None:
    world = directory.world()
    assert lock.pid_in(world.state.daemon_lock_path) is None
    assert not asked(world)[1]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    world.state.daemon_lock_path.write_text(json.dumps({"what": "daemon", "pid": dead.pid}))
    assert not asked(world)[1]


def test_the_wish_to_stop_is_heard_in_the_pause(directory: Directory) -> None:
    world = directory.world()
    cancel = Cancel()
    with lock.hold(world.state.daemon_lock_path, "daemon", world.now()):
        threading.Timer(0.1, cancel.request, (signal.SIGINT,)).start()
        with pytest.raises(Cancelled):
            give_way(world, (), cancel, 60)
