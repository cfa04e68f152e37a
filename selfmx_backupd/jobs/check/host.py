"""What this host has to offer: files, directories, commands, the clock."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from selfmx_backupd.adapters import accounts, command
from selfmx_backupd.adapters.accounts import Account
from selfmx_backupd.assessment import OLD_TIMER
from selfmx_backupd.errors import ApplicationFailed, ConfigError, DirectoryUnusable
from selfmx_backupd.jobs.restore import application
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import traps
from selfmx_backupd.policy.traps import Check, Subject

# Whom the unit runs as, where nothing yet belongs to anybody.
_DAEMON = "selfmx-backupd"
_COMMANDS = ("selfmx-backup", "selfmx-restore", "selfmx-backupd")
_ASK_WITHIN_S = 10.0
_AS_ROOT = "Type: sudo selfmx-backupd check"


def look(world: World) -> Iterator[Check]:
    """Look at this host."""
    section = world.settings.sqlserver
    for path in dict.fromkeys((section.password_file, section.restore_password_file)):
        yield _password(path)
    state = world.settings.state.directory
    daemon = _daemons_account(state)
    yield _directory(world, daemon)
    yield _state(state, daemon)
    yield from _clock()
    yield from _old_timer()
    yield traps.commands(_shadowed())
    yield _application(world)
    yield traps.network(
        section.host, section.encrypt, trusts_any_certificate=section.trust_server_certificate
    )


def _daemons_account(state: Path) -> Account | None:
    """Systemd gives the state directory to whom the unit runs as; a command may have made it."""
    owner = accounts.owner_of(state)
    if owner is None or owner.uid == 0:
        return accounts.named(_DAEMON) or owner
    return owner


def _password(path: Path) -> Check:
    """Whether it can be read is found out by who logs in with it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except PermissionError:
        return traps.unseen(Subject.PASSWORD, f"{path} cannot be seen", _AS_ROOT)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return traps.critical(Subject.PASSWORD, f"{path}: {reason}", f"Type: ls -l {path}")
    return traps.password_file(str(path), mode)


def _directory(world: World, daemon: Account | None) -> Check:
    path = world.directory.path
    try:
        world.directory.look()
    except DirectoryUnusable as error:
        if isinstance(error.__cause__, PermissionError) and os.geteuid() != 0:
            return traps.unseen(Subject.BACKUP_DIRECTORY, error.message, _AS_ROOT)
        return traps.critical(Subject.BACKUP_DIRECTORY, error.message, error.hint)
    mends = f"Type: chgrp selfmx-backupd {path}; chmod 2770 {path}"
    return _writable(Subject.BACKUP_DIRECTORY, path, daemon, mends)


def _state(path: Path, daemon: Account | None) -> Check:
    owner = accounts.owner_of(path)
    if owner is None or owner.uid == 0:
        # systemd makes it, or gives it to the daemon's user, when the unit starts.
        return traps.well(Subject.STATE_DIRECTORY, f"{path} is not the daemon's before its start")
    return _writable(Subject.STATE_DIRECTORY, path, daemon, f"Type: ls -ld {path}")


def _writable(subject: Subject, path: Path, daemon: Account | None, mends: str) -> Check:
    """Only root may ask on behalf of the daemon's user; anybody else asks for himself."""
    if os.geteuid() != 0:
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            return traps.unseen(
                subject, f"whether the daemon may write to {path} cannot be seen", _AS_ROOT
            )
    elif daemon is not None and not accounts.may_write(daemon, path):
        sentence = f"the daemon's user {daemon.name} may not write to {path}"
        return traps.critical(subject, sentence, mends)
    return traps.well(subject, f"{path} can be read and written")


def _clock() -> Iterator[Check]:
    """Nothing, where systemd does not tell."""
    words = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
    answer = _ask(words)
    if answer in ("yes", "no"):
        yield traps.clock(is_synchronised=answer == "yes")


def _old_timer() -> Iterator[Check]:
    """Nothing, where there is no systemd to ask."""
    answers = [
        _ask(("systemctl", "show", OLD_TIMER, f"--property={name}", "--value"))
        for name in ("ActiveState", "UnitFileState")
    ]
    if answers[0]:
        yield traps.old_timer(answers[0], answers[1] or "")


def _ask(words: tuple[str, ...]) -> str | None:
    if shutil.which(words[0]) is None:
        return None
    try:
        finished = command.run(words, _ASK_WITHIN_S)
    except ApplicationFailed:
        return None
    return finished.output if finished.exit_code == 0 else None


def _shadowed() -> list[str]:
    """What the search path finds elsewhere by the names of our commands."""
    ours = Path(sys.executable).parent.resolve()
    found = [path for name in _COMMANDS if (path := shutil.which(name))]
    return [path for path in found if Path(path).resolve().parent != ours]


def _application(world: World) -> Check:
    try:
        application.ensure_commands(world.settings.application)
    except ConfigError as error:
        return traps.warning(Subject.APPLICATION, error.message, error.hint)
    return traps.well(Subject.APPLICATION, "its commands are there")
