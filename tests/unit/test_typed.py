"""Beside a second database a hint must not act on the first."""

from pathlib import Path

import pytest

from selfmx_backupd.typed import for_configuration

OTHER = Path("/etc/selfmx-backupd/other.toml")
OPTION = "--config /etc/selfmx-backupd/other.toml"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Type: selfmx-restore --undo", f"Type: selfmx-restore {OPTION} --undo"),
        ("The list: selfmx-restore", f"The list: selfmx-restore {OPTION}"),
        (
            "Take another one: selfmx-backup. Damage",
            f"Take another one: selfmx-backup {OPTION}. Damage",
        ),
        (
            "accept the loss: selfmx-backup forget selfmx_20261123_030002.bak",
            f"accept the loss: selfmx-backup {OPTION} forget selfmx_20261123_030002.bak",
        ),
        ("Type: sudo selfmx-backupd status", f"Type: sudo selfmx-backupd {OPTION} status"),
        ("Type: selfmx-backupd check", f"Type: selfmx-backupd {OPTION} check"),
        (
            "systemctl status selfmx-backupd; systemctl start selfmx-backupd",
            "systemctl status selfmx-backupd@other; systemctl start selfmx-backupd@other",
        ),
        (
            "Type: journalctl -u selfmx-backupd -n 50",
            "Type: journalctl -u selfmx-backupd@other -n 50",
        ),
    ],
)
def test_a_command_acts_on_the_configuration_that_it_was_told_of(sentence: str, said: str) -> None:
    assert for_configuration(sentence, OTHER) == said
    assert for_configuration(said, OTHER) == said, "whoever passes it on passes it as it is"


@pytest.mark.parametrize(
    "sentence",
    [
        "Type: chgrp selfmx-backupd /data; chmod 2770 /data",
        "Type: pip install 'selfmx-backupd[msodbc]'",
        "Type: systemctl disable --now selfmx-backup.timer",
        "Type: systemctl restart selfmx-backupd@third",
        "/usr/local/bin/selfmx-backup comes first",
        "upgrade selfmx-backupd, then type the command again",
        "docker logs --tail 50 selfmx-sqlserver",
        "the login selfmx_backup lacks it",
    ],
)
def test_what_is_no_command_of_ours_stays_as_it_is(sentence: str) -> None:
    assert for_configuration(sentence, OTHER) == sentence


def test_a_path_with_blanks_is_quoted_and_a_file_elsewhere_is_no_instance() -> None:
    config = Path("/root/my config.toml")
    said = for_configuration("Type: selfmx-restore --undo; systemctl stop selfmx-backupd", config)
    option = "--config '/root/my config.toml'"
    assert said == f"Type: selfmx-restore {option} --undo; systemctl stop selfmx-backupd"
