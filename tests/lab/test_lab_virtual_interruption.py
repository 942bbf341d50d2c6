"""An interrupt at any point of virtual objects leaves no lock held, and no wake-up lost."""

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from tests.lab import waiting_code
from tests.lab.virtual_fixtures import Running

from poolspec.interruption.points import Point
from poolspec.interruption.releasing import is_held
from poolspec.virtual import virtual_modules
from poolspec.vocabulary import Interruption
from steadypool.testing import VirtualClock

code: Any = waiting_code
CLOCK = VirtualClock.__module__


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    with virtual_modules(clock, code.__name__):
        yield clock
        clock.abort("the test is over")


def points(work: Callable[[], object], check: Callable[[], object]) -> list[str]:
    """Interrupt work at one point after another until it runs through; check after each round."""
    seen: list[str] = []
    while True:
        with (point := Point(len(seen) + 1, Interruption.INTERRUPT, lambda _: None, CLOCK)):
            work()
        check()
        if not point.where:
            return seen
        seen.append(point.where.split(" in ")[0])
        assert len(seen) < 100


def enter(lock: Any) -> Callable[[], None]:
    """Return work that takes the lock for a block."""

    def work() -> None:
        with lock:
            pass

    return work


@pytest.mark.parametrize("kind", ["Lock", "RLock", "Condition"])
def test_the_end_of_a_block_is_a_point(clock: VirtualClock, kind: str) -> None:
    lock = getattr(code, kind)()

    def check() -> None:
        assert lock.acquire(blocking=False)
        lock.release()

    assert points(enter(lock), check) == ["after __exit__"]


@pytest.mark.parametrize("kind", ["Lock", "RLock", "Condition"])
def test_a_waiter_of_a_lock_is_interrupted_and_leaves_the_lock_to_the_next(
    clock: VirtualClock, kind: str
) -> None:
    rounds = 0
    while True:
        lock, actors = getattr(code, kind)(), Running(clock)
        got: list[float] = []

        def hold(lock: Any = lock) -> None:
            with lock:
                clock.sleep(5)

        def take(lock: Any = lock, got: list[float] = got) -> None:
            clock.sleep(1)
            with lock:
                got.append(clock.now())

        actors.queue(hold)
        actors.queue(take)
        with (point := Point(rounds + 1, Interruption.INTERRUPT, lambda _: None, CLOCK)):
            enter(lock)()
        actors.join()
        assert len(got) == 1
        assert not is_held(getattr(lock, "_lock", lock))
        if not point.where:
            break
        rounds += 1
    assert rounds == 4  # before a waiter is made, before and after the wait, and after the block


def test_an_interrupted_wait_of_a_condition_takes_the_lock_back(clock: VirtualClock) -> None:
    condition = code.Condition()

    def work() -> None:
        with condition:
            try:
                condition.wait(5)
            finally:
                condition.notify()  # it has the lock

    def check() -> None:
        assert condition.acquire(blocking=False)
        condition.release()

    assert points(work, check) == ["before acquire", "before acquire", "after __exit__"]


def test_an_interrupt_while_the_lock_is_taken_back_comes_after_it(clock: VirtualClock) -> None:
    rounds = 0
    while True:
        condition, actors = code.Condition(), Running(clock)
        notified: list[bool] = []

        def notify(condition: Any = condition, notified: list[bool] = notified) -> None:
            clock.sleep(1)
            with condition:
                condition.notify()
                clock.sleep(5)  # the waiter is woken, and waits for the lock
                notified.append(True)

        actors.queue(notify)
        with (point := Point(rounds + 1, Interruption.INTERRUPT, lambda _: None, CLOCK)), condition:
            try:
                condition.wait(60)
            finally:
                condition.notify()
        actors.join()
        assert notified == [True]
        if not point.where:
            break
        rounds += 1
        assert rounds < 20


def test_a_signal_in_a_wait_for_a_queue_leaves_the_queue_usable(
    clock: VirtualClock,
) -> None:
    items, actors, release = code.Queue(), Running(clock), []

    def interrupt(number: int, frame: object) -> None:
        release.append(number)
        raise KeyboardInterrupt

    def busy() -> None:  # so that time stands still
        while not release:
            pass

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        actors.start(busy)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            items.get(timeout=30)
    finally:
        signal.signal(signal.SIGALRM, before)
    items.put(1)
    assert items.get() == 1
    actors.join()
    with pytest.raises(code.Empty):
        items.get(timeout=30)
    assert clock.now() == 30


@pytest.mark.parametrize("kind", ["Queue", "SimpleQueue", "Semaphore", "Event"])
def test_an_interrupt_takes_nothing_from_an_object(clock: VirtualClock, kind: str) -> None:
    thing = getattr(code, kind)(*[0] * (kind == "Semaphore"))
    give = getattr(thing, {"Semaphore": "release", "Event": "set"}.get(kind, "put"))
    take = getattr(thing, {"Semaphore": "acquire", "Event": "wait"}.get(kind, "get"))

    def work() -> None:
        with suppress(code.Empty):
            take(timeout=30)

    def check() -> None:
        give(*[1] * kind.endswith("Queue"))
        began = clock.now()
        assert take(timeout=30)
        assert clock.now() == began
        if kind == "Event":
            thing.clear()

    assert points(work, check) == ["before acquire", "before acquire"]
