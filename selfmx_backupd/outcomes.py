"""How runs end: what `state.json` remembers from one process to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from selfmx_backupd.model import UtcOnly
from selfmx_backupd.restoration import RestorePlan


class Job(StrEnum):
    """A recipe that runs under the lock."""

    BACKUP = "backup"
    SWEEP = "sweep"
    VERIFY = "verify"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMark(UtcOnly):
    """The run that holds the lock, so that its death can be noticed."""

    job: Job
    run_id: str
    started_at: datetime
    pid: int
    step: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(UtcOnly):
    """The last error of a job."""

    at: datetime
    exit_code: int
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(UtcOnly):
    """How the runs of one job ended."""

    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    failures_in_a_row: int = 0
    last_error: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What `state.json` remembers. It decides nothing that the directory could decide.

    `restore` is the last restore's plan; `extra` holds keys that this version does not know,
    and they are kept as they are; `doubt` says why this may not be all, and is never written.
    """

    running: RunMark | None = None
    restore: RestorePlan | None = None
    jobs: Mapping[Job, Outcome] = field(default_factory=lambda: MappingProxyType({}))
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    doubt: str | None = None

    @property
    def has_unreadable_plan(self) -> bool:
        """A restore's plan is remembered that this version cannot read."""
        return self.restore is None and "restore" in self.extra

    def of(self, job: Job) -> Outcome:
        """The outcome of one job; a fresh one where it has never run."""
        return self.jobs.get(job, Outcome())
