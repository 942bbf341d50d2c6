"""The pool is re-entered at each point of its methods; a deadlock ends the child, not the test."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from poolspec.interruption.eager import start_at_once
from poolspec.interruption.reentry import ForeignCalls, ReentryPoint, Site, Tried
from poolspec.interruption.rounds import TooFewPointsError, check_points_by
from poolspec.lab.borrowing.blocks import AsyncEnteredBlock, EnteredBlock
from poolspec.lab.threads.clock import RealClock
from poolspec.lifecycle import forking
from poolspec.lifecycle.forking import Progress, in_child
from poolspec.vocabulary import BlockFrame, Caller, ErrorKind


class RefusedError(Exception):
    """A pool refuses a call because it is at work in the same thread."""


class Counter:
    """A pool of numbers, which one method changes in two steps under a lock."""

    def __init__(self, *, locks_once: bool = False) -> None:
        self.lock = threading.Lock() if locks_once else threading.RLock()
        self.first = self.second = 0
        self.is_at_work = False

    def change(self) -> None:
        """Change both numbers."""
        with self.lock:
            if self.is_at_work:
                raise RefusedError
            self.is_at_work = True
            self.first += 1
            self.half_way()
            self.second += 1
            self.is_at_work = False

    def half_way(self) -> None:
        """Do nothing: a point inside the change."""


def kind_of(error: BaseException) -> ErrorKind | None:
    return ErrorKind.REENTRANT if isinstance(error, RefusedError) else None


def point_on(pool: Counter, tried: Tried, by: Caller, foreign: ForeignCalls) -> ReentryPoint:
    logger = logging.getLogger("poolspec.reentry")
    return ReentryPoint(tried, by, (), Site(pool, RealClock(), logger, foreign, kind_of))


def points(by: Caller, call: Callable[[Counter], None], work: Callable[[Counter], None]) -> int:
    """Re-enter at one point after another until none is left; return how many there are."""
    tried = Tried()
    while True:
        pool = Counter()
        point = point_on(pool, tried, by, ForeignCalls())
        with point.into(partial(call, pool)):
            work(pool)
        if not point.where:
            return len(tried)
        assert pool.first == pool.second


@pytest.mark.parametrize("by", [Caller.SIGNAL, Caller.COLLECTOR])
def test_a_pool_is_re_entered_in_its_functions_and_after_its_calls_of_c(by: Caller) -> None:
    assert points(by, Counter.change, Counter.change) == 3  # change, half_way, the lock's end


@pytest.mark.parametrize("by", [Caller.SIGNAL, Caller.COLLECTOR])
def test_an_error_of_the_re_entered_call_is_raised(by: Caller) -> None:
    def fail(pool: Counter) -> None:
        raise ValueError("not at once")

    with pytest.raises(ValueError, match="not at once") as caught:
        points(by, fail, Counter.change)
    assert caught.value.__notes__ == ["raised by the call that re-entered the pool"]


def test_a_refusal_that_is_late_is_an_error() -> None:
    def refuse_late(pool: Counter) -> None:
        time.sleep(0.15)
        raise RefusedError

    with pytest.raises(RefusedError):
        points(Caller.SIGNAL, refuse_late, Counter.change)


def test_the_steps_may_fail_only_after_the_re_entry_and_only_as_listed() -> None:
    def fail(pool: Counter) -> None:
        pool.half_way()
        raise ConnectionError

    pool = Counter()
    with (
        pytest.raises(ConnectionError),
        point_on(pool, Tried(), Caller.SIGNAL, ForeignCalls()).into(pool.half_way),
    ):
        fail(pool)


def test_a_listener_re_enters_the_pool_at_its_nth_event_in_the_same_thread() -> None:
    pool, foreign = Counter(), ForeignCalls()
    point = point_on(pool, {("for the event one", 1)}, Caller.LISTENER, foreign)
    with point.into(pool.change):
        foreign.made(Caller.LISTENER, "for the event one")
        thread = threading.Thread(target=foreign.made, args=(Caller.LISTENER, "elsewhere"))
        thread.start()
        thread.join()
        assert pool.first == 0
        foreign.made(Caller.HOOK, "setup")
        foreign.made(Caller.LISTENER, "for the event two")
    assert (pool.first, point.where) == (1, "by a listener for the event two")


def test_a_place_counts_twice_at_most() -> None:
    def change_often(pool: Counter) -> None:
        for _ in range(5):
            pool.change()

    assert points(Caller.SIGNAL, Counter.change, change_often) == 1 + 2 * 3


def test_a_log_handler_re_enters_the_pool_at_a_record() -> None:
    pool = Counter()
    point = point_on(pool, Tried(), Caller.LOG_HANDLER, ForeignCalls())
    with point.into(pool.change):
        logging.getLogger("poolspec.reentry").warning("a record")
    assert (pool.first, point.where) == (1, "by a log handler for the record 'a record'")


def test_a_child_that_deadlocks_is_killed_and_its_stacks_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forking, "STUCK", 0.3)
    pool = Counter(locks_once=True)

    def deadlock() -> None:
        progress.note("round one")
        with pool.lock:
            pool.change()

    with (
        Progress() as progress,
        pytest.raises(AssertionError, match=r"deadlock.*round one") as told,
    ):
        in_child(deadlock, progress)
    assert "in change" in told.value.__notes__[0]


def test_a_child_may_take_long_as_long_as_its_rounds_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forking, "STUCK", 0.5)
    monkeypatch.setattr(forking, "LIMIT", 0.5)

    def work() -> None:
        for number in range(8):
            progress.note(f"round {number}")
            time.sleep(0.1)

    with Progress() as progress:
        in_child(work, progress)
        assert progress.read() == "8 round 7"


def test_a_task_that_starts_at_once_runs_until_it_waits() -> None:
    async def main() -> None:
        seen: list[object] = []
        gate = asyncio.Event()

        async def work() -> None:
            seen.append(asyncio.current_task())
            async with asyncio.timeout(5):
                await gate.wait()
            seen.append(asyncio.current_task())
            raise ValueError

        errors: list[BaseException] = []
        outer = asyncio.current_task()
        task = start_at_once(work(), errors.append)
        assert seen == [task]
        assert asyncio.current_task() is outer
        gate.set()
        await task
        assert seen == [task, task]
        assert [type(error) for error in errors] == [ValueError]

    asyncio.run(main())


class Loan:
    """A context for both concurrency modes that fails at its end."""

    def __enter__(self) -> int:
        return 1

    def __exit__(self, *exc: object) -> None:
        raise RefusedError

    async def __aenter__(self) -> int:
        return 1

    async def __aexit__(self, *exc: object) -> None:
        raise RefusedError


def test_the_error_of_a_block_that_is_collected_is_raised_by_abandon() -> None:
    block = EnteredBlock(Loan(), BlockFrame.GENERATOR)
    assert block.enter() == 1
    with pytest.raises(RefusedError):
        block.abandon()


def test_the_error_of_a_block_that_is_collected_in_asyncio_is_raised_by_abandon() -> None:
    async def main() -> None:
        block = AsyncEnteredBlock(Loan(), BlockFrame.GENERATOR)
        assert await block.enter() == 1
        with pytest.raises(RefusedError):
            await block.abandon()

    asyncio.run(main())


def test_too_few_points_in_a_forked_child_are_a_premise_that_does_not_hold() -> None:
    report = "TooFewPointsError: interrupted at 3 points, expected at least 10\nnot interrupted"
    with pytest.raises(TooFewPointsError) as raised:
        check_points_by(report)
    assert str(raised.value) == "interrupted at 3 points, expected at least 10"
    check_points_by("AssertionError: interrupted at 3 points")
