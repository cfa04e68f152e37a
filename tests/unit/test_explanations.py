import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from selfmx_backupd.cli import table
from selfmx_backupd.event import Event, Level
from selfmx_backupd.events import ALL
from selfmx_backupd.explanations import EXPLANATIONS, catalog

REPOSITORY = Path(__file__).parents[2]
CATALOG = REPOSITORY / "systemd" / "selfmx-backupd.catalog"
EVENTS = pytest.mark.parametrize("event", ALL, ids=lambda event: event.name)
LOUD = [event for event in ALL if event.level in (Level.WARNING, Level.ERROR)]
# What every entry has, whatever the event.
ALWAYS = {"MESSAGE_ID"}
OTHERS = {"systemctl", "journalctl", "docker", "df", "ls", "lsattr", "findmnt", "editor"}


def test_every_event_is_explained_and_nothing_else() -> None:
    assert set(EXPLANATIONS) == set(ALL)


@EVENTS
def test_an_explanation_is_sentences(event: Event) -> None:
    text = EXPLANATIONS[event].text
    assert text.endswith((".", "?"))
    assert "\n" not in text
    assert "  " not in text


@EVENTS
def test_an_explanation_names_only_fields_that_the_event_has(event: Event) -> None:
    explained = EXPLANATIONS[event]
    named = set(re.findall(r"@(\w+)@", " ".join((explained.text, *explained.commands))))
    assert named <= {field.upper() for field in event.fields} | ALWAYS


@pytest.mark.parametrize("event", LOUD, ids=lambda event: event.name)
def test_what_is_wrong_has_a_command_to_type(event: Event) -> None:
    assert EXPLANATIONS[event].commands


@EVENTS
def test_a_command_that_is_named_exists(event: Event) -> None:
    for command in EXPLANATIONS[event].commands:
        program, *words = command.split()
        ours = {each.name: each for each in table.of(program)}
        assert ours or program in OTHERS, command
        if ours and words:
            alone = ours[None].arguments if None in ours else ()
            options = {word for each in alone for word in each.words}
            assert words[0] in {*ours, *options, "@FILE@"}, command


def test_the_catalog_is_the_one_that_make_catalog_writes() -> None:
    assert CATALOG.read_text(encoding="utf-8") == catalog(), "type: make catalog"


def test_the_journal_takes_the_catalog_and_shows_every_event(tmp_path: Path) -> None:
    program = shutil.which("journalctl")
    if program is None:
        skip = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        skip("journalctl is not installed")
    folder = tmp_path / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    shutil.copy(CATALOG, folder)

    def journalctl(word: str) -> str:
        command = (program, f"--root={tmp_path}", word)
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        assert done.stderr == ""
        return done.stdout

    journalctl("--update-catalog")
    listed = dict(line.split(" ", 1) for line in journalctl("--list-catalog").splitlines())
    assert listed == {event.message_id: f"selfmx-backupd: {event.name}" for event in ALL}
    shown = journalctl("--dump-catalog")
    for event in ALL:
        for command in EXPLANATIONS[event].commands:
            assert f"\n    {command}\n" in shown
