"""`selfmx-backupd schedule` and `simulate` as processes, with nothing but a configuration."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.installation import Installation

SCHEMAS = Path(__file__).parents[2] / "packaging" / "json-schemas"
TOKYO = ZoneInfo("Asia/Tokyo")  # 03:00 there is the day before in UTC


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A configuration whose directory, password, state and driver do not exist."""
    root = tmp_path_factory.mktemp("bare")
    installation = Installation(root)
    gone = str(root / "gone")
    installation.settings["sqlserver"].update(password_file=gone, driver=gone)
    installation.settings["backup"]["directory"] = gone
    installation.settings["state"]["directory"] = gone
    installation.settings["schedule"] = {"timezone": "Europe/Vienna", "daily": "02:30"}
    installation.write_config()
    return installation


def answer(bare: Installation, *words: str, env: Mapping[str, str] | None = None) -> str:
    done = bare.run("selfmx-backupd", *words, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def document(
    bare: Installation, *words: str, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The answer in JSON, which its schema describes, and not one with a key more or less."""
    found: dict[str, Any] = json.loads(answer(bare, *words, env=env))
    describes = validator(next(word for word in words if not word.startswith("-")))
    describes.validate(found)
    for key in found:
        shorter = {name: value for name, value in found.items() if name != key}
        with pytest.raises(ValidationError):
            describes.validate(shorter)
    with pytest.raises(ValidationError):
        describes.validate({**found, "surprise": 1})
    return found


def test_a_year_of_runs_has_two_notes_on_summer_time(bare: Installation) -> None:
    found = document(bare, "schedule", "--count", "440", "--json")
    assert len(found["runs"]) == 440
    daily = [run for run in found["runs"] if "daily" in run["tiers"]]
    notes = [note for run in daily for note in run["notes"]]
    assert {note["change"] for note in notes} == {"skipped", "repeated"}
    assert {note["configured"][11:] for note in notes} == {"02:30:00"}
    at = datetime.fromisoformat(found["at"])
    for run in found["runs"]:
        runs_at = datetime.fromisoformat(run["at"])
        assert datetime.fromisoformat(run["local"]) == runs_at
        assert run["in_s"] == (runs_at - at) // timedelta(seconds=1)
    altered = deepcopy(found)
    altered["runs"][0]["surprise"] = 1
    with pytest.raises(ValidationError):
        validator("schedule").validate(altered)


def test_the_next_ten_runs_are_a_table(bare: Installation) -> None:
    env = {"SELFMX_BACKUPD_SCHEDULE__WEEKLY": "off", "SELFMX_BACKUPD_SCHEDULE__MONTHLY": "off"}
    header, *lines = answer(bare, "schedule", env=env).splitlines()
    assert header.split() == ["BACKUP", "UTC", "IN", "TIERS"]
    runs = [line for line in lines if re.fullmatch(r"\S+ 0[23]:\d\d CES?T .*\bdaily", line)]
    assert len(runs) == 10
    assert lines[-1] == "off: weekly, monthly"
    assert lines[-2].startswith("sweep: every day at 04:00, next ")


def test_400_days_with_the_defaults_leave_21_or_22_files_of_a_year(bare: Installation) -> None:
    env = {"SELFMX_BACKUPD_SCHEDULE__DAILY": "03:00"}
    found = document(bare, "simulate", "--json", "--days", "400", env=env)
    assert found["kept"]["files"] == len(found["backups"]) in (21, 22)
    kept_as = {tier: each["files"] for tier, each in found["kept_as"].items()}
    assert kept_as == {"daily": 7, "weekly": 4, "monthly": 12}
    assert found["taken"] == found["removed"] + found["kept"]["files"]
    oldest, end = (
        datetime.fromisoformat(text) for text in (found["kept"]["oldest_at"], found["ends_at"])
    )
    assert timedelta(days=330) < end - oldest < timedelta(days=367)


def test_a_calendar_shows_which_days_can_be_restored(bare: Installation) -> None:
    env = {"SELFMX_BACKUPD_SCHEDULE__TIMEZONE": "Asia/Tokyo"}
    words = ("simulate", "--days", "60", "--off", "50..52", "--off", "55..55")
    found = document(bare, "--json", *words, env=env)
    told = answer(bare, *words, env=env).splitlines()
    assert max(map(len, told)) <= 80
    rows = [line for line in told if re.match(r"[0-9]{4}-[0-9]{2}  ", line)]
    drawn = "".join(row[9:].strip() for row in rows)
    assert len(drawn) == 60
    assert [n for n, mark in enumerate(drawn, start=1) if mark == "-"] == [50, 51, 52, 55]
    first = datetime.fromisoformat(found["at"]).astimezone(TOKYO).date()
    days = {
        (datetime.fromisoformat(each["started_at"]).astimezone(TOKYO).date() - first).days + 1
        for each in found["backups"]
    }
    assert {n for n, mark in enumerate(drawn, start=1) if mark in "mwd"} == days
    newest = datetime.fromisoformat(found["kept"]["newest_at"]).astimezone(TOKYO)
    (total,) = [line.split() for line in told if line.startswith("all ")]
    assert total[1] == str(found["kept"]["files"])
    assert total[3] == f"{newest:%Y-%m-%d}"
