"""The configuration: its model, its defaults, and `load`. Pydantic is used only here.

The password is not part of it: it is read when connecting, so that commands which
ask no server need no secret.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from selfmx_backupd import config_values as values
from selfmx_backupd.errors import ConfigError
from selfmx_backupd.policy import rules
from selfmx_backupd.policy.retention import LONGEST_WINDOW

DEFAULT_PATH = Path("/etc/selfmx-backupd/config.toml")
ENV_PREFIX = "SELFMX_BACKUPD_"
ENV_CONFIG = f"{ENV_PREFIX}CONFIG"

_HINT = "Compare it with config.example.toml, mend it, then type the command again."


def _parses(parse: Callable[[str], object]) -> AfterValidator:
    return AfterValidator(values.readable(parse))


AbsolutePath = Annotated[Path, AfterValidator(values.absolute)]
Window = Annotated[int | None, BeforeValidator(values.window)]
Number = Annotated[int, BeforeValidator(values.number)]
Words = tuple[Annotated[str, AfterValidator(values.word)], ...]
# A year, so that no sum of times can leave the calendar.
Seconds = Annotated[Number, Field(ge=1, le=366 * 86_400)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SqlServer(_Section):
    """Where SQL Server is and how to log in."""

    host: Annotated[str, Field(min_length=1), AfterValidator(values.host)] = "127.0.0.1"
    port: Annotated[Number, Field(ge=1, le=65535)] = 1433
    database: Annotated[str, Field(min_length=1, max_length=128)] = "SelfMX"
    user: Annotated[str, Field(min_length=1, max_length=128)] = "selfmx_backup"
    password_file: AbsolutePath = Path("/etc/selfmx-backupd/sqlserver-password")
    restore_user: Annotated[str, Field(min_length=1, max_length=128)] = "selfmx_backup"
    restore_password_file: AbsolutePath = Path("/etc/selfmx-backupd/sqlserver-password")
    driver: Annotated[str, Field(min_length=1)] = "auto"
    encrypt: Literal["yes", "no", "strict"] = "yes"
    trust_server_certificate: bool = True
    login_timeout_s: Annotated[Number, Field(ge=1, le=300)] = 15


class BackupSection(_Section):
    """Where backups go and how they are taken."""

    directory: AbsolutePath = Path("/data/selfmx/backups")
    server_directory: Annotated[str, AfterValidator(values.server_directory)] = (
        "/var/opt/mssql/backup"
    )
    prefix: Annotated[str, AfterValidator(values.prefix)] = "auto"
    compression: Literal["auto", "on", "off"] = "auto"
    stall_timeout_s: Seconds = 1800


class ScheduleSection(_Section):
    """When backups are due. The texts are read by `policy.rules`."""

    timezone: Annotated[str, AfterValidator(values.zone)] = "local"
    daily: Annotated[str, _parses(rules.parse_daily)] = "03:00"
    weekly: Annotated[str, _parses(rules.parse_weekly)] = "sunday 03:00"
    monthly: Annotated[str, _parses(rules.parse_monthly)] = "1 03:00"
    sweep: Annotated[str, _parses(rules.parse_time)] = "04:00"
    retry_after_s: Annotated[tuple[Seconds, ...], Field(min_length=1)] = (60, 300, 900, 3600)


class RetentionSection(_Section):
    """How long backups are kept; None is for ever."""

    daily: Window = 7
    weekly: Window = 4
    monthly: Window = 12
    manual: Window = 30
    pre_restore: Window = 30
    minimum: Annotated[Number, Field(ge=1, le=LONGEST_WINDOW)] = 3


class HealthSection(_Section):
    """When something is called wrong."""

    late_after_h: Annotated[Number, Field(ge=1, le=366 * 24)] = 2
    min_free_percent: Annotated[Number, Field(ge=0, le=99)] = 10


class ApplicationSection(_Section):
    """The application that a restore stops: commands, run without a shell."""

    stop: Words = ("docker", "stop", "selfmx-app")
    start: Words = ("docker", "start", "selfmx-app")
    health: Words = (
        *("docker", "exec", "selfmx-app"),
        *("wget", "-qO-", "http://127.0.0.1:17400/health"),
    )
    health_timeout_s: Seconds = 60


class StateSection(_Section):
    """Where outcomes are remembered."""

    directory: AbsolutePath = Path("/var/lib/selfmx-backupd")


class Settings(BaseSettings):
    """The whole configuration, validated and frozen."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    sqlserver: SqlServer = SqlServer()
    backup: BackupSection = BackupSection()
    schedule: ScheduleSection = ScheduleSection()
    retention: RetentionSection = RetentionSection()
    health: HealthSection = HealthSection()
    application: ApplicationSection = ApplicationSection()
    state: StateSection = StateSection()

    @property
    def prefix(self) -> str:
        """What the names of our backups begin with."""
        if self.backup.prefix != "auto":
            return self.backup.prefix
        return self.sqlserver.database.lower()

    @classmethod
    def settings_customise_sources(  # the base class fixes names and number of parameters
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # fixed by the base class
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # fixed by the base class
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (whose values come in as arguments)."""
        return env_settings, init_settings


def load(path: Path) -> Settings:
    """Read and validate the configuration.

    Args:
        path: The TOML file. It must exist: a missing file would silently mean defaults.

    Raises:
        ConfigError: With every problem at once; no message shows a value, which could be
            a secret in the wrong place.
    """
    content = _read(path)
    unknown = _unknown_sections(content, path.name) + _unknown_variables()
    known = {name: section for name, section in content.items() if name in Settings.model_fields}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        wrong = tuple(_sentence(path.name, each) for each in error.errors(include_input=False))
        # An unknown variable is met twice: by its name, and as a key of its section.
        raise ConfigError(tuple(dict.fromkeys((*unknown, *wrong))), hint=_HINT) from None
    except SettingsError:
        raise ConfigError((*unknown, *_unreadable_variables()), hint=_HINT) from None
    if not values.PREFIX.fullmatch(settings.prefix):
        sentence = (
            f"{path.name}: backup.prefix: the database's name cannot name files, "
            "set 1 to 60 of the characters a-z, 0-9 and -"
        )
        unknown = (*unknown, sentence)
    if unknown:
        raise ConfigError(unknown, hint=_HINT)
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            (f"{path}: no such file",),
            hint="Write one from config.example.toml, or name another with --config PATH "
            f"or {ENV_CONFIG}.",
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((f"{path.name}: not TOML: {_lower(str(error))}",), hint=_HINT) from None
    except UnicodeDecodeError:
        raise ConfigError((f"{path.name}: not UTF-8 text",), hint=_HINT) from None
    except OSError as error:
        raise ConfigError(
            (f"{path}: cannot be read: {_lower(error.strerror or 'unknown error')}",),
            hint=f"Type: ls -l {path}",
        ) from None


def _unknown_sections(content: dict[str, Any], file: str) -> tuple[str, ...]:
    sections = tuple(Settings.model_fields)
    return tuple(
        f"{file}: {name}: unknown section{_suggestion(name, sections)}"
        for name in content
        if name not in sections
    )


def _unknown_variables() -> tuple[str, ...]:
    known = _known_variables()
    return tuple(
        _unknown_variable(name.upper())
        for name in sorted(os.environ)
        if name.upper().startswith(ENV_PREFIX) and name.upper() not in known
    )


def _unknown_variable(name: str) -> str:
    return f"{name}: unknown variable{_suggestion(name, _known_variables())}"


def _known_variables() -> list[str]:
    return [ENV_CONFIG, *(_variable(section, key) for section, key in _all_keys())]


def _unreadable_variables() -> tuple[str, ...]:
    """Lists must be JSON, and this is asked before any value is looked at."""
    lists = [_variable(section, key) for section, key in _all_keys() if _is_list(section, key)]
    return tuple(
        f"{name}: cannot be read, write a list such as [60, 300]"
        for name in sorted(os.environ)
        if name.upper() in lists
    )


def _is_list(section: str, key: str) -> bool:
    return isinstance(getattr(Settings.model_fields[section].default, key), tuple)


def _all_keys() -> list[tuple[str, str]]:
    return [
        (section, key)
        for section, field in Settings.model_fields.items()
        for key in field.annotation.model_fields  # type: ignore[union-attr]  # all are sections
    ]


def _variable(section: str, key: str) -> str:
    return f"{ENV_PREFIX}{section}__{key}".upper()


def _sentence(file: str, error: ErrorDetails) -> str:
    """One problem as `config.toml: section.key: what is wrong, what would be right`."""
    section, *rest = (str(part) for part in error["loc"])
    key = rest[0] if rest else ""
    where = f"{file}: {section}.{key}".rstrip(".")
    if key and _variable(section, key) in {name.upper() for name in os.environ}:
        where = _variable(section, key)
    if error["type"] == "extra_forbidden":
        keys = [known for owner, known in _all_keys() if owner == section]
        if where == _variable(section, key):
            return _unknown_variable(where)
        return f"{where}: unknown key{_suggestion(key, keys)}"
    if error["type"] == "model_type":
        return f"{where}: is no section, write [{section}] and its keys below"
    if error["type"] == "value_error":
        return f"{where}: {error['ctx']['error']}"
    wrong = _lower(error["msg"].removeprefix("Input ")).replace("tuple", "list")
    return f"{where}: wrong value, {wrong}"


def _suggestion(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else f", known are {', '.join(known)}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
