"""The daemon's one worker: a thread for each job, one at a time, and what it has met.

What a job's frame could not remember, because it never got the lock, is remembered here.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from selfmx_backupd import events, log, text
from selfmx_backupd.assessment import Cause, Finding
from selfmx_backupd.cancel import Cancel, leave_signals_to_the_main_thread
from selfmx_backupd.errors import BackupdError, Busy, Cancelled
from selfmx_backupd.jobs.run import Run, run_job
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Due, Progress
from selfmx_backupd.outcomes import Job

Recipe = Callable[[World, Run], object]

_TELL_EVERY_S = 1.0
# Somebody else's job holds the lock: look again soon, complain after ten minutes.
_LOCK_AGAIN_S = 10.0
_LOCK_COMPLAINT_S = 600.0


class Worker:
    """Runs one job at a time, in a thread of its own.

    Attributes:
        is_busy: A job is running.
        job: Which.
        progress: How far it is; None where none is running.
    """

    def __init__(self, ring: Callable[[], None], tell: Callable[[str], None]) -> None:
        self._ring = ring
        self._tell = tell
        self._cancel = Cancel()
        self._thread: threading.Thread | None = None
        self.is_busy = False
        self.job: Job | None = None
        self.progress: Progress | None = None
        self._progress_at = self._step_at = self._told_at = 0.0
        self._rest_until = 0.0
        self._trouble: Finding | None = None
        self._blocked_since: float | None = None
        self._complained = False
        self._done: set[str] = set()
        self._published_at: tuple[datetime, float] | None = None

    def start(self, world: World, job: Job, what: str, recipe: Recipe) -> None:
        """Begin a job; the bell rings when it has ended."""
        self.is_busy, self.job = True, job
        self._progress_at = time.monotonic()
        self._thread = threading.Thread(
            target=self._work, args=(world, job, what, recipe), name="worker", daemon=True
        )
        self._thread.start()

    def stop(self, signal_number: int, timeout_s: float) -> bool:
        """Cancel the job, on the server too; return whether it has ended in time."""
        self._cancel.request(signal_number)
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def has_done(self, what: str) -> bool:
        """Whether a run of this name has succeeded in this process."""
        return what in self._done

    def rest_s(self, job: Job, due: Sequence[Due], now: datetime, pause_s: float) -> float:
        """How long to rest for what no file remembers, in seconds.

        After a run that could not be remembered, and where a backup that settled its tiers does
        not count any more: something moves backups away, or damages them, and without a pause
        one full backup would follow the other. One that is dated ahead does not count because
        the clock was set back, which must not stop backups.

        Args:
            job: The job that is to begin.
            due: The tiers that want a backup.
            now: UTC.
            pause_s: How long to rest where a backup does not count any more.
        """
        rest_until = self._rest_until
        if job is Job.BACKUP and self._published_at is not None:
            started_at, at = self._published_at
            settled = not any(each.since > started_at for each in due)
            if settled and started_at <= now:
                rest_until = max(rest_until, at + pause_s)
        return max(0.0, rest_until - time.monotonic())

    @property
    def stuck_in(self) -> str | None:
        """What it cannot get out of, though it was told to; None where it can."""
        return self._cancel.unheard_by

    @property
    def doing(self) -> str:
        """How far the running job is, in words; empty where none is running."""
        progress = self.progress
        elapsed_s = time.monotonic() - self._step_at
        return text.progress(progress, elapsed_s) if progress is not None else ""

    def findings(self, world: World) -> Iterator[Finding]:
        """What is wrong and stands in no file."""
        if self._trouble is not None:
            yield self._trouble
        if world.state.trouble is not None:
            hint = f"Type: df -h {world.settings.state.directory}"
            yield Finding(Cause.FORGETFUL, world.state.trouble, hint)
        silent_s = time.monotonic() - self._progress_at
        if self.progress is not None and silent_s > 2 * world.settings.backup.stall_timeout_s:
            sentence = f"no progress for {text.duration(silent_s)} while {self.progress.step}"
            yield Finding(Cause.STALLED, sentence, "Type: systemctl restart selfmx-backupd")

    def _work(self, world: World, job: Job, what: str, recipe: Recipe) -> None:
        leave_signals_to_the_main_thread()
        try:
            result = run_job(
                world,
                job,
                what,
                lambda run: recipe(world, run),
                cancel=self._cancel,
                progress=self._note_progress,
                is_retried=True,
            )
            self._note_end(None)
            self._done.add(what)
            if isinstance(result, Backup):
                self._published_at = (result.started_at, time.monotonic())
        except Busy as error:
            self._note_busy(what, error)
        except Cancelled:
            pass  # the process ends
        except Exception as error:  # noqa: BLE001  # the frame has reported it; we live on
            self._note_end(error)
            # Perhaps it could not be remembered, and then no outcome paces the next try.
            self._rest_until = time.monotonic() + world.settings.schedule.retry_after_s[0]
        finally:
            self.progress = self.job = None
            # Before the bell: the wake-up that it causes must find the worker free.
            self.is_busy = False
            self._ring()

    def _note_end(self, error: Exception | None) -> None:
        """No other job was in the way; what hindered before is over."""
        self._blocked_since, self._complained = None, False
        self._trouble = None
        if isinstance(error, BackupdError):
            self._trouble = Finding(Cause.FAILED, error.message, error.hint)

    def _note_busy(self, what: str, error: Busy) -> None:
        now = time.monotonic()
        self._rest_until = now + _LOCK_AGAIN_S
        self._blocked_since = self._blocked_since or now
        waited_s = now - self._blocked_since
        if waited_s < _LOCK_COMPLAINT_S:
            return
        sentence = f"the {what} has waited {text.duration(waited_s)}: {error.message}"
        self._trouble = Finding(Cause.BLOCKED, sentence, error.hint)
        if not self._complained:
            self._complained = True
            log.emit(
                events.RUN_BLOCKED,
                what=what,
                waited=text.duration(waited_s),
                error=error.message,
            )

    def _note_progress(self, progress: Progress) -> None:
        before, self.progress = self.progress, progress
        now = self._progress_at = time.monotonic()
        step_is_new = before is None or before.step != progress.step
        if step_is_new:
            self._step_at = now
        if step_is_new or now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            self._tell(self.doing)
