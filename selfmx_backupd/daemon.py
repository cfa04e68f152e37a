"""The daemon: wakes up, works out what is due, hands it to one worker, tells systemd.

Timers and signals only end the main loop's sleep. What to do is computed at every
wake-up from the directory and the clock (`jobs/wake_up.py`), so a timer that was missed,
or fired twice, changes nothing.
"""

import faulthandler
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from selfmx_backupd import events, log, text
from selfmx_backupd.adapters import lock
from selfmx_backupd.adapters.signals import Bell
from selfmx_backupd.adapters.systemd import Notifier
from selfmx_backupd.adapters.timers import Timers
from selfmx_backupd.assessment import Finding
from selfmx_backupd.config import Settings
from selfmx_backupd.errors import BackupdError, ConfigError
from selfmx_backupd.jobs import wake_up
from selfmx_backupd.jobs.adopt import Adoption
from selfmx_backupd.jobs.backup import back_up_due
from selfmx_backupd.jobs.reconcile import reconcile_alone
from selfmx_backupd.jobs.run import settle_the_dead
from selfmx_backupd.jobs.sweep import sweep
from selfmx_backupd.jobs.wake_up import Look, Task, Worked
from selfmx_backupd.jobs.world import World
from selfmx_backupd.policy import health, schedule
from selfmx_backupd.typed import typed
from selfmx_backupd.wiring import health_limits, keep_fixed, world_of
from selfmx_backupd.worker import Recipe, Worker

# How long a stop waits for the server to give a backup up; the unit's stop time-out is longer.
_STOP_WITHIN_S = 30.0
_WAKE_UP_EVERY_S = 30.0


# What is done when it is due; an adoption remembers more than its world.
RECIPES: Mapping[Task, Recipe] = MappingProxyType(
    {
        Task.RECONCILE: reconcile_alone,
        Task.BACK_UP: back_up_due,
        Task.SWEEP: lambda world, run: sweep(world, run, world.guard()),
    }
)


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
        self._adoption = Adoption()
        self._recipes = {**RECIPES, Task.ADOPT: self._adoption.adopt_next}
        self._trouble: str | None = None
        self._stuck: str | None = None
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
        self._beat()
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
        """Look, begin what is due, report; return how long to sleep at most, in seconds."""
        self._beat()
        # Asked before the look: what a job does that ends meanwhile may not have been seen.
        is_free = not self._worker.is_busy
        look = self._look()
        sleep_s = self._wake_up_every_s
        if is_free and look is not None:
            sleep_s = min(sleep_s, self._begin_what_is_due(look))
            if self._worker.job is not None:
                look = self._look()  # what is being done is not overdue
        self._notifier.status(self._status(look))
        if self._is_sound():
            self._notifier.alive()
        return sleep_s

    def _is_sound(self) -> bool:
        """Whether it works; where only a new process could, systemd's watchdog is left to act.

        A slow backup is sound however long it takes, and so is a hung scheduler: it only
        rings, and the loop wakes up without it.
        """
        trouble = self._worker.stuck_in
        if trouble is not None:
            trouble = f"{trouble} does not end, though it was told to"
        elif not self._timers.is_alive:
            trouble = "the scheduler's thread has died"
        if trouble is not None and trouble != self._stuck:
            log.emit(events.DAEMON_STUCK, reason=trouble)
        self._stuck = trouble
        return trouble is None

    def _beat(self) -> None:
        error = self._world.ticks.beat(self._world.now())
        if error is not None:
            log.emit(events.CLOCK_UNREMEMBERED, error=error.in_one_line)

    def _look(self) -> Look | None:
        """Look and assess; None, and said aloud, where the directory cannot be read."""
        worked = Worked(
            is_reconciled=self._worker.has_done(Task.RECONCILE),
            job=self._worker.job,
            met=tuple(self._worker.findings(self._world)),
        )
        limits = health_limits(self._world.settings.health)
        try:
            look = wake_up.look(self._world, self._adoption, worked, limits)
        except BackupdError as error:
            if error.message != self._trouble:
                log.emit(events.DIRECTORY_UNUSABLE, error=error.in_one_line)
            self._trouble = error.message
            return None
        self._trouble = None
        self._tell(look.assessed.findings)
        return look

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

    def _status(self, look: Look | None) -> str:
        """What can be got back, what comes next, is anything wrong; first what is being done."""
        said = f"PROBLEM: {self._trouble}"
        if look is not None:
            said = typed(text.status(look.assessed, self._world.zone))
        self._standing = said
        doing = self._worker.doing
        return f"{doing} · {said}" if doing else said

    def _tell_progress(self, doing: str) -> None:
        """Called by the worker, between wake-ups."""
        self._notifier.status(f"{doing} · {self._standing}")

    def _begin_what_is_due(self, look: Look) -> float:
        """Hand the most urgent task to the worker; return when to look again, in seconds."""
        seen = look.seen
        following = wake_up.next_task(
            look, lambda task: self._worker.rest_s(task.job, seen.due, seen.now, look.pace_s[-1])
        )
        task = following.task
        if task is None:
            return following.wait_s
        self._worker.start(self._world, task.job, task, self._recipes[task])
        return self._wake_up_every_s

    def _reload(self) -> None:
        """Take up a new configuration; the old one stays in force where the new is wrong."""
        self._notifier.reloading(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
        try:
            settings, kept = keep_fixed(self._world.settings, self._load())
            # What could not be written is remembered by these two alone.
            self._world = replace(
                world_of(settings), state=self._world.state, ticks=self._world.ticks
            )
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
