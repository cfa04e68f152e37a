"""The daemon: wakes up, works out what is due, hands it to one worker, tells systemd.

Timers and signals only end the main loop's sleep. What to do is computed at every
wake-up from the directory and the clock, so a timer that was missed, or fired twice,
changes nothing.
"""

import faulthandler
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta

from selfmx_backupd import events, log, text
from selfmx_backupd.adapters import lock
from selfmx_backupd.adapters.signals import Bell
from selfmx_backupd.adapters.systemd import Notifier
from selfmx_backupd.adapters.timers import Timers
from selfmx_backupd.assessment import Assessment, Finding, Situation
from selfmx_backupd.config import Settings
from selfmx_backupd.errors import BackupdError, ConfigError
from selfmx_backupd.jobs import assess
from selfmx_backupd.jobs.adopt import Adoption
from selfmx_backupd.jobs.backup import back_up_due
from selfmx_backupd.jobs.reconcile import reconcile_alone
from selfmx_backupd.jobs.run import Run, settle_the_dead
from selfmx_backupd.jobs.sweep import sweep
from selfmx_backupd.jobs.world import World
from selfmx_backupd.outcomes import Job
from selfmx_backupd.policy import health, schedule
from selfmx_backupd.wiring import health_limits, keep_fixed, world_of
from selfmx_backupd.worker import Recipe, Worker

# How long a stop waits for the server to give a backup up; the unit's stop time-out is longer.
_STOP_WITHIN_S = 30.0
_WAKE_UP_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class _Look:
    """What a wake-up sees, and what is wrong with it."""

    assessed: Assessment
    is_adoptable: bool

    @property
    def seen(self) -> Situation:
        """What was seen."""
        return self.assessed.seen


def serve(load: Callable[[], Settings]) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    Args:
        load: Reads the configuration, now and at every SIGHUP.

    Raises:
        ConfigError: The configuration is wrong at the start.
        Busy: Another daemon runs with the same state directory.
    """
    # The watchdog ends a hung daemon with SIGABRT: this leaves a traceback in the journal.
    faulthandler.enable()
    world = world_of(load())
    notifier = Notifier()
    world.state.make_directory()
    world.state.recall()  # refused here where it is another configuration's
    with lock.hold(world.state.daemon_lock_path, "daemon", world.now()):
        return Daemon(load, world, notifier).run()


class Daemon:
    """The main loop."""

    def __init__(self, load: Callable[[], Settings], world: World, notifier: Notifier) -> None:
        self._load = load
        self._world = world
        self._notifier = notifier
        self._bell = Bell((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        self._timers = Timers(self._bell.ring)
        self._wake_up_every_s = min(_WAKE_UP_EVERY_S, (notifier.watchdog_s or 3600.0) / 2)
        self._worker = Worker(self._bell.ring, self._tell_progress)
        self._reconciled = False
        self._adoption = Adoption()
        self._trouble: str | None = None
        self._standing = ""
        self._told: AbstractSet[str] = frozenset()
        self._began_at = time.monotonic()

    def run(self) -> int:
        """The whole life of the daemon."""
        with self._bell:
            self._timers.register(self._world.schedule)
            self._timers.start()
            settle_the_dead(self._world)
            self._begin()
            while True:
                sleep_s = self._wake_up()
                for number in self._bell.wait(sleep_s):
                    if number != signal.SIGHUP:
                        return self._stop(number)
                    self._reload()

    def _begin(self) -> None:
        look = self._look()
        self._notifier.ready(self._status(look))
        if look is not None:
            runs = schedule.next_runs(look.seen.now, self._world.schedule, 1)
            words = [f"{run.tier} {text.local(run.at, self._world.zone)}" for run in runs]
            log.emit(
                events.DAEMON_READY,
                count=text.count(len(look.seen.verified), "verified backup"),
                directory=self._world.directory.path,
                next_run=f"next {', '.join(words)}" if words else "nothing is scheduled",
            )

    def _wake_up(self) -> float:
        """Look, start what is due, report; return how long to sleep at most, in seconds."""
        look = self._look()
        sleep_s = self._wake_up_every_s
        if look is not None and not self._worker.is_busy:
            sleep_s = min(sleep_s, self._start_what_is_due(look))
            if self._worker.job is not None:
                look = self._look()  # what is being done is not overdue
        self._notifier.status(self._status(look))
        self._notifier.alive()
        return sleep_s

    def _look(self) -> _Look | None:
        """Look and assess; None, and said aloud, where the directory cannot be read."""
        try:
            held = self._world.inventory()
            is_adoptable = self._adoption.wants(self._world, held)
            met = tuple(self._worker.findings(self._world))
            seen = assess.look(self._world, held, self._worker.job, met)
        except BackupdError as error:
            if error.message != self._trouble:
                log.emit(events.DIRECTORY_UNUSABLE, error=error.in_one_line)
            self._trouble = error.message
            return None
        self._trouble = None
        assessed = health.assess(seen, health_limits(self._world.settings.health))
        self._tell(assessed.findings)
        return _Look(assessed, is_adoptable)

    def _tell(self, findings: Sequence[Finding]) -> None:
        """Log what needs a person, each thing once for as long as it lasts."""
        if self._worker.is_busy:
            return  # what is being worked at is neither well nor wrong
        limits = health_limits(self._world.settings.health)
        watched_for = timedelta(seconds=time.monotonic() - self._began_at)
        alarms = health.alarms(findings, limits, watched_for)
        for about, sentence in alarms.items():
            if about not in self._told:
                log.emit(events.HEALTH_CRITICAL, problem=sentence)
        self._told = alarms.keys()

    def _status(self, look: _Look | None) -> str:
        """What can be got back, what comes next, is anything wrong; first what is being done."""
        said = f"PROBLEM: {self._trouble}"
        if look is not None:
            said = text.status(look.assessed, self._world.zone)
        self._standing = said
        doing = self._worker.doing
        return f"{doing} · {said}" if doing else said

    def _tell_progress(self, doing: str) -> None:
        """Called by the worker, between wake-ups."""
        self._notifier.status(f"{doing} · {self._standing}")

    def _start_what_is_due(self, look: _Look) -> float:
        """Hand the most urgent job to the worker; return when to look again, in seconds."""
        rest_s = self._worker.rest_s()
        if rest_s:
            return rest_s
        waits = []
        for job, what, recipe in self._jobs_due(look):
            wait_s = self._wait_s(job, look.seen)
            if not wait_s:
                self._worker.start(self._world, job, what, recipe)
                return self._wake_up_every_s
            waits.append(wait_s)
        return min(waits, default=self._wake_up_every_s)

    def _jobs_due(self, look: _Look) -> Iterator[tuple[Job, str, Recipe]]:
        if not self._reconciled:
            yield Job.VERIFY, "reconciliation", self._reconcile
        if look.seen.due:
            yield Job.BACKUP, "scheduled backup", back_up_due
        if self._sweep_is_due(look.seen):
            yield Job.SWEEP, "scheduled sweep", sweep
        if look.is_adoptable:
            # Last, and one file a run: what is due comes first, and again between two files.
            yield Job.VERIFY, "adoption", self._adoption.adopt_next

    def _reconcile(self, world: World, run: Run) -> None:
        reconcile_alone(world, run)
        self._reconciled = True

    def _wait_s(self, job: Job, seen: Situation) -> float:
        """How long a job still has to wait, in seconds; 0 where it may run."""
        outcome = seen.outcomes.of(job)
        pace = self._world.settings.schedule.retry_after_s
        # From the failure on, not from the attempt: one that takes an hour would be repeated
        # at once.
        failed_at = outcome.last_error.at if outcome.last_error else outcome.last_attempt_at
        at = schedule.retry_at(failed_at, outcome.failures_in_a_row, pace, seen.now)
        wait_s = (at - seen.now).total_seconds() if at else 0.0
        return max(wait_s, self._worker.rest_after_success_s(job, seen.due, pace[-1]))

    def _sweep_is_due(self, seen: Situation) -> bool:
        swept_at = seen.outcomes.of(Job.SWEEP).last_success_at
        return schedule.sweep_is_due(seen.now, self._world.schedule, swept_at)

    def _reload(self) -> None:
        """Take up a new configuration; the old one stays in force where the new is wrong."""
        self._notifier.reloading(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
        try:
            settings, kept = keep_fixed(self._world.settings, self._load())
            self._world = world_of(settings)
        except ConfigError as error:
            log.emit(events.CONFIG_REJECTED, error=error.message)
        else:
            self._timers.register(self._world.schedule)
            log.emit(events.DAEMON_RELOADED)
            if kept:
                log.emit(events.CONFIG_NEEDS_RESTART, keys=kept)
        self._notifier.ready(self._status(self._look()))

    def _stop(self, number: int) -> int:
        """Give up what runs, on the server too, and end."""
        name = signal.Signals(number).name
        self._notifier.stopping(f"stopping on {name}")
        log.emit(events.DAEMON_STOPPING, signal=name)
        self._timers.stop()
        if not self._worker.stop(number, _STOP_WITHIN_S):
            # Stuck in the driver: no way out but the process's end, and none is needed, because
            # the next start repairs what a killed one leaves.
            os._exit(0)
        return 0
