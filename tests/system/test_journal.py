"""What the product's processes tell the journal."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from selfmx_backupd import events
from tests.installation import Installation
from tests.service import running, service


def test_a_backup_tells_the_journal_its_fields(tmp_path: Path) -> None:
    with Installation(tmp_path) as site, service(site) as journal:
        with running(journal):
            published = journal.wait_for(events.BACKUP_PUBLISHED)
        (backup,) = site.listed()
        run_id = journal.of(events.BACKUP_STARTED)[0]["RUN_ID"]
        assert published == {
            "MESSAGE": [events.BACKUP_PUBLISHED.say(fields_of(backup))],
            "MESSAGE_ID": [events.BACKUP_PUBLISHED.message_id],
            "EVENT": ["backup.published"],
            "PRIORITY": ["6"],
            "SYSLOG_IDENTIFIER": ["selfmx-backupd"],
            "RUN_ID": run_id,
            "JOB": ["backup"],
            "FILE": [backup["file"]],
            "TIER": ["daily", "weekly", "monthly"],
            "SIZE_BYTES": [str(backup["size_bytes"])],
            "DURATION_S": [str(backup["duration_s"]["total"])],
        }
        assert journal.errors == []
        assert journal.lines() == ""


def fields_of(backup: dict[str, object]) -> dict[str, object]:
    """What the manifest says, by the names of the event."""
    duration = backup["duration_s"]
    assert isinstance(duration, dict)
    return {**backup, "tier": backup["tiers"], "duration_s": duration["total"]}


def test_a_failure_tells_sql_servers_number_and_our_exit_code(tmp_path: Path) -> None:
    with (
        Installation(tmp_path, standin=("--fault", "denied")) as site,
        service(site) as journal,
        running(journal),
    ):
        failed = journal.wait_for(events.BACKUP_FAILED)
        assert failed["PRIORITY"] == ["3"]
        assert (failed["SQL_ERROR"], failed["EXIT_CODE"]) == (["3201"], ["5"])
        assert "uid 10001" in failed["ERROR"][0]


def no_password(site: Installation) -> None:
    site.password_file.unlink()


def wrong_key(site: Installation) -> None:
    site.settings["retention"] = {"daily": 0, "weekly": 0}
    site.write_config()


@pytest.mark.parametrize(
    ("spoil", "words", "code", "says"),
    [
        (wrong_key, ("selfmx-backupd", "run"), 3, "retention.weekly: "),
        (no_password, ("selfmx-backup",), 3, "sqlserver.password_file: cannot read"),
        (no_password, ("selfmx-backup", "--bogus"), 2, "unrecognized arguments: --bogus"),
    ],
)
def test_a_command_that_ends_badly_is_one_error_with_everything_that_it_has_to_say(
    tmp_path: Path,
    spoil: Callable[[Installation], None],
    words: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    site = Installation(tmp_path)
    site.write_config()
    spoil(site)
    with service(site) as journal:
        assert journal.run(*words) == code
        (ended,) = journal.entries
        assert (ended["EVENT"], ended["PRIORITY"]) == (["command.ended"], ["3"])
        assert (ended["COMMAND"], ended["EXIT_CODE"]) == ([words[0]], [str(code)])
        assert says in ended["MESSAGE"][0]
        assert "error" not in journal.lines()


def test_a_backup_that_is_missing_is_an_error_once_for_as_long_as_it_lasts(tmp_path: Path) -> None:
    with Installation(tmp_path) as site, service(site) as journal:
        assert site.run("selfmx-backup").returncode == 0
        (backup,) = site.listed()
        kept = site.backups / backup["file"]
        # Every half second it looks.
        with running(journal, {"WATCHDOG_USEC": "1000000"}):
            journal.wait_for(events.SWEEP_DONE)
            for times in (1, 2):
                kept.rename(tmp_path / "away")
                told = journal.wait_for(events.HEALTH_CRITICAL, times=times)
                assert f"{backup['file']} is missing" in told["PROBLEM"][0]
                time.sleep(1.2)
                journal.read()
                assert journal.errors == ["health.critical"] * times
                (tmp_path / "away").rename(kept)
                time.sleep(2)
