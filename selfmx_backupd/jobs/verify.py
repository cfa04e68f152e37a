"""A published backup is proven again, and its manifest says what is true of it now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from selfmx_backupd import log
from selfmx_backupd.adapters import lock, process
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import BackupUnusable
from selfmx_backupd.events import DAMAGE_LIFTED
from selfmx_backupd.jobs import known
from selfmx_backupd.jobs.prove import ensure_not_newer, prove_or_mark
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Due, Entry, State, Verified
from selfmx_backupd.policy import schedule

# The daemon asks every ten seconds for a lock that was taken.
_PAUSE_S = 11.0


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it.

    Attributes:
        verified: When and by what it is proven now.
        lifted: Why it was called damaged until now; None where it was not.
        entry: The backup as the directory shows it now.
    """

    verified: Verified
    lifted: str | None
    entry: Entry


def verify(world: World, run: Run, file: str) -> Proof:
    """Prove a backup again: size, header, RESTORE VERIFYONLY and SHA-256.

    One that was called damaged and passes everything is good: a copy that was half done may
    be whole by now, a disk may be well again.

    Raises:
        BackupUnusable: It is missing, unknown, or damaged, which its manifest says from now on.
        BackupdError: It could not be proven, for a reason that is not its own.
    """
    entry = known.find(world, file)
    if entry.state is State.MISSING:
        raise BackupUnusable(
            f"{file} is missing: {entry.reason}",
            hint=f"Put it back, or accept that it is lost: selfmx-backup forget {file}",
        )
    backup = known.described(entry)
    run.step("connecting")
    with world.session() as session:
        ensure_not_newer(session, file, backup.server.version)
        run.step("verifying", file)
        proven = replace(prove_or_mark(world, run, session, backup), damaged=None)
    world.directory.write_manifest(proven)
    lifted = entry.reason if entry.state is State.DAMAGED else None
    if lifted is not None:
        log.emit(DAMAGE_LIFTED, file=file, reason=lifted)
    assert proven.verified is not None  # noqa: S101  # this is what a proof gives
    return Proof(proven.verified, lifted, known.find(world, file))


def give_way(
    world: World, served: tuple[Due, ...], cancel: Cancel, pause_s: float = _PAUSE_S
) -> tuple[Due, ...]:
    """Between two proofs, let the daemon take the lock for a backup that is due.

    Args:
        world: What it works with.
        served: The tiers for which there has been a pause already.
        cancel: Ends it early.
        pause_s: How long the lock is left alone.

    Returns:
        The tiers that are due now.
    """
    due = schedule.due(world.now(), world.schedule, world.inventory().verified(world.database))
    pid = lock.pid_in(world.state.daemon_lock_path)
    if due != served and due and pid is not None and process.is_alive(pid):
        cancel.wait(pause_s)
        cancel.check()
    return due
