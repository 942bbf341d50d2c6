"""Releases, contexts and closing of a pool for threads."""

from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConnectionPool,
    NotBorrowedError,
    PoolClosedError,
    PoolTimeoutError,
)
from steadypool.testing import (
    Gate,
    ScriptedConnection,
    ScriptedConnector,
    VirtualClock,
)

MakePool = Callable[..., ConnectionPool]


def test_an_open_transaction_is_rolled_back_on_return(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.acquire()
    connection.in_transaction = True
    pool.release(connection)
    assert connection.rollbacks == 1
    assert pool.acquire() is connection
    pool.release(connection)


@pytest.mark.parametrize("spoil", ["close", "rollback fails"])
def test_closing_a_returned_connection_wakes_a_waiter(
    make_pool: MakePool, actors: Any, spoil: str
) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.queue(pool, client)
    if spoil == "close":
        held.close()
    else:
        held.in_transaction = True
        held.on_rollback = OSError("gone")
    pool.release(held)
    actors.join()
    assert got == [2]
    assert pool.stats().total_connections == 1


def test_close_all_empties_the_pool_and_it_stays_usable(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2)
    held = pool.acquire()
    pool.close_all()
    assert (pool.stats().pool_size, connect.open_now) == (0, 1)
    pool.release(held)
    assert (held.closed, pool.stats().total_connections) == (True, 0)
    with pool as connection:
        assert connection.number == 3


def test_close_all_frees_slots_for_waiters(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.queue(pool, client)
    pool.close_all()
    pool.release(held)
    actors.join()
    assert got == [2]


def test_close_ends_all_waits_at_once(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool()
    held = pool.acquire()
    failures: list[float] = []

    def client() -> None:
        with pytest.raises(PoolClosedError):
            pool.acquire()
        failures.append(clock.now())

    actors.queue(pool, client, client)
    pool.close()
    actors.join()
    assert failures == [0, 0]
    pool.release(held)
    assert held.closed


def test_a_closed_pool_refuses_acquires_and_may_be_closed_again(make_pool: MakePool) -> None:
    pool = make_pool()
    pool.close()
    pool.close()
    with pytest.raises(PoolClosedError):
        pool.acquire()
    assert pool.closed


def test_a_connect_that_ends_after_close_leaves_nothing_open(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0)
    gate = Gate(clock)
    connect.then(gate)

    def client() -> None:
        with pytest.raises(PoolClosedError):
            pool.acquire()

    actors.start(client)
    assert gate.arrived.wait(10)
    pool.close()
    gate.open()
    actors.join()
    assert connect.open_now == 0
    assert (pool.stats().created, pool.stats().closed) == (1, 1)


def test_releasing_none_counts_nothing(make_pool: MakePool) -> None:
    pool = make_pool()
    pool.release(None)
    assert pool.stats().released == 0


def test_releasing_twice_is_refused_and_changes_nothing(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.acquire()
    pool.release(connection)
    before = pool.stats()
    with pytest.raises(NotBorrowedError):
        pool.release(connection)
    assert pool.stats() == before


def test_releasing_a_foreign_connection_is_refused(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool()
    foreign = ScriptedConnection(99)
    with pytest.raises(NotBorrowedError):
        pool.release(foreign)
    assert not foreign.closed
    with pytest.raises(NotBorrowedError):
        pool.release(object())


def test_another_thread_may_release(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool()
    connection = pool.acquire()
    actors.start(lambda: pool.release(connection))
    actors.join()
    assert pool.stats().pool_size == 1


class Interrupt(BaseException):
    """An exception that is not an `Exception`."""


@pytest.mark.parametrize("error", [ValueError, Interrupt])
def test_an_exception_in_a_with_block_releases_the_connection(
    make_pool: MakePool, error: type[BaseException]
) -> None:
    pool = make_pool()
    with pytest.raises(error), pool:
        raise error
    assert (pool.stats().pool_size, pool.stats().in_use) == (1, 0)


def test_contexts_nest(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    with pool as outer, pool as inner:
        assert outer is not inner
    assert pool.stats().released == 2


def test_connection_is_a_with_block_with_a_timeout(make_pool: MakePool) -> None:
    pool = make_pool()
    with pool.connection(), pytest.raises(PoolTimeoutError), pool.connection(timeout=1):
        pass
    assert pool.stats().in_use == 0


def test_a_connection_of_unknown_state_is_rolled_back(make_pool: MakePool) -> None:
    class Mute:
        rollbacks = 0

        def rollback(self) -> None:
            self.rollbacks += 1

        def close(self) -> None:
            pass

    pool = make_pool(connect=Mute)
    with pool as connection:
        pass
    assert connection.rollbacks == 1
    assert pool.stats().pool_size == 1
