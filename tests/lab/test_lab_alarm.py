"""Work that takes too long is broken off, whatever it catches, and leaves nothing of the alarm."""

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


def test_work_that_ends_in_time_gives_what_it_returns() -> None:
    assert at_most(5, lambda: "done") == "done"


def test_work_that_waits_for_a_lock_is_broken_off_and_where_it_stood_is_told() -> None:
    lock = threading.Lock()

    def wait() -> None:
        with lock, lock:
            pass

    with pytest.raises(TooLongError, match=r"not done after 0.02 s, at .*alarm.py:\d+ in .*wait"):
        at_most(0.02, wait)
    assert not lock.locked()


def test_work_that_blocks_again_on_its_way_out_is_broken_off_again() -> None:
    def wait() -> None:
        try:
            threading.Event().wait()
        finally:
            threading.Event().wait()

    with pytest.raises(TooLongError):
        at_most(0.02, wait)


def test_work_that_catches_everything_and_goes_on_is_broken_off_in_the_end() -> None:
    def try_for_ever() -> None:
        while True:
            try:  # noqa: SIM105 - as pools have it
                time.sleep(60)
            except BaseException:
                pass

    with pytest.raises(TooLongError):
        at_most(0.02, try_for_ever)


def test_work_is_not_broken_off_while_it_postpones_the_alarm() -> None:
    watch = Alarm(1, lambda frame: too_long(1, frame))

    def go_on() -> None:
        until = time.monotonic() + 1.2
        while time.monotonic() < until:  # longer than a second together, and by far not each
            watch.postpone()
            time.sleep(0.01)

    watch.watch(go_on)


def test_what_is_to_be_done_first_is_broken_off_where_it_blocks() -> None:
    lock = threading.Lock()

    def wait() -> None:
        with lock:
            time.sleep(60)

    def first() -> None:
        with lock:
            raise AssertionError("the lock is held by whom the alarm has interrupted")

    with pytest.raises(TooLongError):
        Alarm(0.02, lambda frame: too_long(0.02, frame), first).watch(wait)
    assert not lock.locked()
