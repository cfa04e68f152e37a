"""What is a trap, what is none, and what is typed to get out."""

import pytest

from selfmx_backupd.assessment import Severity
from selfmx_backupd.policy import traps
from selfmx_backupd.policy.traps import Check, Subject

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
GIB = 1024**3


@pytest.mark.parametrize(
    ("check", "severity"),
    [
        (traps.password_file("/p", 0o600), OK),
        (traps.password_file("/p", 0o640), OK),
        (traps.password_file("/p", 0o604), WARNING),
        (traps.password_file("/p", 0o602), WARNING),
        (traps.old_timer("inactive", ""), OK),
        (traps.old_timer("inactive", "disabled"), OK),
        (traps.old_timer("inactive", "enabled"), CRITICAL),
        (traps.old_timer("active", "disabled"), CRITICAL),
        (traps.commands([]), OK),
        (traps.commands(["/usr/local/bin/selfmx-backup"]), WARNING),
        (traps.clock(is_synchronised=True), OK),
        (traps.clock(is_synchronised=False), WARNING),
        (traps.network("127.0.0.1", "no", trusts_any_certificate=True), OK),
        (traps.network("::1", "no", trusts_any_certificate=True), OK),
        (traps.network("localhost", "no", trusts_any_certificate=True), OK),
        (traps.network("192.0.2.1", "yes", trusts_any_certificate=True), WARNING),
        (traps.network("db.example", "no", trusts_any_certificate=False), WARNING),
        (traps.network("db.example", "yes", trusts_any_certificate=False), OK),
        (traps.network("db.example", "strict", trusts_any_certificate=False), OK),
        (traps.rights("selfmx_backup", is_sysadmin=False), OK),
        (traps.rights("sa", is_sysadmin=True), WARNING),
        (traps.space(GIB, None, is_known=False), OK),
        (traps.space(GIB, GIB, is_known=True), OK),
        (traps.space(GIB - 1, GIB, is_known=True), CRITICAL),
        (traps.space(GIB - 1, GIB, is_known=False), WARNING),
        (traps.compression("auto", "Express", edition_compresses=False), OK),
        (traps.compression("off", "Developer", edition_compresses=True), OK),
        (traps.compression("on", "Developer", edition_compresses=True), OK),
        (traps.compression("on", "Express", edition_compresses=False), CRITICAL),
        (traps.log("SelfMX", "FULL", "NOTHING"), OK),
        (traps.log("SelfMX", "SIMPLE", "LOG_BACKUP"), OK),
        (traps.log("SelfMX", "FULL", "ACTIVE_TRANSACTION"), OK),
        (traps.log("SelfMX", "FULL", "LOG_BACKUP"), WARNING),
        (traps.log("SelfMX", "BULK_LOGGED", "LOG_BACKUP"), WARNING),
        (traps.pages("SelfMX", "CHECKSUM"), OK),
        (traps.pages("SelfMX", "TORN_PAGE_DETECTION"), WARNING),
        (traps.pages("SelfMX", "NONE"), WARNING),
        (traps.encryption(is_encrypted=False), OK),
        (traps.encryption(is_encrypted=True), WARNING),
        (traps.stalls("selfmx_backup", sees_all=True), OK),
        (traps.stalls("selfmx_backup", sees_all=False), WARNING),
        (traps.restore_space(None, ()), OK),
        (traps.restore_space(None, ("/var/opt/mssql/log",)), OK),
        (traps.restore_space("2 GiB are needed", ()), WARNING),
    ],
)
def test_a_trap_is_as_bad_as_what_it_spoils_and_has_a_way_out(
    check: Check, severity: Severity
) -> None:
    assert check.severity is severity, check.sentence
    assert (check.hint is None) == (severity is OK)


@pytest.mark.parametrize(
    ("database", "named"), [("SelfMX", "[SelfMX]"), ("a]b", "[a]]b]"), ("o'neil", "[o'neil]")]
)
def test_what_is_to_be_typed_in_sql_server_quotes_the_name(database: str, named: str) -> None:
    for check in (traps.log(database, "FULL", "LOG_BACKUP"), traps.pages(database, "NONE")):
        assert f"ALTER DATABASE {named} SET " in (check.hint or "")
    assert f"TO {named}" in (traps.stalls(database, sees_all=False).hint or "")


def test_the_verdict_is_the_worst_and_the_unseen_is_worse_than_a_warning() -> None:
    well = traps.well(Subject.CLOCK, "synchronised")
    odd = traps.warning(Subject.LOG, "it grows", "Type: df -h")
    hidden = traps.unseen(Subject.BACKUP_DIRECTORY, "closed", None)
    bad = traps.critical(Subject.SERVER, "nobody answers", None)
    assert traps.verdict([well]) is OK
    assert traps.verdict([odd, well]) is WARNING
    assert traps.verdict([well, hidden, odd]) is Severity.UNKNOWN
    assert traps.verdict([hidden, bad, odd]) is CRITICAL
