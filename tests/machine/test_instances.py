"""Two databases side by side: the unit, and an instance of its template."""

import re
from collections.abc import Iterator

import pytest

from tests.machine import readme
from tests.machine.machine import Machine
from tests.machine.service import Service

OTHER_CONFIG = "/etc/selfmx-backupd/other.toml"


@pytest.fixture
def other(service: Service) -> Iterator[Service]:
    """An instance that was made by what README.md has typed."""
    machine = service.machine
    mount = ("--mount", "/var/opt/mssql/other=/data/other/backups")
    machine.path("/data/other/backups").mkdir(parents=True, exist_ok=True)
    service.server.renew("--database", "SelfMX", "--database", "Other", *mount)
    typed, configuration = readme.second_database()
    written = machine.path("/root/written")
    port = f"[sqlserver]\nport = {service.server.port}"
    (written / "other.toml").write_text(configuration.replace("[sqlserver]", port))
    (written / "other.password").write_text(f"{readme.PASSWORD}\n")
    # Its last line looks; the first backup may still run then.
    *lines, last = typed.splitlines()
    assert last == f"selfmx-backupd status --config {OTHER_CONFIG}"
    readme.type_in_clone(machine, "\n".join(lines))
    yield Service(machine, service.server, "other")
    machine.shell("systemctl disable --now selfmx-backupd@other")


def told(machine: Machine, *words: str) -> str:
    """What `selfmx-backupd status` says first."""
    return machine.run("selfmx-backupd", "status", *words).stdout.splitlines()[0]


def test_each_backs_up_its_own_database_into_its_own_directory(
    service: Service, other: Service
) -> None:
    service.systemctl("start")
    for each, prefix in ((service, "selfmx_"), (other, "other_")):
        assert "1 verified backup" in each.wait_until_idle()
        assert {name.partition("2")[0] for name in each.files()} == {prefix}
        assert each.outcomes()["jobs"]["backup"]["failures_in_a_row"] == 0
    assert told(service.machine).startswith("OK - newest backup ")
    assert told(service.machine, "--config", OTHER_CONFIG).startswith("OK - newest backup ")
    assert [each["database"] for each in other.listed()] == ["Other"]


def test_each_is_checked_by_its_own_configuration(service: Service, other: Service) -> None:
    service.configure()
    for each, name in ((service, "SelfMX"), (other, "Other")):
        words = ("selfmx-backupd", "check", "--config", each.places.config)
        done = service.machine.run(*words, check=False)
        # Docker is not here, and a login that only backs up cannot restore.
        assert done.returncode == 1, done.stdout
        assert re.search(rf"^database +{name} is ONLINE$", done.stdout, re.MULTILINE)
        assert f"SQL Server finds a file of {each.places.backups} in " in done.stdout


def test_one_that_ends_leaves_the_other_alone(service: Service, other: Service) -> None:
    service.systemctl("start")
    for each in (service, other):
        each.wait_until_idle()
    service.systemctl("stop")
    assert service.property("ActiveState") == "inactive"
    assert other.property("ActiveState") == "active"
    assert told(service.machine, "--config", OTHER_CONFIG).startswith("OK - newest backup ")
    stopped = service.machine.run("selfmx-backupd", "status", check=False)
    assert stopped.returncode == 2
    assert "the daemon does not run" in stopped.stdout
