"""`state.json`: how the last runs ended, and which one is running.

It is written only by the lock's holder. Nothing in it decides what is a backup: it
may be lost or damaged, and then the next run writes a fresh one.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from selfmx_backupd.adapters.files import write_whole
from selfmx_backupd.errors import ConfigError, DirectoryUnusable
from selfmx_backupd.outcomes import Failure, Job, Outcome, Outcomes, RunMark
from selfmx_backupd.restoration import Kept, Kind, RestorePlan, Step

SCHEMA = 1
FILE = "state.json"
_PLAN = "restore"


class StateFile:
    """The file in the state directory.

    Args:
        directory: Where it is.
        owner: Whose memory it is: the backup directory and prefix. Two configurations
            that share one file would bury each other's runs.

    Attributes:
        trouble: Why the last outcome could not be written; None where it could.
    """

    def __init__(self, directory: Path, owner: str) -> None:
        self._directory = directory
        self._path = directory / FILE
        self._owner = owner
        self._unwritten: Outcomes | None = None
        self.trouble: str | None = None

    @property
    def daemon_lock_path(self) -> Path:
        """The lock that the daemon holds for its life."""
        return self._directory / "daemon.lock"

    def read(self) -> Outcomes:
        """What is remembered; nothing where the file is missing or damaged.

        Raises:
            DirectoryUnusable: It is there and we may not read it.
            ConfigError: It is the memory of another configuration.
        """
        written = self._read()
        if self._unwritten is not None:
            # A restore's plan is never kept in memory alone, and another process may have
            # written one meanwhile.
            return replace(self._unwritten, restore=written.restore)
        return written

    def _read(self) -> Outcomes:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return Outcomes()
        except OSError as error:
            raise self._unusable("read", error) from error
        try:
            document = json.loads(content)
            self._refuse_anothers(document)
            return replace(_decode(document), doubt=self._newer(document))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return Outcomes(doubt=f"{self._path} makes no sense to this version")

    def recall(self) -> Outcomes:
        """What is remembered; nothing also where we may not read it."""
        try:
            return self.read()
        except DirectoryUnusable as error:
            return self._unwritten or Outcomes(doubt=error.message)

    def _newer(self, document: Mapping[str, Any]) -> str | None:
        """Why a document may say more than was read."""
        schema = document.get("schema")
        if not isinstance(schema, int) or schema <= SCHEMA:
            return None
        return f"{self._path} has schema {schema}, this version knows {SCHEMA}"

    def _refuse_anothers(self, document: Mapping[str, Any]) -> None:
        owner = document.get("owner", self._owner)
        if owner != self._owner:
            raise ConfigError(
                (f"state.directory: {self._directory} is the memory of {owner}, name another",)
            )

    def remember(self, outcomes: Outcomes) -> DirectoryUnusable | None:
        """Write as well as can be: a disk that cannot remember must not stop a backup.

        What cannot be written is kept in this process, which goes on as if it had been.

        Returns:
            What hindered it, the first time; None afterwards, and where it was written.
        """
        try:
            self.write(outcomes)
        except DirectoryUnusable as error:
            is_known = self._unwritten is not None
            self._unwritten, self.trouble = outcomes, error.message
            return None if is_known else error
        self._unwritten = self.trouble = None
        return None

    def write(self, outcomes: Outcomes) -> None:
        """Replace what is remembered."""
        document = {**_encode(outcomes), "owner": self._owner}
        content = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        try:
            self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
            write_whole(self._path, content.encode(errors="backslashreplace"))
        except OSError as error:
            raise self._unusable("write", error) from error

    def make_directory(self) -> None:
        """Make the state directory where it is missing."""
        try:
            self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable("write", error) from error

    def _unusable(self, what: str, error: OSError) -> DirectoryUnusable:
        reason = (error.strerror or str(error)).lower()
        return DirectoryUnusable(
            f"cannot {what} {self._path}: {reason}",
            hint=f"Run it as root or as the daemon's user. Type: ls -ld {self._directory}",
        )


def _encode(outcomes: Outcomes) -> dict[str, Any]:
    return {
        **outcomes.extra,
        "schema": SCHEMA,
        "running": _encode_mark(outcomes.running),
        "jobs": {job: _encode_outcome(outcome) for job, outcome in outcomes.jobs.items()},
        "restore": _encode_plan(outcomes.restore) or outcomes.extra.get(_PLAN),
    }


def _encode_mark(mark: RunMark | None) -> dict[str, Any] | None:
    if mark is None:
        return None
    return {
        "job": mark.job,
        "run_id": mark.run_id,
        "started_at": mark.started_at.isoformat(),
        "pid": mark.pid,
        "step": mark.step,
        "detail": mark.detail,
    }


def _encode_outcome(outcome: Outcome) -> dict[str, Any]:
    error = outcome.last_error
    return {
        "last_attempt_at": _written(outcome.last_attempt_at),
        "last_success_at": _written(outcome.last_success_at),
        "failures_in_a_row": outcome.failures_in_a_row,
        "last_error": error
        and {
            "at": error.at.isoformat(),
            "exit_code": error.exit_code,
            "message": error.message,
            "hint": error.hint,
        },
    }


def _decode(document: Mapping[str, Any]) -> Outcomes:
    known = {"schema", "owner", "running", "jobs"}
    plan = _readable_plan(document.get(_PLAN))
    if plan is not None or document.get(_PLAN) is None:
        known.add(_PLAN)
    return Outcomes(
        running=_decode_mark(document.get("running")),
        restore=plan,
        jobs=MappingProxyType(
            {Job(job): _decode_outcome(each) for job, each in document["jobs"].items()}
        ),
        extra=MappingProxyType({key: it for key, it in document.items() if key not in known}),
    )


def _decode_mark(mark: Mapping[str, Any] | None) -> RunMark | None:
    if mark is None:
        return None
    return RunMark(
        job=Job(mark["job"]),
        run_id=mark["run_id"],
        started_at=_read_utc(mark["started_at"]),
        pid=mark["pid"],
        step=mark["step"],
        detail=mark["detail"],
    )


def _decode_outcome(outcome: Mapping[str, Any]) -> Outcome:
    error = outcome["last_error"]
    return Outcome(
        last_attempt_at=_read(outcome["last_attempt_at"]),
        last_success_at=_read(outcome["last_success_at"]),
        failures_in_a_row=int(outcome["failures_in_a_row"]),
        last_error=error
        and Failure(
            at=_read_utc(error["at"]),
            exit_code=error["exit_code"],
            message=error["message"],
            hint=error["hint"],
        ),
    )


def _encode_plan(plan: RestorePlan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {
        **{each.name: getattr(plan, each.name) for each in fields(plan)},
        "started_at": plan.started_at.isoformat(),
        "ended_at": _written(plan.ended_at),
        "kept": [
            {
                "name": each.name,
                "since": each.since.isoformat(),
                "because": each.because,
                "is_way_back": each.is_way_back,
            }
            for each in plan.kept
        ],
    }


def _readable_plan(plan: Any) -> RestorePlan | None:  # noqa: ANN401  # whatever stands there
    """A plan, where this version can read it; what it cannot read stays as it is.

    It may be all that tells which database is which, and a newer version reads it.
    """
    try:
        return _decode_plan(plan)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _decode_plan(plan: Mapping[str, Any] | None) -> RestorePlan | None:
    if plan is None:
        return None
    return RestorePlan(
        kind=Kind(plan["kind"]),
        file=plan["file"],
        database=plan["database"],
        incoming=plan["incoming"],
        aside=plan["aside"],
        step=Step(plan["step"]),
        started_at=_read_utc(plan["started_at"]),
        ended_at=_read(plan["ended_at"]),
        live_state=plan["live_state"],
        live_files=tuple(plan["live_files"]),
        incoming_files=tuple(plan["incoming_files"]),
        app_stopped=plan["app_stopped"],
        safety=plan["safety"],
        kept=tuple(
            Kept(
                name=each["name"],
                since=_read_utc(each["since"]),
                because=each["because"],
                is_way_back=each["is_way_back"],
            )
            for each in plan["kept"]
        ),
    )


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read(written: str | None) -> datetime | None:
    return _read_utc(written) if written else None


def _read_utc(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)
