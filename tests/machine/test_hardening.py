"""The units as systemd itself judges them, and what they leave to work."""

import json

import pytest

from tests.machine.machine import Machine
from tests.machine.readme import CLONE
from tests.machine.service import Service

UNITS = ("selfmx-backupd.service", "selfmx-backupd@.service")
# In tenths: 1.5, of 10.
EXPOSURE = 15


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong_with_a_unit(service: Service, unit: str) -> None:
    name = unit.replace("@", "@selfmx")
    service.machine.shell(
        f"cp {CLONE}/systemd/{unit} /etc/systemd/system/; systemctl daemon-reload"
    )
    done = service.machine.run("systemd-analyze", "verify", f"/etc/systemd/system/{name}")
    # It names units of the Debian itself, too.
    assert "selfmx" not in done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_hardly_exposed(machine: Machine, unit: str) -> None:
    analyze = ("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE}")
    done = machine.run(*analyze, f"{CLONE}/systemd/{unit}", check=False)
    assert done.returncode == 0, done.stdout[-500:]


def test_a_crash_writes_no_memory_to_a_disk(service: Service) -> None:
    service.systemctl("start")
    limits = service.machine.shell(f"cat /proc/{service.pid()}/limits")
    soft, hard = limits.partition("Max core file size")[2].split()[:2]
    assert (soft, hard) == ("0", "0")


def test_the_clock_guard_knows_after_a_restart_that_it_is_the_same_boot(service: Service) -> None:
    path = service.machine.path(f"{service.places.state}/tick.json")
    service.systemctl("start")
    before = json.loads(path.read_text())
    service.systemctl("restart")
    after = json.loads(path.read_text())
    assert after["at"] > before["at"]
    assert (after["boot_id"], after["offset_s"]) == (before["boot_id"], before["offset_s"])


@pytest.mark.parametrize("driver", ["auto", "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so"])
def test_both_drivers_work_in_it(service: Service, driver: str) -> None:
    service.configure(sqlserver={"driver": driver})
    service.systemctl("start")
    assert "1 verified backup" in service.wait_until_idle()
    (connected,) = service.entries("sqlserver.connected")[:1]
    assert ("libtdsodbc" in connected["MESSAGE"]) == (driver != "auto")
