"""What people type beside the daemon: as root, as somebody else, and for an upgrade."""

import re

from tests.machine import readme
from tests.machine.machine import NOBODY, Machine
from tests.machine.readme import CLONE
from tests.machine.service import Service

APPLICATION = "[Service]\nExecStart=/bin/sleep infinity\n"
BUILT = f"{CLONE}/build/lib/selfmx_backupd"
INSTALLED = "/opt/selfmx-backupd/lib/python3*/site-packages/selfmx_backupd"


def status(machine: Machine, *, group: str) -> tuple[int, str]:
    """`selfmx-backupd status` typed by nobody, who is of a group: exit code and output."""
    somebody = ("setpriv", f"--reuid={NOBODY}", f"--regid={group}", "--clear-groups")
    done = machine.run(*somebody, "selfmx-backupd", "status", check=False)
    return done.returncode, done.stdout + done.stderr


def version(machine: Machine) -> str:
    return machine.shell("selfmx-backupd --version").strip()


def test_the_daemon_goes_on_with_what_root_has_made(service: Service) -> None:
    service.machine.shell("selfmx-backup")
    service.systemctl("start")
    # It reads the older one again and rewrites its manifest, which root has written.
    service.wait_for("2 verified backups")
    service.wait_for_log("its SHA-256 is the one that was proven")
    service.machine.shell(
        "selfmx-backup --pin; selfmx-backup verify --all; selfmx-backup sweep --force"
    )
    places = f"{service.places.state} {service.places.backups}"
    assert service.machine.shell(f"find {places} ! -group selfmx-backupd") == ""
    service.systemctl("restart")
    assert "3 verified backups" in service.wait_until_idle()
    assert service.journal("--priority=warning") == ""


def test_the_daemons_group_may_ask_how_it_is_and_others_are_told_why_not(service: Service) -> None:
    service.systemctl("start")
    service.wait_until_idle()
    code, said = status(service.machine, group="selfmx-backupd")
    assert (code, said.startswith("OK - newest backup ")) == (0, True), said
    code, said = status(service.machine, group=str(NOBODY))
    assert code == 3
    assert "permission denied" in said


def test_a_restore_beside_the_daemon_stops_the_application_for_the_swap(service: Service) -> None:
    machine = service.machine
    machine.path("/etc/systemd/system/app.service").write_text(APPLICATION)
    machine.shell("systemctl daemon-reload; systemctl start app")
    before = machine.shell("systemctl show --property=InvocationID app")
    told = {verb: ["systemctl", verb, "app"] for verb in ("stop", "start")}
    service.configure(
        **readme.restoring(), application={**told, "health": ["systemctl", "is-active", "app"]}
    )
    service.systemctl("start")
    service.wait_until_idle()
    report = machine.shell("selfmx-restore --latest --yes")
    assert "it was stopped for the swap and is well again" in report
    assert machine.shell("systemctl show --property=InvocationID app") != before
    machine.shell(
        "selfmx-restore --undo --yes; selfmx-restore --drop-old --yes; systemctl stop app"
    )
    service.systemctl("restart")
    assert "1 verified backup" in service.wait_until_idle()
    assert service.journal("--priority=err") == ""


def test_the_daemon_may_not_read_the_password_that_restores(service: Service) -> None:
    secret = readme.restoring()["sqlserver"]["restore_password_file"]
    daemon = ("setpriv", "--reuid=selfmx-backupd", "--regid=selfmx-backupd", "--clear-groups")
    assert service.machine.run("cat", secret).stdout
    assert service.machine.run(*daemon, "cat", secret, check=False).returncode != 0


def test_an_upgrade_is_what_readme_has_typed_and_leaves_nothing_of_the_old(
    service: Service,
) -> None:
    machine = service.machine
    service.systemctl("start")
    service.wait_until_idle()
    old = version(machine)
    source = machine.path(f"{CLONE}/selfmx_backupd/__init__.py")
    written = source.read_text()
    machine.shell(f"touch {BUILT}/given_up.py")
    source.write_text(re.sub(r'(__version__ = ".*)"', r'\1.post1"', written))
    try:
        readme.type_in_clone(machine, readme.upgrade())
        assert version(machine) == f"{old}.post1"
        assert machine.run("sh", "-c", f"ls {INSTALLED}/given_up.py", check=False).returncode != 0
        assert "1 verified backup" in service.wait_until_idle()
    finally:
        source.write_text(written)
        readme.type_in_clone(machine, readme.upgrade())
    assert version(machine) == old
