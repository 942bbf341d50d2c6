"""An acquire that times out names the connections that its own thread has."""

import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from steadypool import ConnectionPool, PoolTimeoutError
from steadypool.testing import VirtualClock

Actors = Any
MakePool = Callable[..., ConnectionPool]


@pytest.fixture
def pool(make_pool: MakePool) -> ConnectionPool:
    return make_pool(timeout=1)


def timed_out(pool: ConnectionPool) -> PoolTimeoutError:
    with pytest.raises(PoolTimeoutError) as caught:
        pool.acquire()
    return caught.value


def in_a_context(pool: ConnectionPool) -> PoolTimeoutError:
    with pool:
        return timed_out(pool)


def in_a_block(pool: ConnectionPool) -> PoolTimeoutError:
    with pool.connection():
        return timed_out(pool)


def in_a_unit_of_work(pool: ConnectionPool) -> PoolTimeoutError:
    with pool.transaction():
        return timed_out(pool)


def in_an_exit_stack(pool: ConnectionPool) -> PoolTimeoutError:
    with ExitStack() as stack:
        stack.enter_context(pool.connection())
        return timed_out(pool)


@pytest.mark.parametrize("work", [in_a_context, in_a_block, in_a_unit_of_work, in_an_exit_stack])
def test_the_error_names_the_connection_of_a_block(
    pool: ConnectionPool, work: Callable[[ConnectionPool], PoolTimeoutError]
) -> None:
    error = work(pool)
    assert error.own == ("This thread itself borrowed connection 1.",)
    assert "borrow once and pass the connection on" in str(error)


def test_the_error_says_where_it_was_borrowed_in_a_pool_that_detects_leaks(
    make_pool: MakePool,
) -> None:
    pool = make_pool(timeout=1, leak_after=60)
    connection = pool.acquire()
    (own,) = timed_out(pool).own
    assert own.startswith("This thread itself borrowed connection 1 (at ")
    assert "test_steadypool_own_loans.py" in own
    pool.release(connection)


class Session:
    def __init__(self, connection: object) -> None:
        self.connection = connection


@pytest.mark.parametrize(
    "keep",
    [
        lambda connection: connection,
        lambda connection: [connection],
        lambda connection: {"primary": connection},
        Session,
    ],
)
def test_the_error_names_a_connection_that_a_waiting_function_refers_to(
    pool: ConnectionPool, keep: Callable[[Any], object]
) -> None:
    def outer() -> tuple[str, ...]:
        kept = keep(pool.acquire())
        assert kept is not None
        return timed_out(pool).own

    (own,) = outer()
    assert own.startswith("Perhaps this thread itself borrowed connection 1: its variable 'kept'")
    (entry,) = pool._core.in_use.values()
    pool.release(entry.connection)


def test_the_error_names_no_connection_of_another_thread(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors
) -> None:
    def other() -> None:
        with pool:
            clock.sleep(5)

    connection = pool.acquire()
    pool.release(connection)  # the variable is left over from this loan
    actors.start(other)
    clock.sleep(1)
    error = timed_out(pool)
    actors.join()
    assert error.own == ()
    assert connection is not None


@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer keeps the variables")
def test_the_search_keeps_no_variable_alive(pool: ConnectionPool) -> None:
    held = pool.acquire()
    mine = Session(None)
    gone = weakref.ref(mine)
    timed_out(pool)
    del mine
    assert gone() is None
    pool.release(held)


def test_the_search_leaves_the_programs_own_dictionary_of_variables_alone(
    pool: ConnectionPool,
) -> None:
    held = pool.acquire()
    mine = locals()
    timed_out(pool)
    assert mine["held"] is held
    pool.release(held)


def test_an_acquire_that_does_not_wait_is_not_searched_for(pool: ConnectionPool) -> None:
    held = pool.acquire()
    with pytest.raises(PoolTimeoutError) as caught:
        pool.acquire(timeout=0)
    assert caught.value.own == ()
    pool.release(held)


def test_a_connection_handed_over_is_the_waiters(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors
) -> None:
    errors: dict[str, PoolTimeoutError] = {}

    def waiter() -> None:
        connection = pool.acquire()
        errors["waiter"] = timed_out(pool)
        clock.sleep(5)
        pool.release(connection)

    first = pool.acquire()
    actors.queue(pool, waiter)
    pool.release(first)
    errors["first"] = timed_out(pool)
    actors.join()
    assert errors["waiter"].own == ("This thread itself borrowed connection 1.",)
    assert errors["first"].own == ()


def test_the_thread_that_borrowed_may_have_ended(pool: ConnectionPool) -> None:
    block = pool.connection()
    thread = threading.Thread(target=block.__enter__)
    thread.start()
    thread.join()
    del thread
    assert timed_out(pool).own == ()
    block.__exit__(None, None, None)
