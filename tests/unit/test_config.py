import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmx_backupd import config_values
from selfmx_backupd.config import ENV_PREFIX, Settings, load
from selfmx_backupd.errors import ConfigError
from selfmx_backupd.policy import rules

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
SECRET = "Hunter2-is-my-password"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def problems(file: Path, content: str) -> tuple[str, ...]:
    """What is said about a configuration."""
    file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert "\n".join(caught.value.problems) == caught.value.message
    return caught.value.problems


def keys(document: Mapping[str, Any]) -> set[str]:
    return {f"{section}.{key}" for section, body in document.items() for key in body}


def commented(lines: list[str]) -> Iterator[str]:
    """The keys of the example that have a comment in the line above."""
    section = ""
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#") and before.startswith("# "):
            yield f"{section}.{line.partition('=')[0].strip()}"


def test_the_example_says_the_defaults() -> None:
    assert load(EXAMPLE) == Settings()


def test_the_example_holds_every_key_of_the_model_and_no_other() -> None:
    example = tomllib.loads(EXAMPLE.read_text())
    assert keys(example) == keys(Settings().model_dump())
    assert list(example) == list(Settings.model_fields)


def test_the_example_writes_the_values_that_are_in_force() -> None:
    # Not through `load`, which would fill a gap with the same default.
    example = tomllib.loads(EXAMPLE.read_text())
    assert example == Settings().model_dump(mode="json")


def test_every_key_of_the_example_has_a_comment() -> None:
    example = tomllib.loads(EXAMPLE.read_text())
    assert set(commented(EXAMPLE.read_text().splitlines())) == keys(example)


def test_an_empty_file_means_the_defaults(file: Path) -> None:
    file.write_text("")
    assert load(file) == Settings()
    assert load(file).prefix == "selfmx"


def test_a_missing_file_is_an_error_that_names_the_example(file: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        load(file)
    assert str(file) in caught.value.message
    assert "config.example.toml" in str(caught.value.hint)
    assert "--config" in str(caught.value.hint)


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: is a directory") as caught:
        load(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint == f"Type: ls -l {tmp_path}"


def test_what_is_not_toml_is_named_with_its_line(file: Path) -> None:
    (problem,) = problems(file, f"[sqlserver]\npassword = {SECRET}\n")
    assert problem.startswith("config.toml: not TOML: ")
    assert "line 2" in problem
    assert SECRET not in problem


def test_what_is_not_utf8_is_said_to_be_so(file: Path) -> None:
    file.write_bytes(b'[sqlserver]\ndatabase = "Gr\xf6\xdfe"\n')
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.problems == ("config.toml: not UTF-8 text",)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[bakcup]", "config.toml: bakcup: unknown section, did you mean backup?"),
        ("port = 1", "config.toml: port: unknown section, known are sqlserver, backup, schedule"),
        ("sqlserver = 5", "config.toml: sqlserver: is no section, write [sqlserver]"),
        ("[[state]]\n", "config.toml: state: is no section, write [state]"),
        ("[backup]\ndirectroy = 1", "config.toml: backup.directroy: unknown key, did you mean"),
        ("[health]\nxyz = 1", "health.xyz: unknown key, known are late_after_h, min_free_percent"),
        ("[sqlserver]\nport = 'x'", "config.toml: sqlserver.port: wrong value, should be a"),
        ("[sqlserver]\nport = 65536", "sqlserver.port: wrong value, should be less than or equal"),
        ("[sqlserver]\nport = true", "sqlserver.port: is true or false, write a number"),
        ("[sqlserver]\nencrypt = 'on'", "encrypt: wrong value, should be 'yes', 'no' or 'strict'"),
        ("[sqlserver]\nhost = 'a;PWD=b'", "sqlserver.host: is no host, write a name"),
        ("[backup]\ncompression = 1", "compression: wrong value, should be 'auto', 'on' or 'off'"),
        ("[backup]\ndirectory = 'b'", "backup.directory: is no absolute path, write the whole"),
        ('[state]\ndirectory = "/a\\u0000"', "state.directory: is no absolute path"),
        ("[backup]\nserver_directory = 'C:'", "backup.server_directory: is no absolute path"),
        ("[backup]\nprefix = 'A b'", "backup.prefix: does not fit, write"),
        ("[backup]\nstall_timeout_s = 0", "stall_timeout_s: wrong value, should be greater than"),
        ("[schedule]\ndaily = '24:00'", 'schedule.daily: is not a time of day, write "00:00" to'),
        ("[schedule]\nweekly = 'sonday 3:00'", 'weekly: is not a weekday, write "sunday"'),
        ("[schedule]\nweekly = '03:00'", "schedule.weekly: is not a weekday and a time, write"),
        ("[schedule]\nmonthly = '29 03:00'", 'not every month has a day 29, write "last" for'),
        ("[schedule]\nmonthly = '0 03:00'", 'is not a day of the month, write 1 to 28 or "last"'),
        ("[schedule]\ntimezone = 'Europe/Wien'", 'timezone: is no time zone, write "local" or a'),
        ("[schedule]\ntimezone = '../x'", "schedule.timezone: is no time zone, write"),
        ("[schedule]\nretry_after_s = []", "retry_after_s: wrong value, list should have at least"),
        ("[schedule]\nretry_after_s = [9, 0]", "retry_after_s: wrong value, should be greater"),
        ("[schedule]\nsweep = false", "schedule.sweep: wrong value, should be a valid string"),
        ("[retention]\ndaily = 0", 'does not say how long, write a number from 1 to 36500, or "fo'),
        ("[retention]\nweekly = 'off'", "retention.weekly: does not say how long, write a number"),
        ("[retention]\nmonthly = false", "retention.monthly: does not say how long, write"),
        ("[retention]\nweekly = true", "retention.weekly: does not say how long, write"),
        ("[retention]\nmanual = 36501", "retention.manual: does not say how long, write"),
        ("[retention]\nminimum = 0", "retention.minimum: wrong value, should be greater than"),
        ("[health]\nlate_after_h = 1e9", "health.late_after_h: wrong value, should be less than"),
        ("[sqlserver]\nrestore_user = ''", "sqlserver.restore_user: wrong value, string should"),
        ("[sqlserver]\nrestore_password_file = 'x'", "restore_password_file: is no absolute path"),
        ("[application]\nstop = 'docker stop x'", "application.stop: wrong value, should be a"),
        ("[application]\nstart = ['docker', 5]", "application.start: wrong value, should be a"),
        ("[application]\nstop = ['docker', '']", "application.stop: has an empty word, write the"),
        ('[application]\nhealth = ["a\\u0000"]', "application.health: has an empty word, write"),
        ("[application]\nhealth_timeout_s = 0", "health_timeout_s: wrong value, should be greater"),
    ],
)
def test_a_problem_names_the_key_and_what_would_be_right(
    file: Path, content: str, problem: str
) -> None:
    (found,) = problems(file, content)
    assert problem in found


def test_all_problems_are_said_at_once_and_each_has_its_own_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFMX_BACKUPD_HEALTH__LATE", "1")
    near = "SELFMX_BACKUPD_HEALTH__LATE_AFTER_H"
    found = problems(file, "[x]\n[sqlserver]\nport = 0\nhots = 1\n[retention]\ndaily = 0\n")
    assert [line.split(": ")[:2] for line in found] == [
        ["config.toml", "x"],
        ["SELFMX_BACKUPD_HEALTH__LATE", f"unknown variable, did you mean {near}?"],
        ["config.toml", "sqlserver.port"],
        ["config.toml", "sqlserver.hots"],
        ["config.toml", "retention.daily"],
    ]


def test_a_database_that_cannot_name_files_wants_a_prefix(file: Path) -> None:
    (problem,) = problems(file, "[sqlserver]\ndatabase = 'My Mail'")
    assert problem.startswith("config.toml: backup.prefix: the database's name cannot name files")
    file.write_text("[sqlserver]\ndatabase = 'My Mail'\n[backup]\nprefix = 'my-mail'")
    assert load(file).prefix == "my-mail"


@pytest.mark.parametrize("name", ["Größe", "a_b", "a.b", "x" * 61, "a\n"])
def test_a_prefix_is_made_of_few_characters(file: Path, name: str) -> None:
    (problem,) = problems(file, f"[sqlserver]\ndatabase = {json.dumps(name)}")
    assert "backup.prefix" in problem


def test_forever_is_a_window_without_an_end(file: Path) -> None:
    file.write_text("[retention]\nmonthly = 'forever'\ndaily = '9'\nminimum = 1")
    retention = load(file).retention
    assert (retention.monthly, retention.daily, retention.weekly) == (None, 9, 4)


def test_the_environment_wins_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[sqlserver]\nport = 1\nhost = 'a'\n[retention]\ndaily = 1")
    monkeypatch.setenv("SELFMX_BACKUPD_SQLSERVER__PORT", "2")
    monkeypatch.setenv("selfmx_backupd_retention__daily", "forever")
    monkeypatch.setenv("SELFMX_BACKUPD_SCHEDULE__RETRY_AFTER_S", "[5, 6]")
    monkeypatch.setenv("SELFMX_BACKUPD_SQLSERVER__TRUST_SERVER_CERTIFICATE", "no")
    monkeypatch.setenv("SELFMX_BACKUPD_CONFIG", str(file))
    settings = load(file)
    assert (settings.sqlserver.host, settings.sqlserver.port) == ("a", 2)
    assert settings.retention.daily is None
    assert settings.schedule.retry_after_s == (5, 6)
    assert settings.sqlserver.trust_server_certificate is False


def test_a_command_is_a_list_of_words_and_an_empty_one_is_nothing_to_be_done(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[application]\nstop = ['systemctl', 'stop', 'the app']\nhealth = []")
    monkeypatch.setenv("SELFMX_BACKUPD_APPLICATION__START", '["true"]')
    application = load(file).application
    assert application.stop == ("systemctl", "stop", "the app")
    assert (application.start, application.health) == (("true",), ())


def test_the_login_that_backs_up_is_the_one_that_restores_by_default() -> None:
    server = Settings().sqlserver
    assert (server.restore_user, server.restore_password_file) == (
        server.user,
        server.password_file,
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SQLSERVER__PROT", "1", "unknown variable, did you mean SELFMX_BACKUPD_SQLSERVER__PORT?"),
        ("SQLSERVER", '{"port": 1}', "unknown variable"),
        ("CONFIGS", "/x", "unknown variable, did you mean SELFMX_BACKUPD_CONFIG?"),
        ("SQLSERVER__PASSWORD", SECRET, "did you mean SELFMX_BACKUPD_SQLSERVER__PASSWORD_FILE?"),
        ("SQLSERVER__PORT", SECRET, "wrong value, should be a valid integer"),
        ("SCHEDULE__RETRY_AFTER_S", SECRET, "cannot be read, write a list such as [60, 300]"),
        ("SCHEDULE__RETRY_AFTER_S", "5", "wrong value, should be a valid list"),
        ("BACKUP__DIRECTORY", "", "is no absolute path"),
    ],
)
def test_a_problem_of_the_environment_names_the_variable(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(ENV_PREFIX + name, value)
    (found,) = problems(file, "")
    assert found.startswith(f"{ENV_PREFIX}{name}: ")
    assert problem in found


@pytest.mark.parametrize("place", sorted(keys(Settings().model_dump()) | {"sqlserver.password"}))
def test_no_value_is_ever_shown(file: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    section, key = place.split(".")
    said = problems(file, f'[{section}]\n{key} = "{SECRET}"\n[sqlserverr]\n')
    # The second word is what is wrong where a list of words is right.
    said += problems(file, f"[{section}]\n{key} = ['{SECRET}', '']\n")
    said += problems(file, f"[{section}]\n{key} = [['{SECRET}']]\n")
    monkeypatch.setenv(f"{ENV_PREFIX}{section}__{key}".upper(), SECRET)
    said += problems(file, "x = 1")
    assert SECRET.lower() not in str(said).lower()


@given(st.text(min_size=1).map(lambda text: f"{text} §secret§"))
def test_no_text_of_the_schedule_is_repeated(text: str) -> None:
    for parse in (rules.parse_daily, rules.parse_weekly, rules.parse_monthly):
        with pytest.raises(ValueError, match="write") as caught:
            config_values.readable(parse)(text)
        assert "§secret§" not in str(caught.value)


def test_a_server_directory_loses_its_last_slash(file: Path) -> None:
    file.write_text("[backup]\nserver_directory = '/a/b//'")
    assert load(file).backup.server_directory == "/a/b"
