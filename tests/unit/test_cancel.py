import signal
import time

import pytest

from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import Cancelled


def hears(cancel: Cancel) -> bool:
    """Whether it is heard now: a function, because mypy believes a property for ever."""
    return cancel.requested


def asked() -> Cancel:
    cancel = Cancel()
    cancel.request(signal.SIGINT)
    return cancel


def test_a_wish_is_not_heard_inside_a_shield_and_is_heard_after_it() -> None:
    cancel = Cancel()
    with cancel.shielded():
        cancel.request(signal.SIGINT)
        cancel.check()
        assert not hears(cancel)
        assert not cancel.wait(0)
    assert hears(cancel)
    assert cancel.wait(10)
    with pytest.raises(Cancelled, match="stopped by SIGINT") as caught:
        cancel.check()
    assert caught.value.signal_number == signal.SIGINT


def test_a_wish_from_before_is_not_heard_inside_either() -> None:
    cancel = asked()
    with cancel.shielded():
        cancel.check()
    assert hears(cancel)


def test_a_shield_ends_with_an_error_too() -> None:
    cancel = asked()
    with pytest.raises(ValueError, match="broken"), cancel.shielded():
        raise ValueError("it is broken")
    assert hears(cancel)


def test_a_shield_inside_a_shield_does_not_end_it() -> None:
    cancel = asked()
    with cancel.shielded():
        with cancel.shielded():
            assert not hears(cancel)
        assert not hears(cancel)
    assert hears(cancel)


def test_whoever_waits_inside_a_shield_sleeps_to_the_end() -> None:
    """Otherwise a loop that looks every second would look all the time."""
    cancel = asked()
    began = time.monotonic()
    with cancel.shielded():
        assert not cancel.wait(0.2)
    assert time.monotonic() - began >= 0.2


def test_whoever_waits_without_a_shield_does_not() -> None:
    began = time.monotonic()
    assert asked().wait(10)
    assert time.monotonic() - began < 5


def test_the_child_of_a_shielded_one_does_not_hear_its_wish_either() -> None:
    parent = asked()
    child = Cancel(parent=parent)
    assert hears(child)
    with parent.shielded():
        assert not hears(child)
        child.check()
    with pytest.raises(Cancelled, match="stopped by SIGINT"):
        child.check()


def test_the_child_of_a_shielded_one_hears_its_own() -> None:
    parent = Cancel()
    child = Cancel(parent=parent)
    with parent.shielded():
        child.request(signal.SIGTERM)
        assert hears(child)
    assert not hears(parent)


def test_the_first_signal_decides_also_when_both_come_inside_a_shield() -> None:
    cancel = Cancel()
    with cancel.shielded():
        cancel.request(signal.SIGINT)
        cancel.request(signal.SIGTERM)
    assert cancel.error().signal_number == signal.SIGINT
