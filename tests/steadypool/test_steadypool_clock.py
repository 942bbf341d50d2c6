"""The virtual clock is exact, never early, and reports waits that can never end."""

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


def test_time_stands_still_while_a_participant_runs(clock: VirtualClock, actors: Any) -> None:
    actors.start(lambda: clock.sleep(5))
    while not clock.waiting():
        threading.Event().wait(0.001)
    assert clock.now() == 0
    actors.join()
    assert clock.now() == 5


def test_sleepers_wake_in_the_order_of_their_deadlines(clock: VirtualClock, actors: Any) -> None:
    order: list[tuple[int, float]] = []

    def sleeper(seconds: int) -> Callable[[], None]:
        def work() -> None:
            clock.sleep(seconds)
            order.append((seconds, clock.now()))

        return work

    actors.start(*map(sleeper, (3, 1, 2)))
    actors.join()
    assert order == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_wake_before_the_wait_ends_it_at_once(clock: VirtualClock) -> None:
    waiter = clock.waiter()
    waiter.wake()
    assert waiter.wait(10)
    assert clock.now() == 0


def test_a_wait_with_a_past_deadline_does_not_block(clock: VirtualClock) -> None:
    assert not clock.waiter().wait(0)


def test_time_cannot_jump_past_a_wake(clock: VirtualClock, actors: Any) -> None:
    waiter = clock.waiter()
    results: list[bool] = []
    actors.start(lambda: results.append(waiter.wait(10)))
    while not clock.waiting():
        threading.Event().wait(0.001)
    waiter.wake()
    clock.sleep(1)
    actors.join()
    assert (results, clock.now()) == ([True], 1)


def test_every_wait_fails_when_no_wait_can_end(clock: VirtualClock, actors: Any) -> None:
    def forever() -> None:
        with pytest.raises(ClockStuckError, match="lost wake-up"):
            clock.waiter().wait(None)

    actors.start(forever, forever)
    forever()
    actors.join()


def test_aborting_ends_current_and_later_waits(clock: VirtualClock, actors: Any) -> None:
    def forever() -> None:
        with pytest.raises(ClockAbortedError, match="enough"):
            clock.waiter().wait(None)

    actors.start(forever)
    while not clock.waiting():
        threading.Event().wait(0.001)
    clock.abort("enough")
    forever()
    actors.join()


def test_a_signal_in_a_wait_keeps_the_count_of_participants_right(
    clock: VirtualClock, actors: Any
) -> None:
    release = threading.Event()
    actors.start(lambda: release.wait(20))

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
    actors.join()
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


def test_only_the_forking_thread_is_a_participant_in_a_forked_child(
    clock: VirtualClock, actors: Any
) -> None:
    actors.start(lambda: clock.sleep(5), lambda: clock.sleep(60))
    while clock.waiting() < 2:
        threading.Event().wait(0.001)
    child = os.fork()
    if child == 0:
        clock.sleep(10)
        os._exit(int(clock.now() * 10))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 100
    assert clock.now() == 0
    actors.join()


def test_the_clock_at_rest_is_seen_once_before_each_jump(clock: VirtualClock, actors: Any) -> None:
    seen: list[tuple[float, int]] = []
    clock.at_rest = lambda: seen.append((clock.now(), clock.waiting()))
    actors.start(lambda: clock.sleep(5), lambda: clock.sleep(2))
    clock.sleep(9)
    actors.join()
    assert seen == [(0.0, 3), (2.0, 2), (5.0, 1)]


def test_time_does_not_jump_when_a_waiter_is_woken_at_rest(
    clock: VirtualClock, actors: Any
) -> None:
    waiter, ended = clock.waiter(), [0.0]
    wakes = [waiter.wake]
    clock.at_rest = lambda: wakes and wakes.pop()()

    def work() -> None:
        assert waiter.wait(None)
        ended[0] = clock.now()

    clock.sleep(1)  # the waiter is woken before its wait
    actors.start(work)
    clock.sleep(1)
    actors.join()
    assert (ended, clock.now()) == ([1.0], 2.0)


def test_the_last_thread_to_wait_may_wake_itself_at_rest(clock: VirtualClock) -> None:
    waiter = clock.waiter()
    clock.at_rest = waiter.wake
    assert waiter.wait(10)
    assert clock.now() == 0
    clock.at_rest = None
    clock.sleep(1)
    assert clock.now() == 1


def test_a_thread_woken_at_rest_that_waits_again_begins_another_rest(
    clock: VirtualClock, actors: Any
) -> None:
    first, seen = clock.waiter(), [0.0]
    again = threading.Event()

    def look() -> None:
        seen.append(clock.now())
        if len(seen) == 2:
            first.wake()
            assert again.wait(20)  # the woken thread waits again, or has ended

    def work() -> None:
        first.wait(None)
        seen.append(-1.0)
        again.set()
        clock.sleep(3)

    actors.start(work)
    while not clock.waiting():
        threading.Event().wait(0.001)
    clock.at_rest = look
    clock.sleep(5)
    actors.join()
    assert seen == [0.0, 0.0, -1.0, 0.0, 3.0]


def test_a_participant_that_enters_during_a_rest_keeps_time_from_jumping(
    clock: VirtualClock, actors: Any
) -> None:
    enters = [lambda: clock.sleep(1)]
    clock.at_rest = lambda: enters and actors.start(enters.pop())
    clock.sleep(5)
    assert clock.now() == 5
    actors.join()
    assert clock.now() == 5


def test_a_rest_is_seen_before_every_wait_fails(clock: VirtualClock) -> None:
    rests: list[float] = []
    clock.at_rest = lambda: rests.append(clock.now())
    with pytest.raises(ClockStuckError):
        clock.waiter().wait(None)
    assert rests == [0.0]


def test_a_participant_that_leaves_lets_the_others_rest(clock: VirtualClock, actors: Any) -> None:
    rests: list[float] = []
    actors.start(lambda: clock.sleep(5))
    while not clock.waiting():
        threading.Event().wait(0.001)
    clock.at_rest = lambda: rests.append(clock.now())
    actors.join()
    assert rests == [0.0]
    assert clock.now() == 5


@pytest.mark.parametrize("woken", [False, True])
def test_an_error_at_rest_ends_the_wait_and_keeps_the_count_of_participants_right(
    clock: VirtualClock, actors: Any, woken: bool
) -> None:
    waiter = clock.waiter()

    def fail() -> None:
        if woken:
            waiter.wake()
        raise KeyboardInterrupt

    clock.at_rest = fail
    with pytest.raises(KeyboardInterrupt):
        waiter.wait(10)
    clock.at_rest = None
    actors.start(lambda: clock.sleep(1))
    while not clock.waiting():
        threading.Event().wait(0.001)
    assert clock.now() == 0
    actors.join()
    clock.sleep(1)
    assert clock.now() == 2
