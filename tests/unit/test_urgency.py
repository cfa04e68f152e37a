import pytest

from selfmx_backupd import errors
from selfmx_backupd.errors import BackupdError
from selfmx_backupd.policy.urgency import needs_a_person


@pytest.mark.parametrize("failures", [1, 4, 5, 100])
@pytest.mark.parametrize("pauses", [0, 1, 4])
def test_what_time_cannot_mend_needs_a_person_at_once(failures: int, pauses: int) -> None:
    assert needs_a_person(mends_itself=False, failures_in_a_row=failures, pauses=pauses)


@pytest.mark.parametrize("pauses", [1, 4])
def test_what_time_may_mend_gets_as_many_retries_as_there_are_pauses(pauses: int) -> None:
    needed = [
        needs_a_person(mends_itself=True, failures_in_a_row=failures, pauses=pauses)
        for failures in range(1, 9)
    ]
    assert needed == [failures > pauses for failures in range(1, 9)]


def test_what_nobody_tries_again_needs_a_person() -> None:
    assert needs_a_person(mends_itself=True, failures_in_a_row=1, pauses=0)


def test_only_these_errors_mend_themselves() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    mending = {
        each.__name__ for each in kinds if issubclass(each, BackupdError) and each.mends_itself
    }
    assert mending == {
        "AnotherBackupRuns",
        "BackupUnusable",
        "ConnectionLost",
        "DatabaseInUse",
        "DatabaseUnavailable",
        "RunDied",
        "ServerNotReached",
        "ServerRefused",
        "Stalled",
    }
