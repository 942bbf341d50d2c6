"""A block is interrupted at every point where it may block, and must let the interruption out."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from poolspec.interruption.points import Interrupt, Point
from poolspec.interruption.releasing import Releasing
from poolspec.interruption.suspensions import AsyncPoint, Driven, Moment
from poolspec.lab.timing import failing
from poolspec.vocabulary import ErrorKind, Interruption


def kind_of(error: BaseException) -> ErrorKind | None:
    return ErrorKind.LOST if isinstance(error, ConnectionError) else None


def points(work: Callable[[], None], by: Interruption = Interruption.INTERRUPT) -> list[str]:
    """Interrupt work at one point after another until it runs through; return the points."""
    seen: list[str] = []
    while True:
        with (point := Point(len(seen) + 1, by, kind_of)):
            work()
        if not point.where:
            return seen
        seen.append(point.where.split(" in ")[0])


def talk() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"a question")
        there.recv(10)


def test_a_thread_is_interrupted_before_and_after_each_call_that_may_block() -> None:
    assert points(talk) == ["before sendall", "after sendall", "before recv", "after recv"]


def test_a_timeout_affects_only_calls_on_sockets() -> None:
    def work() -> None:
        threading.Event().wait(0.001)
        try:
            talk()
        except TimeoutError as error:
            raise ConnectionError from error

    assert points(work, Interruption.TIMEOUT) == ["before sendall", "before recv"]


def test_a_thread_that_waits_for_a_lock_is_also_interrupted_as_it_gets_the_lock() -> None:
    def work() -> None:
        threading.Event().wait(0.001)

    assert points(work)[-3:] == ["before acquire", "after acquire", "after __exit__"]


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, threading.Condition])
def test_a_thread_that_has_left_a_lock_is_interrupted(make: Callable[[], Any]) -> None:
    lock = make()

    def work() -> None:
        with lock:
            pass

    assert points(work) == ["after __exit__"]
    assert lock.acquire(blocking=False)


def test_the_labs_own_use_of_the_clock_is_not_interrupted() -> None:
    lock = threading.Lock()
    log: dict[str, Any] = {"__name__": "poolspec.invariants.log", "lock": lock}
    exec("def add():\n    with lock: pass", log)  # acts as a module of the lab
    assert points(log["add"]) == []


def test_a_thread_that_takes_a_free_lock_is_not_interrupted_while_it_holds_it() -> None:
    lock = threading.Lock()

    def work() -> None:
        lock.acquire()
        lock.release()

    assert points(work) == ["before acquire"]
    assert not lock.locked()


class OneMove:
    """A pool whose release calls one function under its lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def release(self) -> None:
        self.look()
        with self.lock:
            self.move()

    def look(self) -> None: ...

    def move(self) -> None: ...


def returning_points(pool: OneMove, release: Any, clock: str = "") -> list[str]:
    seen: list[str] = []
    while True:
        point = Point(len(seen) + 1, Interruption.INTERRUPT, kind_of)
        point.releasing = Releasing(pool, release, clock)
        with point:
            pool.release()
        if not point.where:
            return seen
        seen.append(point.where.split(" in ")[0])
        assert not pool.lock.locked()


def test_a_release_is_interrupted_where_a_function_starts_under_the_lock() -> None:
    points = returning_points(OneMove(), OneMove.release)
    assert points == ["at the beginning of OneMove.move", "after __exit__"]


def test_only_a_release_has_points_where_functions_start_and_the_clock_has_none() -> None:
    assert returning_points(OneMove(), OneMove.look) == ["after __exit__"]
    assert returning_points(OneMove(), OneMove.release, __name__) == ["after __exit__"]


def test_the_recovery_from_an_interrupt_is_not_interrupted() -> None:
    done: list[bool] = []

    def work() -> None:
        try:
            talk()
        finally:
            talk()
            done.append(True)

    assert len(points(work)) == 8
    assert len(done) == 9 - 4  # the last four points belong to the recovery


def test_an_interrupt_must_leave_the_block() -> None:
    with (
        pytest.raises(AssertionError, match="swallowed: before sendall in talk"),
        Point(1, Interruption.INTERRUPT, kind_of),
        suppress(Interrupt),
    ):
        talk()


def test_an_interrupt_must_leave_the_block_unchanged() -> None:
    with (
        pytest.raises(ValueError, match="another"),
        Point(1, Interruption.INTERRUPT, kind_of),
    ):
        try:
            talk()
        except Interrupt:
            raise ValueError("another") from None


def test_a_pool_may_turn_a_timeout_into_its_own_error() -> None:
    with Point(1, Interruption.TIMEOUT, kind_of) as _:
        try:
            talk()
        except TimeoutError:
            raise ConnectionError from None
    with pytest.raises(TimeoutError), Point(1, Interruption.TIMEOUT, kind_of):
        talk()


def test_a_timeout_must_leave_the_block() -> None:
    with (
        pytest.raises(AssertionError, match="a timeout was swallowed: before sendall in talk"),
        Point(1, Interruption.TIMEOUT, kind_of),
        suppress(TimeoutError),
    ):
        talk()


def test_a_pool_may_recover_from_a_timeout_if_the_test_allows_it() -> None:
    with (
        Point(1, Interruption.TIMEOUT, kind_of, may_recover=True),
        suppress(TimeoutError),
    ):
        talk()


@pytest.mark.parametrize("may_recover", [False, True])
def test_a_timeout_must_leave_the_call_in_which_it_was_raised(may_recover: bool) -> None:
    with (
        pytest.raises(ConnectionError, match="a later call"),
        Point(1, Interruption.TIMEOUT, kind_of, may_recover=may_recover),
    ):
        with suppress(TimeoutError):
            talk()
        raise ConnectionError("a later call")


def test_a_timeout_with_which_a_step_had_to_fail_counts_as_seen() -> None:
    with (
        Point(1, Interruption.TIMEOUT, kind_of),
        failing(kind_of, ErrorKind.LOST, (), lambda error: None),
    ):
        try:
            talk()
        except TimeoutError as error:
            raise ConnectionError from error


def test_another_error_leaves_the_block() -> None:
    with (
        pytest.raises(ValueError, match="by itself"),
        Point(9, Interruption.INTERRUPT, kind_of),
    ):
        raise ValueError("by itself")


# --- tasks ---------------------------------------------------------------------------------------


async def pause() -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


async def twice() -> None:
    await pause()
    await pause()


def interrupted(
    number: int,
    moment: Moment,
    by: Interruption = Interruption.INTERRUPT,
    work: Callable[[], Awaitable[None]] = twice,
) -> tuple[str, bool]:
    """Interrupt work; return where, and whether it ended nevertheless."""
    ended = False

    async def main() -> str:
        nonlocal ended
        point = AsyncPoint(number, moment, by)

        async def attempt() -> None:
            nonlocal ended
            await pause()  # not counted
            async with point:
                await work()
                ended = True
            await pause()

        await Driven(attempt(), point)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await pause()
        return point.where

    return asyncio.run(main()), ended


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("number", [1, 2])
def test_a_task_is_cancelled_at_each_of_its_suspensions(number: int, moment: Moment) -> None:
    where, ended = interrupted(number, moment)
    assert (
        where == f"{moment.value} in pause in twice in interrupted.<locals>.main.<locals>.attempt"
    )
    assert not ended


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
def test_a_task_with_fewer_suspensions_runs_through(moment: Moment) -> None:
    assert interrupted(3, moment) == ("", True)


@pytest.mark.parametrize("number", [1, 2])
def test_a_deadline_around_a_task_passes_at_each_of_its_suspensions(number: int) -> None:
    where, ended = interrupted(number, Moment.WAITING, Interruption.TIMEOUT)
    assert where
    assert not ended


@pytest.mark.parametrize("by", Interruption)
def test_a_cancellation_must_leave_the_block(by: Interruption) -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await pause()

    with pytest.raises(AssertionError, match="a cancellation was swallowed: while it waits"):
        interrupted(1, Moment.WAITING, by, stubborn)


def test_a_task_cancelled_in_every_later_wait_is_cancelled_during_its_recovery() -> None:
    cancelled = 0

    async def work() -> None:
        nonlocal cancelled
        for _ in range(3):
            try:
                await pause()
            except asyncio.CancelledError:
                cancelled += 1
        raise asyncio.CancelledError

    interrupted(2, Moment.EVER_AFTER, work=work)
    assert cancelled == 2
