"""The alarm interrupts work that takes too long, even if it catches all exceptions."""

import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from poolspec.lifecycle import alarm
from poolspec.lifecycle.alarm import Alarm, TooLongError, at_most, too_long


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(alarm, "AGAIN", 0.02)
    before = signal.getsignal(signal.SIGALRM), sys.gettrace()
    yield
    assert (signal.getsignal(signal.SIGALRM), sys.gettrace()) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_work_that_ends_in_time_returns_its_result() -> None:
    assert at_most(5, lambda: "done") == "done"


def test_work_that_waits_for_a_lock_is_interrupted_and_its_place_reported() -> None:
    lock = threading.Lock()

    def wait() -> None:
        with lock, lock:
            pass

    with pytest.raises(TooLongError, match=r"not done after 0.02 s, at .*alarm.py:\d+ in .*wait"):
        at_most(0.02, wait)
    assert not lock.locked()


def test_work_that_blocks_again_on_its_way_out_is_interrupted_again() -> None:
    def wait() -> None:
        try:
            threading.Event().wait()
        finally:
            threading.Event().wait()

    with pytest.raises(TooLongError):
        at_most(0.02, wait)


def test_work_that_catches_every_exception_is_interrupted_in_the_end() -> None:
    def try_for_ever() -> None:
        while True:
            try:  # noqa: SIM105 - as pools have it
                time.sleep(60)
            except BaseException:
                pass

    with pytest.raises(TooLongError):
        at_most(0.02, try_for_ever)


def test_work_that_postpones_the_alarm_is_not_interrupted() -> None:
    watch = Alarm(1, lambda frame: too_long(1, frame))

    def go_on() -> None:
        until = time.monotonic() + 1.2
        while time.monotonic() < until:  # more than a second in total, far less in each round
            watch.postpone()
            time.sleep(0.01)

    watch.watch(go_on)


def test_a_first_action_that_blocks_is_interrupted() -> None:
    lock = threading.Lock()

    def wait() -> None:
        with lock:
            time.sleep(60)

    def first() -> None:
        with lock:
            raise AssertionError("the thread that the alarm has interrupted holds the lock")

    with pytest.raises(TooLongError):
        Alarm(0.02, lambda frame: too_long(0.02, frame), first).watch(wait)
    assert not lock.locked()
