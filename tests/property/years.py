"""An installation in memory that lives for years, for the machine of test_years.py.

Files, clock and outcomes are values here; what is made of them is the product's: inventory,
schedule, retention, clock guard, and the loop's choice of the next job.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf
from types import MappingProxyType
from zoneinfo import ZoneInfo

from selfmx_backupd.assessment import Assessment, Situation
from selfmx_backupd.jobs.wake_up import Look, Task, next_task
from selfmx_backupd.model import Backup, Decision, Entry, Going, Tier, Verified
from selfmx_backupd.outcomes import Failure, Job, Outcome, Outcomes
from selfmx_backupd.policy import clock, inventory, retention, schedule
from selfmx_backupd.policy.clock import Tick
from selfmx_backupd.policy.inventory import BACKUP, MANIFEST, Inventory, Listing, part_of
from selfmx_backupd.policy.retention import Retention
from selfmx_backupd.policy.rules import Daily, Rule
from selfmx_backupd.policy.schedule import Schedule
from tests.build import FAMILY, backup, backup_set

PACE_S = (60, 300, 3600)
NEVER = timedelta(hours=12)  # no daemon is silent for longer
# Where a backup is wanted, it looks again after an hour and a minute, whatever it was told:
# what should have begun meanwhile is held up.
SILENT = timedelta(hours=1, minutes=1)


@dataclass(frozen=True)
class Sweep:
    """What a sweep saw and took."""

    at: datetime
    true_at: datetime
    entries: tuple[Entry, ...]
    decisions: tuple[Decision, ...]
    retention: Retention
    zone: ZoneInfo
    removed: tuple[str, ...]


@dataclass
class Site:
    """The installation.

    Attributes:
        true_now: The time that it is; the clock shows `error` more.
        calm_since: Since when the clock has neither jumped nor been unwatched, in true time.
        failing: So many of the next attempts at a backup fail.
        killed_while: Where the next run dies with its process.
        failed_at: When a backup failed last, in true time.
        swept_at: When a sweep succeeded last, in true time.
        served: The slots that got their backup since anything excused a second one.
    """

    true_now: datetime
    schedule: Schedule
    retention: Retention
    error: timedelta = timedelta(0)
    calm_since: datetime = field(init=False)
    elapsed_s: float = 1000.0
    boot: int = 0
    family: str = FAMILY
    files: dict[str, int] = field(default_factory=dict)
    manifests: dict[str, Backup | str] = field(default_factory=dict)
    outcomes: Outcomes = field(default_factory=Outcomes)
    tick: Tick | None = None
    failing: int = 0
    killed_while: str | None = None
    failed_at: datetime | None = None
    swept_at: datetime = field(init=False)
    served: set[tuple[Tier, datetime]] = field(default_factory=set)
    sweeps: list[Sweep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.calm_since = self.swept_at = self.true_now

    @property
    def now(self) -> datetime:
        """What the clock shows."""
        return self.true_now + self.error

    def inventory(self) -> Inventory:
        return inventory.take(Listing(self.files, (), self.manifests), "selfmx", self.now)

    def look(self) -> Look:
        verified = self.inventory().verified("SelfMX")
        seen = Situation(
            now=self.now,
            due=schedule.due(self.now, self.schedule, verified),
            outcomes=self.outcomes,
        )
        return Look(
            assessed=Assessment(seen, ()),
            schedule=self.schedule,
            pace_s=PACE_S,
            is_reconciled=True,
            is_adoptable=False,
        )

    def live(self, span: timedelta) -> None:
        """Let the daemon wake up whenever there may be something to do."""
        end = self.true_now + span
        wait = self.wake_up()
        while self.true_now + wait <= end:
            self.pass_by(wait)
            wait = self.wake_up()
        self.pass_by(end - self.true_now)
        self.wake_up()

    def pass_by(self, span: timedelta) -> None:
        self.true_now += span
        self.elapsed_s += span.total_seconds()

    def wake_up(self) -> timedelta:
        """Do what the loop wants done; return how long nothing can become due."""
        self.tick = clock.tick(self.tick, self.now, self.elapsed_s, f"boot {self.boot}")
        for _ in range(20):
            following = next_task(self.look(), lambda _: 0)
            if following.task is None:
                self._ensure_nothing_is_held_up()
                return self._until_next(following.wait_s)
            self._do(following.task)
        raise AssertionError("the loop does not come to rest")

    def _until_next(self, wait_s: float) -> timedelta:
        rules: list[Rule] = [*self.schedule.tiers.values()]
        rules += [Daily(self.schedule.sweep)] if self.schedule.sweep else []
        slots = [schedule.next_slot(rule, self.schedule.zone, self.now) for rule in rules]
        waits = [slot - self.now for slot in slots]
        silent = NEVER if self._is_served() else SILENT
        return min([*waits, silent, *([timedelta(seconds=wait_s)] if wait_s < inf else [])])

    def _ensure_nothing_is_held_up(self) -> None:
        """Each tier has its backup, unless one has just failed; swept is every day."""
        if not self._is_served():
            assert self.failed_at is not None, "a slot is lost"
            assert self.true_now - self.failed_at < timedelta(seconds=PACE_S[-1]), "a slot is lost"
        assert self.true_now - self.swept_at < timedelta(days=3), "nothing is swept"

    def _is_served(self) -> bool:
        """Whether each tier has a backup dated between its last slot and now, by files alone."""
        last = {
            tier: schedule.last_slot(rule, self.schedule.zone, self.now)
            for tier, rule in self.schedule.tiers.items()
        }
        good = [
            each
            for each in self.manifests.values()
            if isinstance(each, Backup)
            and each.verified
            and each.started_at <= self.now
            and self.files.get(each.file) == each.size_bytes
        ]
        return all(
            any(tier in each.tiers and each.started_at >= slot for each in good)
            for tier, slot in last.items()
        )

    def _do(self, task: Task) -> None:
        job = task.job
        done = self._back_up() if task is Task.BACK_UP else self._sweep()
        before = self.outcomes.of(job)
        after = Outcome(last_attempt_at=self.now, last_success_at=self.now)
        if not done:
            failure = Failure(at=self.now, exit_code=1, message="it failed", hint=None)
            times = before.failures_in_a_row + 1
            after = replace(before, last_attempt_at=self.now, failures_in_a_row=times)
            after = replace(after, last_error=failure)
        jobs: Mapping[Job, Outcome] = MappingProxyType({**self.outcomes.jobs, job: after})
        self.outcomes = replace(self.outcomes, jobs=jobs)

    def _back_up(self) -> bool:
        """Whether the run succeeded."""
        killed_while, self.killed_while = self.killed_while, None
        if self.failing:
            self.failing -= 1
            self.failed_at = self.true_now
            return False
        self._reconcile()
        owed = schedule.due(self.now, self.schedule, self.inventory().verified("SelfMX"))
        if not owed:
            return True
        made = self.add([each.tier for each in owed])
        if killed_while == "writing":
            self._unpublish(made, None)
        else:
            slots = {(each.tier, each.since) for each in owed}
            assert not slots & self.served, "a slot is served twice"
            self.served |= slots
        if killed_while == "proving":
            self._unpublish(made, replace(made, verified=None))
        if killed_while:
            self.failed_at = self.true_now
        return killed_while is None

    def _unpublish(self, made: Backup, manifest: Backup | None) -> None:
        self.files[part_of(made.file)] = self.files.pop(made.file)
        stem = made.file.removesuffix(BACKUP)
        del self.manifests[stem + MANIFEST], self.files[stem + MANIFEST]
        if manifest is not None:
            self.write(manifest)

    def _reconcile(self) -> None:
        for unfinished in self.inventory().unfinished:
            size = self.files.pop(part_of(unfinished.file))
            if unfinished.backup is not None:
                self.files[unfinished.file] = size
                proof = Verified(at=self.now, by=())
                self.write(replace(unfinished.backup, verified=proof))
        self._tidy()

    def _tidy(self) -> None:
        for each in self.inventory().going:
            self.remove(each.file)

    def add(self, tiers: list[Tier]) -> Backup:
        """Publish a backup of this moment."""
        local = self.now.astimezone(self.schedule.zone)
        while f"selfmx_{local:%Y%m%d_%H%M%S}" in {name.partition(".")[0] for name in self.files}:
            local += timedelta(seconds=1)
        made = replace(
            backup(self.now, tiers),
            file=f"selfmx_{local:%Y%m%d_%H%M%S}{BACKUP}",
            backup_set=backup_set(self.family),
        )
        self.files[made.file] = made.size_bytes
        self.write(made)
        return made

    def write(self, made: Backup) -> None:
        name = made.file.removesuffix(BACKUP) + MANIFEST
        self.manifests[name], self.files[name] = made, 1

    def remove(self, file: str) -> None:
        self.files.pop(file, None)
        name = file.removesuffix(BACKUP) + MANIFEST
        self.files.pop(name, None)
        self.manifests.pop(name, None)

    def _sweep(self) -> bool:
        killed_while, self.killed_while = self.killed_while, None
        self._tidy()
        entries = self.inventory().entries
        zone = self.schedule.zone
        decisions = retention.decide(entries, self.retention, zone, self.now)
        going = [each.file for each in reversed(decisions) if not each.keep]
        if clock.guard(self.tick, self.now):
            going = []
        elif killed_while:
            going = going[:1]  # and its deletion is only begun
        by_file = {each.file: each.backup for each in entries}
        for file in going:
            found = by_file[file]
            if killed_while and found is not None:
                self.write(replace(found, going=Going(at=self.now, reason="left")))
            else:
                self.remove(file)
        self.sweeps.append(
            Sweep(self.now, self.true_now, entries, decisions, self.retention, zone, tuple(going))
        )
        if killed_while is None:
            self.swept_at = self.true_now
        return killed_while is None
