"""The configuration: its model, its defaults, and `load`. Pydantic is used only here.

The password is not part of it: it is read when connecting, so that commands which
ask no server need no secret.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from selfmx_backupd.errors import ConfigError
from selfmx_backupd.policy import schedule

DEFAULT_PATH = Path("/etc/selfmx-backupd/config.toml")
ENV_PREFIX = "SELFMX_BACKUPD_"
ENV_CONFIG = f"{ENV_PREFIX}CONFIG"
PREFIX_PATTERN = re.compile(r"[a-z0-9-]{1,60}")

_HINT = "Compare it with config.example.toml, mend it, then type the command again."


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("is relative, write the whole path from / on")
    return path


def _server_directory(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("is relative, write the whole path from / on, as SQL Server sees it")
    return path.rstrip("/") or "/"


def _zone_name(name: str) -> str:
    if name == "local":
        return name
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            'is no time zone, write "local" or a name such as "Europe/Vienna"'
        ) from None
    return name


def _window(value: object) -> int | None:
    if value == "forever":
        return None
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError('is ambiguous, write a number from 1 on, or "forever"')
    return value


def _prefix(value: str) -> str:
    if value != "auto" and not PREFIX_PATTERN.fullmatch(value):
        raise ValueError('does not fit, write "auto" or 1 to 60 of the characters a-z, 0-9 and -')
    return value


def _parses(parse: Callable[[str], object]) -> AfterValidator:
    """A validator that keeps the text and only asks whether the policy can read it."""

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
Window = Annotated[int | None, BeforeValidator(_window)]
Seconds = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SqlServer(_Section):
    """Where SQL Server is and how to log in."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 1433
    database: Annotated[str, Field(min_length=1, max_length=128)] = "SelfMX"
    user: Annotated[str, Field(min_length=1, max_length=128)] = "selfmx_backup"
    password_file: AbsolutePath = Path("/etc/selfmx-backupd/sqlserver-password")
    driver: Annotated[str, Field(min_length=1)] = "auto"
    encrypt: Literal["yes", "no", "strict"] = "yes"
    trust_server_certificate: bool = True
    login_timeout_s: Annotated[int, Field(ge=1, le=300)] = 15


class BackupSection(_Section):
    """Where backups go and how they are taken."""

    directory: AbsolutePath = Path("/data/selfmx/backups")
    server_directory: Annotated[str, AfterValidator(_server_directory)] = "/var/opt/mssql/backup"
    prefix: Annotated[str, AfterValidator(_prefix)] = "auto"
    compression: Literal["auto", "on", "off"] = "auto"
    stall_timeout_s: Seconds = 1800


class ScheduleSection(_Section):
    """When backups are due. The texts are read by `policy.schedule`."""

    timezone: Annotated[str, AfterValidator(_zone_name)] = "local"
    daily: Annotated[str, _parses(schedule.parse_daily)] = "03:00"
    weekly: Annotated[str, _parses(schedule.parse_weekly)] = "sunday 03:00"
    monthly: Annotated[str, _parses(schedule.parse_monthly)] = "1 03:00"
    sweep: Annotated[str, _parses(schedule.parse_time)] = "04:00"
    retry_after_s: Annotated[tuple[Seconds, ...], Field(min_length=1)] = (60, 300, 900, 3600)


class RetentionSection(_Section):
    """How long backups are kept; None is for ever."""

    daily: Window = 7
    weekly: Window = 4
    monthly: Window = 12
    manual: Window = 30
    pre_restore: Window = 30
    minimum: Annotated[int, Field(ge=1)] = 3


class HealthSection(_Section):
    """When something is called wrong."""

    late_after_h: Annotated[int, Field(ge=1)] = 2
    min_free_percent: Annotated[int, Field(ge=0, le=99)] = 10


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
        raise ConfigError((*unknown, *wrong), hint=_HINT) from None
    except SettingsError as error:
        raise ConfigError((*unknown, f"environment: {_lower(str(error))}"), hint=_HINT) from None
    if not PREFIX_PATTERN.fullmatch(settings.prefix):
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
    known = [ENV_CONFIG, *(_variable(section, key) for section, key in _all_keys())]
    return tuple(
        f"{name}: unknown variable{_suggestion(name.upper(), known)}"
        for name in sorted(os.environ)
        if name.upper().startswith(ENV_PREFIX) and name.upper() not in known
    )


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
        return f"{where}: unknown key{_suggestion(key, keys)}"
    if error["type"] == "value_error":
        return f"{where}: {error['ctx']['error']}"
    return f"{where}: wrong value, {_lower(error['msg'].removeprefix('Input '))}"


def _suggestion(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else f", known are {', '.join(known)}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
