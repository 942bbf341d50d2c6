"""Resizing, suspending and draining a pool, and its limits."""

from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConnectionPool,
    PoolClosedError,
    PoolConfigError,
    PoolExhaustedError,
    PoolTimeoutError,
)
from steadypool.testing import Gate, ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]


def test_a_larger_pool_serves_its_waiters_at_once(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[object] = []
    actors.queue(pool, lambda: got.append(pool.acquire()))
    pool.resize(size=2)
    actors.join()
    assert pool.max_size == pool.stats().total_connections == 2
    for connection in (held, *got):
        pool.release(connection)


def test_a_smaller_pool_closes_idle_connections_now_and_borrowed_ones_later(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=4)
    held = [pool.acquire() for _ in range(3)]
    pool.resize(size=1)
    assert connect.open_now == 3
    pool.release(held[0])
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=1)
    pool.release(held[1])
    pool.release(held[2])
    assert (connect.open_now, pool.stats().pool_size) == (1, 1)
    with pool:
        pass
    assert pool._core.fast_generation >= 0


def test_resizing_keeps_values_that_are_not_given_and_refuses_wrong_ones(
    make_pool: MakePool,
) -> None:
    pool = make_pool(size=2, max_overflow=3)
    pool.resize(max_overflow=1)
    assert (pool.size, pool.max_size) == (2, 3)
    with pytest.raises(PoolConfigError, match="max_overflow"):
        pool.resize(max_overflow=-3)


def test_a_suspended_pool_makes_acquires_wait_and_accepts_releases(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool(size=2)
    held = pool.acquire()
    pool.suspend()
    served: list[str] = []

    def client(name: str) -> Callable[[], None]:
        def work() -> None:
            with pool:
                served.append(name)

        return work

    actors.queue(pool, client("first"), client("second"), client("third"))
    pool.release(held)
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=2)
    assert (served, pool.stats().pool_size) == ([], 2)
    pool.resume()
    actors.join()
    assert sorted(served) == ["first", "second", "third"]
    assert clock.now() == 2


def test_a_full_queue_refuses_at_once(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool(max_waiting=1)
    held = pool.acquire()
    actors.queue(pool, lambda: pool.release(pool.acquire()))
    with pytest.raises(PoolExhaustedError, match="active=1, idle=0, waiting=1") as caught:
        pool.acquire(timeout=30)
    assert clock.now() == 0
    assert (caught.value.total, caught.value.waiting) == (1, 1)
    pool.release(held)
    actors.join()


def test_max_connecting_limits_the_connects_under_way(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=3, min_size=0, max_connecting=1)
    first, second = Gate(clock), Gate(clock)
    connect.then(first, second)
    got: list[int] = []

    def client() -> None:
        connection = pool.acquire()
        got.append(connection.number)

    actors.start(client)
    assert first.arrived.wait(10)
    actors.queue(pool, client)
    assert connect.attempts == 1
    first.open()
    assert second.arrived.wait(10)
    second.open()
    actors.join()
    assert sorted(got) == [1, 2]
    for entry in list(pool._core.in_use.values()):
        pool.release(entry.connection)


def test_a_connect_begun_before_a_clear_is_not_handed_out(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0)
    gate = Gate(clock)
    connect.then(gate)
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.start(client)
    assert gate.arrived.wait(10)
    pool.clear()
    gate.open()
    actors.join()
    assert (got, connect.opened[0].closed) == ([2], True)


def test_a_drain_waits_until_the_last_connection_is_back(
    make_pool: MakePool, actors: Any, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2)
    held = [pool.acquire(), pool.acquire()]

    def return_late() -> None:
        for connection in held:
            clock.sleep(3)
            pool.release(connection)

    actors.start(return_late)
    pool.close(drain=30)
    assert (clock.now(), connect.open_now) == (6, 0)
    actors.join()


def test_a_drain_ends_in_time_and_refuses_acquires(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool()
    held = pool.acquire()
    pool.close(drain=30)
    assert clock.now() == 30
    with pytest.raises(PoolClosedError):
        pool.acquire()
    pool.release(held)
    assert held.closed


def test_a_pool_with_nothing_on_loan_drains_at_once(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool()
    pool.close(drain=30)
    assert clock.now() == 0
