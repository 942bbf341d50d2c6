"""Growth, replacement and failed connects of a pool for threads."""

from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    PoolTimeoutError,
)
from steadypool.testing import (
    Gate,
    ScriptedConnection,
    ScriptedConnector,
    VirtualClock,
)

MakePool = Callable[..., ConnectionPool]


def test_the_pool_grows_to_its_limit_and_keeps_size_connections(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2, max_overflow=2)
    held = [pool.acquire() for _ in range(4)]
    assert connect.open_now == 4
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=1)
    for connection in held:
        pool.release(connection)
    assert (pool.stats().pool_size, connect.open_now) == (2, 2)


def test_size_zero_keeps_nothing(make_pool: MakePool, connect: ScriptedConnector) -> None:
    pool = make_pool(size=0, max_overflow=1)
    with pool:
        assert connect.open_now == 1
    assert connect.open_now == 0


def test_unlimited_means_unlimited(make_pool: MakePool) -> None:
    pool = make_pool(size=1, max_overflow=-1)
    held = [pool.acquire() for _ in range(200)]
    assert pool.stats().total_connections == 200
    for connection in held:
        pool.release(connection)


def test_a_connection_as_old_as_recycle_is_replaced_before_it_is_handed_out(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(recycle=3600)
    clock.sleep(3600)
    with pool as connection:
        assert connection.number == 2
    assert connect.opened[0].closed
    stats = pool.stats()
    assert (stats.recycled, stats.created, stats.closed) == (1, 2, 1)


def test_a_connection_younger_than_recycle_is_kept(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool(recycle=3600)
    clock.sleep(3599)
    with pool as connection:
        assert connection.number == 1


def test_recycle_zero_means_no_age_limit(make_pool: MakePool, clock: VirtualClock) -> None:
    pool = make_pool(recycle=0)
    clock.sleep(1e9)
    with pool as connection:
        assert connection.number == 1


def test_a_waiter_gets_a_replacement_for_an_expired_connection(
    make_pool: MakePool, clock: VirtualClock, actors: Any
) -> None:
    pool = make_pool(recycle=10)
    held = pool.acquire()
    got: list[ScriptedConnection] = []

    def client() -> None:
        with pool as connection:
            got.append(connection)

    actors.queue(pool, client)
    clock.sleep(10)
    pool.release(held)
    actors.join()
    assert [connection.number for connection in got] == [2]


def test_a_failed_replacement_frees_its_slot_for_the_next_waiter(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(recycle=10, connect_attempts=1)
    clock.sleep(10)
    connect.then(OSError("refused"))
    with pytest.raises(ConnectionFailedError, match="refused") as caught:
        pool.acquire()
    assert isinstance(caught.value.__cause__, OSError)
    with pool as connection:
        assert connection.number == 2


def test_a_dead_idle_connection_is_replaced(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool()
    clock.sleep(1)
    connect.opened[0].die()
    with pool as connection:
        assert connection.number == 2
    assert connect.open_now == 1


def test_a_living_idle_connection_passes_the_check(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool()
    clock.sleep(1)
    with pool as connection:
        assert connection.number == 1


def test_a_failed_connect_lets_the_next_waiter_try(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0, connect_attempts=1)
    gate = Gate(clock)
    connect.then(gate, OSError("refused"))
    outcomes: list[str] = []

    def client() -> None:
        try:
            with pool:
                outcomes.append("served")
        except ConnectionFailedError:
            outcomes.append("failed")

    def leaver() -> None:
        with pool as connection:
            connection.close()
        outcomes.append("left")

    actors.start(leaver)
    assert gate.arrived.wait(10)
    actors.queue(pool, client, client)
    gate.open()
    actors.join()
    assert sorted(outcomes) == ["failed", "left", "served"]


def test_the_pool_still_grows_after_failed_connects(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2, max_overflow=1, min_size=0, connect_attempts=1, breaker_failures=None)
    connect.then(*[OSError("down")] * 10)
    for _ in range(10):
        with pytest.raises(ConnectionFailedError):
            pool.acquire()
    held = [pool.acquire() for _ in range(3)]
    for connection in held:
        pool.release(connection)


def test_a_slow_connect_delays_no_other_acquire(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2)
    held = [pool.acquire(), pool.acquire()]
    held[0].close()
    pool.release(held[0])
    gate = Gate(clock)
    connect.then(gate)
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.start(client)
    assert gate.arrived.wait(10)
    pool.release(held[1])
    with pool as connection:
        assert connection is held[1]
    assert clock.now() == 0
    gate.open()
    actors.join()
    assert got == [3]


def test_a_turn_that_comes_too_late_to_connect_is_a_timeout(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0)
    connect.then(20.0, 20.0)
    with pool:
        assert clock.now() == 20
        with pytest.raises(PoolTimeoutError):
            pool.acquire(timeout=5)
    assert clock.now() == 25


def test_a_connect_that_fails_after_the_deadline_is_a_timeout(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    def connect() -> object:
        clock.sleep(7)
        raise OSError("timed out")

    pool = make_pool(connect=connect, min_size=0)
    with pytest.raises(PoolTimeoutError) as caught:
        pool.acquire(timeout=5)
    assert isinstance(caught.value.__cause__, OSError)
