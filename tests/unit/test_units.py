"""The two units are one: the template differs only in what an instance has of its own."""

from pathlib import Path

SYSTEMD = Path(__file__).parents[2] / "systemd"
# What stands in the unit, and what the template has in its place.
ITS_OWN = {
    "Description=Verified SQL Server backups for SelfMX": (
        "Description=Verified SQL Server backups of %i"
    ),
    "RequiresMountsFor=/data/selfmx/backups": "RequiresMountsFor=/data/%i/backups",
    "ExecStart=/opt/selfmx-backupd/bin/selfmx-backupd run": (
        "ExecStart=/opt/selfmx-backupd/bin/selfmx-backupd run --config /etc/selfmx-backupd/%i.toml"
    ),
    "StateDirectory=selfmx-backupd": "StateDirectory=selfmx-backupd/%i",
    "LoadCredential=sqlserver-password:/etc/selfmx-backupd/sqlserver-password": (
        "LoadCredential=sqlserver-password:/etc/selfmx-backupd/%i.password"
    ),
    "ReadWritePaths=/data/selfmx/backups": "ReadWritePaths=/data/%i/backups",
}


def test_the_template_is_the_unit_but_for_what_an_instance_has_of_its_own() -> None:
    unit = (SYSTEMD / "selfmx-backupd.service").read_text(encoding="utf-8").splitlines()
    template = (SYSTEMD / "selfmx-backupd@.service").read_text(encoding="utf-8").splitlines()
    assert template == [ITS_OWN.get(line, line) for line in unit]
    assert set(ITS_OWN) <= set(unit)
