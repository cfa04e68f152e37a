"""The daemon's life on a fake clock: everything is real but the clock and BACKUP itself.

What is due, which job comes next, the frame with its lock and `state.json`, the ticks, the
sweep and the files are the product's. In BACKUP's place a function publishes a manifest
and a file of one byte.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

from selfmx_backupd import log
from selfmx_backupd.adapters.clock import Boot, Ticks
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import Settings
from selfmx_backupd.daemon import RECIPES
from selfmx_backupd.errors import BackupdError
from selfmx_backupd.jobs.prove import publish
from selfmx_backupd.jobs.run import Run, run_job
from selfmx_backupd.jobs.wake_up import Look, look, next_job
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup
from selfmx_backupd.outcomes import Job
from selfmx_backupd.policy import schedule
from selfmx_backupd.policy.inventory import part_of
from selfmx_backupd.policy.rules import Daily, Rule
from selfmx_backupd.wiring import world_of
from selfmx_backupd.worker import Recipe
from tests.build import FAMILY, backup, backup_set


@dataclass
class Clock:
    """A wall clock that can be set, and the time since boot, which cannot."""

    now: datetime
    elapsed_s: float = 1000.0
    boot_id: str = "first"

    def pass_by(self, span: timedelta) -> None:
        self.now += span
        self.elapsed_s += span.total_seconds()

    def set_by(self, span: timedelta) -> None:
        self.now += span


@dataclass
class Life:
    """An installation whose daemon wakes up when it is told to.

    Attributes:
        back_up: What is done in BACKUP's place.
        done: Every job that succeeded, with its moment.
    """

    world: World
    clock: Clock
    back_up: Recipe
    done: list[tuple[datetime, Job]] = field(default_factory=list)
    _again_in_s: float = inf

    def wake_up(self) -> list[Job]:
        """What the main loop does at one moment; return the jobs that it began."""
        begun: list[Job] = []
        self.world.ticks.beat(self.clock.now)
        while job := (following := next_job(self._look(), lambda _: 0)).job:
            begun.append(job)
            what, recipe = RECIPES[job]
            # A failure is remembered by the frame, which the next look sees.
            with suppress(BackupdError):
                self.run(job, what, self.back_up if job is Job.BACKUP else recipe)
                self.done.append((self.clock.now, job))
        self._again_in_s = following.wait_s
        return begun

    def next_wake_up(self) -> datetime:
        """The next moment that matters: a tier's, the sweep's, or that of a job's next try."""
        world, now = self.world, self.clock.now
        rules: list[Rule] = [*world.schedule.tiers.values()]
        if world.schedule.sweep is not None:
            rules.append(Daily(world.schedule.sweep))
        moments = [schedule.next_slot(rule, world.zone, now) for rule in rules]
        if self._again_in_s < inf:
            moments.append(now + timedelta(seconds=self._again_in_s))
        return min(moments)

    def go_on_until(self, end: datetime) -> Iterator[datetime]:
        """Wake up at every scheduled instant before the end."""
        while (at := self.next_wake_up()) < end:
            self.clock.pass_by(at - self.clock.now)
            self.wake_up()
            yield at
        self.clock.pass_by(end - self.clock.now)

    def _look(self) -> Look:
        is_reconciled = any(job is Job.VERIFY for _, job in self.done)
        return look(self.world, is_reconciled=is_reconciled)

    def run(self, job: Job, what: str, recipe: Recipe) -> object:
        """Run a recipe in its frame, now."""
        return run_job(
            self.world,
            job,
            what,
            lambda run: recipe(self.world, run),
            cancel=Cancel(),
            progress=lambda _: None,
        )


def life_in(root: Path, zone: str, now: datetime, **sections: dict[str, Any]) -> Life:
    """A fresh installation in an empty directory.

    Args:
        root: The directory.
        zone: An IANA name.
        now: UTC.
        sections: What its configuration says beside the defaults.
    """
    log.set_up(io.StringIO())
    clock = Clock(now)
    (root / "backups").mkdir(parents=True)
    (root / "state").mkdir()
    given: dict[str, Any] = {
        **sections,
        "backup": {"directory": root / "backups"},
        "state": {"directory": root / "state"},
        "schedule": {"timezone": zone, **sections.get("schedule", {})},
    }
    world = replace(
        world_of(Settings(**given)),
        now=lambda: clock.now,
        ticks=Ticks(root / "state", Boot(clock.boot_id, lambda: clock.elapsed_s)),
    )
    return Life(world, clock, back_up_without_a_server)


def back_up_without_a_server(world: World, _run: Run) -> Backup:
    """What `back_up_due` does, with one byte in the place of what SQL Server writes."""
    now = world.now()
    due = schedule.due(now, world.schedule, world.inventory().verified(world.database))
    file = world.directory.free_name(now.astimezone(world.zone))
    made = replace(
        backup(now, [each.tier for each in due]),
        file=file,
        size_bytes=1,
        backup_set=backup_set(FAMILY),
    )
    (world.directory.path / part_of(file)).write_bytes(b"x")
    return publish(world, made)
