"""Settings to opened adapters, and the only real clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import tzlocal

from selfmx_backupd.adapters.backup_dir import BackupDir
from selfmx_backupd.adapters.clock import Ticks, this_boot
from selfmx_backupd.adapters.state import StateFile
from selfmx_backupd.config import HealthSection, ScheduleSection, Settings
from selfmx_backupd.errors import ConfigError
from selfmx_backupd.jobs.world import World, program_name
from selfmx_backupd.model import Tier
from selfmx_backupd.policy import rules
from selfmx_backupd.policy.health import Limits
from selfmx_backupd.policy.retention import Retention
from selfmx_backupd.policy.schedule import Schedule

if TYPE_CHECKING:
    from selfmx_backupd.adapters.mssql.session import Session


# What a running daemon cannot change: its lock, its names and its memory hang on it.
_FIXED = (
    ("sqlserver", "database"),
    ("backup", "directory"),
    ("backup", "prefix"),
    ("state", "directory"),
)


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)  # noqa: TID251  # the one real clock of this program


def world_of(settings: Settings) -> World:
    """Everything that a recipe works with, made from the configuration.

    Raises:
        ConfigError: This host's time zone cannot be told.
    """
    zone = _zone(settings.schedule.timezone)
    section = settings.retention
    return World(
        settings=settings,
        zone=zone,
        schedule=_schedule(settings.schedule, zone),
        retention=Retention(
            daily=section.daily,
            weekly=section.weekly,
            monthly=section.monthly,
            manual=section.manual,
            pre_restore=section.pre_restore,
            minimum=section.minimum,
        ),
        directory=BackupDir(
            settings.backup.directory, settings.backup.server_directory, settings.prefix
        ),
        state=StateFile(settings.state.directory, f"{settings.backup.directory}/{settings.prefix}"),
        ticks=Ticks(settings.state.directory, this_boot()),
        connect=lambda: _connect(settings, to_restore=False),
        connect_to_restore=lambda: _connect(settings, to_restore=True),
        now=now,
    )


def health_limits(section: HealthSection) -> Limits:
    """When something is called wrong."""
    return Limits(timedelta(hours=section.late_after_h), section.min_free_percent)


def keep_fixed(old: Settings, new: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The new settings with the old values of what only a restart may change."""
    kept = []
    for section, key in _FIXED:
        before, after = getattr(old, section), getattr(new, section)
        if getattr(before, key) != getattr(after, key):
            kept.append(f"{section}.{key}")
            fixed = after.model_copy(update={key: getattr(before, key)})
            new = new.model_copy(update={section: fixed})
    return new, tuple(kept)


def _connect(settings: Settings, *, to_restore: bool) -> Session:
    # Imported when it is needed: pyodbc cannot be imported where unixODBC is missing, and
    # commands that ask no server must work there.
    from selfmx_backupd.adapters.mssql.connect import Target, connect  # noqa: PLC0415

    section = settings.sqlserver
    target = Target(
        host=section.host,
        port=section.port,
        user=section.restore_user if to_restore else section.user,
        password_file=section.restore_password_file if to_restore else section.password_file,
        driver=section.driver,
        encrypt=section.encrypt,
        trust_server_certificate=section.trust_server_certificate,
        login_timeout_s=section.login_timeout_s,
        keys="restore_" if to_restore else "",
    )
    # systemd's credential is the password of the login that backs up.
    credentials = None if to_restore else os.environ.get("CREDENTIALS_DIRECTORY")
    return connect(target, program_name(settings.prefix), credentials)


def _schedule(section: ScheduleSection, zone: ZoneInfo) -> Schedule:
    read = {
        Tier.DAILY: rules.parse_daily(section.daily),
        Tier.WEEKLY: rules.parse_weekly(section.weekly),
        Tier.MONTHLY: rules.parse_monthly(section.monthly),
    }
    return Schedule(
        zone=zone,
        tiers=MappingProxyType({tier: rule for tier, rule in read.items() if rule}),
        sweep=rules.parse_time(section.sweep),
    )


def _zone(name: str) -> ZoneInfo:
    if name != "local":
        return ZoneInfo(name)
    try:
        # It answers with nothing, or raises, where /etc/localtime and /etc/timezone are
        # missing or contradict each other.
        return ZoneInfo(tzlocal.get_localzone_name() or "")
    except (LookupError, ValueError, OSError) as error:
        raise ConfigError(
            ("schedule.timezone: this host's time zone cannot be told, write its name",),
            hint='Set schedule.timezone, e.g. to "Europe/Vienna". Type: timedatectl',
        ) from error
