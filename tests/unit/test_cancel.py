import signal
import time

import pytest

from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import Cancelled


def test_a_wish_is_not_heard_while_it_is_shielded_and_is_afterwards() -> None:
    cancel = Cancel()
    with cancel.shielded():
        cancel.request(signal.SIGINT)
        cancel.check()
        assert not cancel.requested
    with pytest.raises(Cancelled, match="stopped by SIGINT"):
        cancel.check()


def test_a_shield_within_a_shield_does_not_end_it() -> None:
    cancel = Cancel()
    cancel.request(signal.SIGTERM)
    with cancel.shielded():
        with cancel.shielded():
            pass
        assert not cancel.requested
    assert cancel.requested


def test_a_shielded_pause_is_a_pause() -> None:
    cancel = Cancel()
    cancel.request(signal.SIGTERM)
    assert cancel.wait(10)
    began = time.monotonic()
    with cancel.shielded():
        assert not cancel.wait(0.2)
    assert time.monotonic() - began >= 0.2


def test_a_child_ends_with_its_parent_but_not_while_that_is_shielded() -> None:
    parent = Cancel()
    child = Cancel(parent)
    parent.request(signal.SIGHUP)
    with parent.shielded():
        assert not child.requested
    assert child.requested
