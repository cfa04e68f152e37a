"""The daemon's life on a fake clock: everything is real but the clock and BACKUP itself.

What is due, which job comes next, the frame with its lock and `state.json`, the ticks, the
sweep and the files are the product's. In BACKUP's place a function publishes a manifest
and a file of one byte.
"""

import hashlib
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
from selfmx_backupd.assessment import Assessment, Situation
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import Settings
from selfmx_backupd.daemon import RECIPES
from selfmx_backupd.errors import BackupdError
from selfmx_backupd.jobs.adopt import Adoption
from selfmx_backupd.jobs.prove import publish
from selfmx_backupd.jobs.run import Run, run_job
from selfmx_backupd.jobs.wake_up import Look, Task, Worked, look, next_task
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup
from selfmx_backupd.policy import schedule
from selfmx_backupd.policy.health import Limits
from selfmx_backupd.policy.inventory import part_of
from selfmx_backupd.policy.rules import Daily, Rule
from selfmx_backupd.wiring import world_of
from selfmx_backupd.worker import Recipe
from tests.build import FAMILY, backup, backup_set

_PAGES = b"x"

LIMITS = Limits(late_after=timedelta(hours=2), min_free_percent=0)


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
        done: Every task that succeeded, with its moment.
    """

    world: World
    clock: Clock
    back_up: Recipe
    done: list[tuple[datetime, Task]] = field(default_factory=list)
    _adoption: Adoption = field(default_factory=Adoption)
    _again_in_s: float = inf

    def wake_up(self) -> list[Task]:
        """What the main loop does at one moment; return the tasks that it began."""
        begun: list[Task] = []
        self.world.ticks.beat(self.clock.now)
        while task := (following := next_task(self._glance(), lambda _: 0)).task:
            begun.append(task)
            # A failure is remembered by the frame, which the next look sees.
            with suppress(BackupdError):
                self.run(task, self.back_up if task is Task.BACK_UP else RECIPES[task])
                self.done.append((self.clock.now, task))
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

    def look(self) -> Look:
        """What the main loop sees at this moment."""
        worked = Worked(is_reconciled=self._is_reconciled)
        return look(self.world, self._adoption, worked, LIMITS)

    def _glance(self) -> Look:
        """Of a look only what the choice of the next task rests on: years take many."""
        held = self.world.inventory().verified(self.world.database)
        now = self.clock.now
        due = schedule.due(now, self.world.schedule, held)
        seen = Situation(now=now, due=due, outcomes=self.world.state.recall())
        return Look(
            assessed=Assessment(seen, ()),
            schedule=self.world.schedule,
            pace_s=self.world.settings.schedule.retry_after_s,
            is_reconciled=self._is_reconciled,
            is_adoptable=False,
        )

    @property
    def _is_reconciled(self) -> bool:
        return any(task is Task.RECONCILE for _, task in self.done)

    def run(self, task: Task, recipe: Recipe) -> object:
        """Run a recipe in its frame, now."""
        return run_job(
            self.world,
            task.job,
            task,
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
        sha256=hashlib.sha256(_PAGES).hexdigest(),
        backup_set=backup_set(FAMILY),
    )
    (world.directory.path / part_of(file)).write_bytes(_PAGES)
    return publish(world, made)
