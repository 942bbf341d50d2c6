"""The virtual clock: exact, never early, and never silent when nothing can happen any more."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from steadypool import SystemClock
from steadypool.testing import ClockAbortedError, ClockStuckError, VirtualClock


def test_sleeping_alone_jumps_exactly_to_the_deadline(clock: VirtualClock) -> None:
    clock.sleep(30.1)
    assert clock.now() == 30.1


def test_time_stands_still_while_somebody_runs(clock: VirtualClock, crew: Any) -> None:
    crew.start(lambda: clock.sleep(5))
    while not clock.waiting():
        threading.Event().wait(0.001)
    assert clock.now() == 0
    crew.join()
    assert clock.now() == 5


def test_sleepers_wake_in_the_order_of_their_deadlines(clock: VirtualClock, crew: Any) -> None:
    order: list[tuple[int, float]] = []

    def sleeper(seconds: int) -> Callable[[], None]:
        def work() -> None:
            clock.sleep(seconds)
            order.append((seconds, clock.now()))

        return work

    crew.start(*map(sleeper, (3, 1, 2)))
    crew.join()
    assert order == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_wake_before_the_wait_ends_it_at_once(clock: VirtualClock) -> None:
    waiter = clock.waiter()
    waiter.wake()
    assert waiter.wait(10)
    assert clock.now() == 0


def test_a_wait_whose_deadline_has_come_does_not_block(clock: VirtualClock) -> None:
    assert not clock.waiter().wait(0)


def test_time_cannot_jump_past_a_wake(clock: VirtualClock, crew: Any) -> None:
    waiter = clock.waiter()
    results: list[bool] = []
    crew.start(lambda: results.append(waiter.wait(10)))
    while not clock.waiting():
        threading.Event().wait(0.001)
    waiter.wake()
    clock.sleep(1)
    crew.join()
    assert (results, clock.now()) == ([True], 1)


def test_when_everybody_waits_for_ever_every_wait_fails(clock: VirtualClock, crew: Any) -> None:
    def forever() -> None:
        with pytest.raises(ClockStuckError, match="lost wake-up"):
            clock.waiter().wait(None)

    crew.start(forever, forever)
    forever()
    crew.join()


def test_aborting_ends_waits_present_and_to_come(clock: VirtualClock, crew: Any) -> None:
    def forever() -> None:
        with pytest.raises(ClockAbortedError, match="enough"):
            clock.waiter().wait(None)

    crew.start(forever)
    while not clock.waiting():
        threading.Event().wait(0.001)
    clock.abort("enough")
    forever()
    crew.join()


def test_a_signal_in_a_wait_leaves_the_counts_right(clock: VirtualClock, crew: Any) -> None:
    release = threading.Event()
    crew.start(lambda: release.wait(20))

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            clock.sleep(10)
    finally:
        signal.signal(signal.SIGALRM, before)
        release.set()
    assert clock.now() == 0
    crew.join()
    clock.sleep(1)
    assert clock.now() == 1


def test_the_system_clock_wakes_and_times_out() -> None:
    clock = SystemClock()
    woken, late = clock.waiter(), clock.waiter()
    woken.wake()
    assert woken.wait(None)
    deadline = clock.now() + 0.01
    assert not late.wait(deadline)
    assert clock.now() >= deadline


def test_in_a_forked_child_only_the_thread_that_forked_takes_part(
    clock: VirtualClock, crew: Any
) -> None:
    crew.start(lambda: clock.sleep(5), lambda: clock.sleep(60))
    while clock.waiting() < 2:
        threading.Event().wait(0.001)
    child = os.fork()
    if child == 0:
        clock.sleep(10)
        os._exit(int(clock.now() * 10))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 100
    assert clock.now() == 0
    crew.join()
