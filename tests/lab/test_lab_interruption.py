"""A block is cut short at every point where it may block, and what comes out of it is judged."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from poolspec.interruption.points import Cut, Interrupt
from poolspec.interruption.releasing import Releasing
from poolspec.interruption.suspensions import AsyncCut, Driven, Moment
from poolspec.lab.timing import failing
from poolspec.vocabulary import ErrorKind, Interruption


def kind_of(error: BaseException) -> ErrorKind | None:
    return ErrorKind.LOST if isinstance(error, ConnectionError) else None


def points(work: Callable[[], None], by: Interruption = Interruption.INTERRUPT) -> list[str]:
    """Cut work short at one point after the other, until it runs through; return the points."""
    seen: list[str] = []
    while True:
        with (cut := Cut(len(seen) + 1, by, kind_of)):
            work()
        if not cut.where:
            return seen
        seen.append(cut.where.split(" in ")[0])


def talk() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"a question")
        there.recv(10)


def test_a_thread_is_cut_short_before_and_after_each_call_that_may_block() -> None:
    assert points(talk) == ["before sendall", "after sendall", "before recv", "after recv"]


def test_a_timeout_strikes_calls_on_sockets_alone() -> None:
    def work() -> None:
        threading.Event().wait(0.001)
        try:
            talk()
        except TimeoutError as error:
            raise ConnectionError from error

    assert points(work, Interruption.TIMEOUT) == ["before sendall", "before recv"]


def test_who_waits_for_a_lock_is_cut_short_as_he_gets_it_too() -> None:
    def work() -> None:
        threading.Event().wait(0.001)

    assert points(work)[-3:] == ["before acquire", "after acquire", "after __exit__"]


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, threading.Condition])
def test_who_has_left_a_lock_is_cut_short(make: Callable[[], Any]) -> None:
    lock = make()

    def work() -> None:
        with lock:
            pass

    assert points(work) == ["after __exit__"]
    assert lock.acquire(blocking=False)


def test_what_the_lab_does_with_the_clock_is_not_cut_short() -> None:
    lock = threading.Lock()
    log: dict[str, Any] = {"__name__": "poolspec.invariants.log", "lock": lock}
    exec("def add():\n    with lock: pass", log)  # stands for a module of the lab
    assert points(log["add"]) == []


def test_who_takes_a_free_lock_is_not_cut_short_while_he_holds_it() -> None:
    lock = threading.Lock()

    def work() -> None:
        lock.acquire()
        lock.release()

    assert points(work) == ["before acquire"]
    assert not lock.locked()


class OneMove:
    """A pool whose return makes one move under its lock."""

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
        cut = Cut(len(seen) + 1, Interruption.INTERRUPT, kind_of)
        cut.releasing = Releasing(pool, release, clock)
        with cut:
            pool.release()
        if not cut.where:
            return seen
        seen.append(cut.where.split(" in ")[0])
        assert not pool.lock.locked()


def test_a_return_is_cut_short_where_a_move_begins_under_the_lock() -> None:
    points = returning_points(OneMove(), OneMove.release)
    assert points == ["at the beginning of OneMove.move", "after __exit__"]


def test_what_is_no_return_or_the_clock_has_no_points_where_functions_begin() -> None:
    assert returning_points(OneMove(), OneMove.look) == ["after __exit__"]
    assert returning_points(OneMove(), OneMove.release, __name__) == ["after __exit__"]


def test_what_puts_things_right_is_not_disturbed() -> None:
    done: list[bool] = []

    def work() -> None:
        try:
            talk()
        finally:
            talk()
            done.append(True)

    assert len(points(work)) == 8
    assert len(done) == 9 - 4  # the last four points are those of putting right itself


def test_an_interrupt_must_come_out() -> None:
    with (
        pytest.raises(AssertionError, match="swallowed: before sendall in talk"),
        Cut(1, Interruption.INTERRUPT, kind_of),
        suppress(Interrupt),
    ):
        talk()


def test_an_interrupt_must_come_out_as_it_is() -> None:
    with pytest.raises(ValueError, match="another"), Cut(1, Interruption.INTERRUPT, kind_of):
        try:
            talk()
        except Interrupt:
            raise ValueError("another") from None


def test_after_a_timeout_an_error_of_the_pool_may_come_out() -> None:
    with Cut(1, Interruption.TIMEOUT, kind_of) as _:
        try:
            talk()
        except TimeoutError:
            raise ConnectionError from None
    with pytest.raises(TimeoutError), Cut(1, Interruption.TIMEOUT, kind_of):
        talk()


def test_a_timeout_must_come_out() -> None:
    with (
        pytest.raises(AssertionError, match="a timeout was swallowed: before sendall in talk"),
        Cut(1, Interruption.TIMEOUT, kind_of),
        suppress(TimeoutError),
    ):
        talk()


def test_a_timeout_may_be_made_good_where_the_test_says_so() -> None:
    with Cut(1, Interruption.TIMEOUT, kind_of, may_recover=True), suppress(TimeoutError):
        talk()


@pytest.mark.parametrize("may_recover", [False, True])
def test_a_timeout_must_come_out_of_the_call_that_it_struck(may_recover: bool) -> None:
    with (
        pytest.raises(ConnectionError, match="a later call"),
        Cut(1, Interruption.TIMEOUT, kind_of, may_recover=may_recover),
    ):
        with suppress(TimeoutError):
            talk()
        raise ConnectionError("a later call")


def test_a_timeout_that_a_step_must_fail_with_has_come_out() -> None:
    with (
        Cut(1, Interruption.TIMEOUT, kind_of),
        failing(kind_of, ErrorKind.LOST, (), lambda error: None),
    ):
        try:
            talk()
        except TimeoutError as error:
            raise ConnectionError from error


def test_what_fails_by_itself_comes_out() -> None:
    with pytest.raises(ValueError, match="by itself"), Cut(9, Interruption.INTERRUPT, kind_of):
        raise ValueError("by itself")


# --- tasks ---------------------------------------------------------------------------------------


async def pause() -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


async def twice() -> None:
    await pause()
    await pause()


def cut_short(
    number: int,
    moment: Moment,
    by: Interruption = Interruption.INTERRUPT,
    work: Callable[[], Awaitable[None]] = twice,
) -> tuple[str, bool]:
    """Cut work short; return where, and whether it came to an end all the same."""
    ended = False

    async def main() -> str:
        nonlocal ended
        cut = AsyncCut(number, moment, by)

        async def attempt() -> None:
            nonlocal ended
            await pause()  # not counted
            async with cut:
                await work()
                ended = True
            await pause()

        await Driven(attempt(), cut)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await pause()
        return cut.where

    return asyncio.run(main()), ended


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("number", [1, 2])
def test_a_task_is_cancelled_at_each_of_its_suspensions(number: int, moment: Moment) -> None:
    where, ended = cut_short(number, moment)
    assert where == f"{moment.value} in pause in twice in cut_short.<locals>.main.<locals>.attempt"
    assert not ended


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
def test_a_task_that_does_not_suspend_so_often_runs_through(moment: Moment) -> None:
    assert cut_short(3, moment) == ("", True)


@pytest.mark.parametrize("number", [1, 2])
def test_a_deadline_around_a_task_passes_at_each_of_its_suspensions(number: int) -> None:
    where, ended = cut_short(number, Moment.WAITING, Interruption.TIMEOUT)
    assert where
    assert not ended


@pytest.mark.parametrize("by", Interruption)
def test_a_cancellation_must_come_out(by: Interruption) -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await pause()

    with pytest.raises(AssertionError, match="a cancellation was swallowed: while it waits"):
        cut_short(1, Moment.WAITING, by, stubborn)


def test_who_is_cancelled_ever_after_is_cancelled_while_he_puts_things_right() -> None:
    cancelled = 0

    async def work() -> None:
        nonlocal cancelled
        for _ in range(3):
            try:
                await pause()
            except asyncio.CancelledError:
                cancelled += 1
        raise asyncio.CancelledError

    cut_short(2, Moment.EVER_AFTER, work=work)
    assert cancelled == 2
