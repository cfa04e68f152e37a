"""One machine for each Debian, which all tests share, and a fresh service for each test."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import readme
from tests.machine.machine import Machine
from tests.machine.roots import SUITES, missing_because, root_of
from tests.machine.service import Service
from tests.machine.sqlserver import SqlServer

_FORGET = """
systemctl kill --signal=KILL 'selfmx-backupd*.service' || true
systemctl stop 'selfmx-backupd*.service'
rm -rf /etc/systemd/system/selfmx-backupd*.d /var/lib/selfmx-backupd /data/*/backups/*
systemctl daemon-reload
systemctl reset-failed
"""


# The first test of all may have to make the root file system.
_MARKS = (pytest.mark.machine, pytest.mark.timeout(900))


@pytest.fixture(scope="session", params=[pytest.param(each, marks=_MARKS) for each in SUITES])
def suite(request: pytest.FixtureRequest) -> str:
    reason = missing_because()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture(scope="session")
def machine(suite: str) -> Iterator[Machine]:
    base = Path(tempfile.mkdtemp(prefix="selfmx-machine-"))
    try:
        with Machine(root_of(suite), base) as machine:
            readme.clone(machine)
            yield machine
    finally:
        base.rmdir()


@pytest.fixture(scope="session")
def server(machine: Machine) -> Iterator[SqlServer]:
    """SQL Server, and all that README.md has an operator type installed beside it."""
    with SqlServer(machine) as server:
        readme.install(machine, server.port)
        yield server


@pytest.fixture
def service(machine: Machine, server: SqlServer) -> Iterator[Service]:
    """The unit, stopped, with an empty directory, no memory, and SQL Server running."""
    if not machine.is_up:
        machine.boot()
    machine.shell(_FORGET)
    server.renew()
    service = Service(machine, server)
    service.configure()
    yield service
    if machine.is_up:
        machine.shell("systemctl stop 'selfmx-backupd*.service'")
