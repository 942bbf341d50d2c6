"""Locks, conditions, queues and threads of a module wait on the clock, for exactly their time."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.lab import waiting_code
from tests.lab.virtual_fixtures import Running, at_once

from poolspec.virtual import virtual_modules
from steadypool.testing import ClockStuckError, VirtualClock

code: Any = waiting_code
START = 2.0**20


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    with at_once(), virtual_modules(clock, code.__name__):
        yield clock
        clock.abort("the test is over")


@pytest.fixture
def actors(clock: VirtualClock) -> Running:
    return Running(clock)


# --- time -----------------------------------------------------------------------------------------


def test_time_is_the_clocks_in_all_its_functions(clock: VirtualClock) -> None:
    code.time.sleep(2.5)
    code.pause(1800)
    now = START + 1802.5
    assert (code.time.time(), code.time.monotonic(), code.perf_counter()) == (now, now, now)
    assert code.time.time_ns() == round(now * 1e9)
    assert clock.now() == 1802.5


def test_a_negative_sleep_is_an_error(clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        code.time.sleep(-1)


# --- locks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_a_lock_is_awaited_exactly_until_the_timeout(
    clock: VirtualClock, actors: Running, kind: str
) -> None:
    lock = getattr(code, kind)()
    results: list[tuple[bool, float]] = []
    lock.acquire()
    actors.start(lambda: results.append((lock.acquire(timeout=30), clock.now())))
    clock.sleep(40)
    lock.release()
    actors.join()
    assert results == [(False, 30.0)]
    assert lock.acquire(blocking=False)


def test_a_released_lock_goes_to_a_waiter_at_that_moment(
    clock: VirtualClock, actors: Running
) -> None:
    lock, results = code.Lock(), list[float]()

    def work() -> None:
        with lock:
            results.append(clock.now())
            code.time.sleep(5)

    with lock:
        actors.start(work, work)
        clock.sleep(10)
    actors.join()
    assert results == [10.0, 15.0]
    assert not lock.locked()


def test_a_lock_that_is_taken_fails_at_once_without_blocking(clock: VirtualClock) -> None:
    lock = code.Lock()
    assert lock.acquire(False)
    assert not lock.acquire(False)
    assert not lock.acquire(timeout=0)
    lock.release()
    with pytest.raises(RuntimeError):
        lock.release()
    for wrong in ({"timeout": -2}, {"blocking": False, "timeout": 1}):
        with pytest.raises(ValueError, match="timeout"):
            lock.acquire(**wrong)
    assert clock.now() == 0


def test_waiters_of_a_lock_that_time_out_leave_it_to_the_others(
    clock: VirtualClock, actors: Running
) -> None:
    lock, results = code.Lock(), list[tuple[str, bool, float]]()

    def work(name: str, timeout: float) -> Callable[[], None]:
        def run() -> None:
            results.append((name, lock.acquire(timeout=timeout), clock.now()))

        return run

    with lock:
        actors.queue(work("brief", 10), work("long", 60))
        clock.sleep(10)  # the release and the first deadline are at the same moment
    actors.join()
    taken = [(name, seconds) for name, got, seconds in results if got]
    assert taken in ([("brief", 10.0)], [("long", 10.0)])
    assert len(results) == 2


def test_no_wake_up_of_a_lock_is_lost_under_load(clock: VirtualClock, actors: Running) -> None:
    lock, counts = code.Lock(), [0]

    def work() -> None:
        for _ in range(300):
            with lock:
                counts[0] += 1

    actors.start(*[work] * 8)
    actors.join()
    assert counts == [2400]
    assert clock.now() == 0


def test_a_deadlock_of_locks_is_noticed_at_once(clock: VirtualClock, actors: Running) -> None:
    one, other = code.Lock(), code.Lock()
    one.acquire()

    def work() -> None:
        with other, pytest.raises(ClockStuckError):
            one.acquire()

    actors.queue(work)
    with pytest.raises(ClockStuckError):
        other.acquire()
    actors.join()


def test_a_reentrant_lock_is_taken_again_only_by_its_owner(
    clock: VirtualClock, actors: Running
) -> None:
    lock, results = code.RLock(), list[bool]()
    with lock, lock:
        assert lock.acquire()
        lock.release()
        actors.start(lambda: results.append(lock.acquire(blocking=False)))
        actors.join()
    assert results == [False]
    with pytest.raises(RuntimeError, match="un-acquired"):
        lock.release()
    other = Running(clock)
    other.start(lambda: results.append(lock.acquire(blocking=False)))
    other.join()
    assert results == [False, True]


# --- conditions -----------------------------------------------------------------------------------


def test_a_condition_is_awaited_until_notified_or_exactly_until_the_timeout(
    clock: VirtualClock, actors: Running
) -> None:
    condition = code.Condition()
    results: list[tuple[bool, float]] = []

    def wait(timeout: float | None) -> Callable[[], None]:
        def run() -> None:
            with condition:
                results.append((condition.wait(timeout), clock.now()))

        return run

    actors.queue(wait(7), wait(30), wait(None))
    clock.sleep(10)
    with condition:
        condition.notify()
    clock.sleep(1)
    assert results == [(False, 7.0), (True, 10.0)]
    with condition:
        condition.notify_all()
    actors.join()
    assert results[2:] == [(True, 11.0)]


def test_conditions_share_a_lock_and_release_it_wholly(
    clock: VirtualClock, actors: Running
) -> None:
    lock = code.RLock()
    full, empty = code.Condition(lock), code.Condition(lock)
    results: list[str] = []

    def wait() -> None:
        with lock, full, empty:
            results.append("waits")
            full.wait()
            results.append("woken")

    actors.queue(wait)
    with empty:
        empty.notify()
        clock.sleep(1)
        full.notify()
        results.append("notified")
    actors.join()
    assert results == ["waits", "notified", "woken"]
    with pytest.raises(RuntimeError, match="not held"):
        full.notify()
    with pytest.raises(RuntimeError, match="not held"):
        full.wait()


def test_a_condition_waits_for_a_predicate(clock: VirtualClock, actors: Running) -> None:
    condition, items = code.Condition(code.Lock()), list[int]()

    def put() -> None:
        for number in range(3):
            code.time.sleep(2)
            with condition:
                items.append(number)
                condition.notify_all()

    actors.start(put)
    with condition:
        assert condition.wait_for(lambda: len(items) == 3, timeout=30)
        assert clock.now() == 6
        assert not condition.wait_for(lambda: len(items) == 4, timeout=30)
    assert clock.now() == 36
    actors.join()


def test_an_event_is_awaited(clock: VirtualClock, actors: Running) -> None:
    event, results = code.Event(), list[tuple[bool, float]]()
    assert not event.wait(5)
    actors.start(lambda: results.append((event.wait(60), clock.now())))
    clock.sleep(3)
    event.set()
    actors.join()
    assert results == [(True, 8.0)]
    assert event.is_set()
    assert event.wait()
    event.clear()
    assert not event.wait(1)


def test_a_semaphore_has_a_number_of_permits(clock: VirtualClock, actors: Running) -> None:
    permits, results = code.Semaphore(2), list[tuple[bool, float]]()
    with permits:
        assert permits.acquire()
        assert not permits.acquire(blocking=False)
        assert not permits.acquire(timeout=30)
        assert clock.now() == 30
        actors.start(lambda: results.append((permits.acquire(timeout=60), clock.now())))
        clock.sleep(5)
        permits.release()
        actors.join()
    assert results == [(True, 35.0)]
    assert permits.acquire(False)
    assert not permits.acquire(False)
    permits.release(2)
    with pytest.raises(ValueError, match="timeout"):
        permits.acquire(False, 1)
    with pytest.raises(ValueError, match="one or more"):
        permits.release(0)
    with pytest.raises(ValueError, match=">= 0"):
        code.Semaphore(-1)


def test_a_bounded_semaphore_refuses_a_permit_too_many(clock: VirtualClock) -> None:
    permits = code.BoundedSemaphore()
    with permits:
        assert not permits.acquire(timeout=1)
    with pytest.raises(ValueError, match="too many"):
        permits.release()


def test_a_barrier_waits_for_all(clock: VirtualClock, actors: Running) -> None:
    barrier, results = code.Barrier(3), list[float]()

    def work(seconds: float) -> Callable[[], None]:
        def run() -> None:
            code.time.sleep(seconds)
            barrier.wait()
            results.append(clock.now())

        return run

    actors.start(work(1), work(5))
    barrier.wait(60)
    assert clock.now() == 5
    actors.join()
    assert results == [5.0, 5.0]
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait(2)
    assert clock.now() == 7


# --- queues ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "order"),
    [("Queue", [2, 1, 3]), ("LifoQueue", [3, 1, 2]), ("PriorityQueue", [1, 2, 3])],
)
def test_a_queue_keeps_its_order(clock: VirtualClock, kind: str, order: list[int]) -> None:
    items = getattr(code, kind)(3)
    assert isinstance(items, queue.Queue)
    for number in (2, 1, 3):
        items.put(number)
    with pytest.raises(code.Full):
        items.put(4, timeout=20)
    with pytest.raises(code.Full):
        items.put_nowait(4)
    assert [items.get() for _ in order] == order
    with pytest.raises(code.Empty):
        items.get(timeout=10)
    with pytest.raises(code.Empty):
        items.get_nowait()
    assert clock.now() == 30
    for _ in order:
        items.task_done()
    items.join()


@pytest.mark.parametrize("kind", ["Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"])
def test_a_getter_is_served_when_another_thread_puts(
    clock: VirtualClock, actors: Running, kind: str
) -> None:
    items, results = getattr(code, kind)(), list[tuple[int, float]]()
    actors.start(*[lambda: results.append((items.get(timeout=60), clock.now()))] * 2)
    clock.sleep(4)
    items.put(7)
    clock.sleep(4)
    items.put_nowait(7)
    actors.join()
    assert results == [(7, 4.0), (7, 8.0)]
    assert items.empty()
    assert items.qsize() == 0
    with pytest.raises(code.Empty):
        items.get(timeout=2)
    with pytest.raises(code.Empty):
        items.get_nowait()
    assert clock.now() == 10
    with pytest.raises(ValueError, match="non-negative"):
        items.get(timeout=-1)


def test_a_putter_continues_when_there_is_room(clock: VirtualClock, actors: Running) -> None:
    items, results = code.Queue(1), list[float]()
    items.put(1)

    def put() -> None:
        items.put(2)
        results.append(clock.now())

    actors.start(put)
    clock.sleep(5)
    assert items.get() == 1
    actors.join()
    assert results == [5.0]
    assert items.get() == 2


def test_a_class_derived_from_a_queue_is_virtual_too(clock: VirtualClock) -> None:
    stack = code.Stack(1)
    stack.put(1)
    with pytest.raises(code.Full):
        stack.put(2, timeout=3)
    assert clock.now() == 3


# --- threads --------------------------------------------------------------------------------------


def test_a_thread_takes_part_from_its_start_to_its_end(clock: VirtualClock) -> None:
    seen: list[float] = []
    workers = [code.Worker(seconds, seen) for seconds in (5, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == [START + 2, START + 5]
    assert clock.now() == 5
    clock.sleep(1)
    assert clock.now() == 6


def test_a_join_of_a_thread_ends_exactly_at_its_timeout(clock: VirtualClock) -> None:
    worker = code.Worker(10, [])
    worker.start()
    worker.join(4)
    assert clock.now() == 4
    assert worker.is_alive()
    worker.join(60)
    assert (clock.now(), worker.is_alive()) == (10, False)


def test_a_timer_calls_its_function_unless_cancelled(clock: VirtualClock) -> None:
    seen: list[object] = []
    called = code.Timer(30, lambda *args: seen.append((args, clock.now())), ["x"])
    cancelled = code.threading.Timer(20, seen.append, [0])
    called.start()
    cancelled.start()
    clock.sleep(10)
    cancelled.cancel()
    cancelled.join()
    called.join()
    assert seen == [(("x",), 30.0)]


def test_maintenance_follows_the_clock_and_does_not_drive_it(clock: VirtualClock) -> None:
    ended, seen = code.Event(), list[float]()
    thread = code.beat(60, ended, seen)
    threading.Event().wait(0.05)  # this thread can run: no time passes
    assert (clock.now(), seen) == (0.0, [])
    clock.sleep(150)
    assert seen == [START + 60, START + 120]
    ended.set()
    thread.join()
    assert clock.now() == 150


def test_maintenance_ends_silently_when_the_clock_has_ended(clock: VirtualClock) -> None:
    thread = code.beat(60, code.Event(), [])
    clock.sleep(1)
    clock.abort("over")
    threading.Thread.join(thread, 20)
    assert not thread.is_alive()


def test_an_error_in_a_threads_start_leaves_the_clock_as_it_was(clock: VirtualClock) -> None:
    worker = code.Worker(1, [])
    worker.start()
    worker.join()
    with pytest.raises(RuntimeError):
        worker.start()
    clock.sleep(1)
    assert clock.now() == 2
