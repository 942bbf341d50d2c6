"""Retries of failed connects, with growing backoff."""

from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    PoolClosedError,
    PoolTimeoutError,
)
from steadypool.testing import ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]
DOWN = OSError("down")


@pytest.fixture
def make_empty(make_pool: MakePool) -> MakePool:
    """Pools that start empty and have the longest possible backoff."""

    def make(**options: Any) -> ConnectionPool:
        return make_pool(**({"min_size": 0, "random": lambda: 0.0} | options))

    return make


def test_a_failed_connect_is_retried_with_growing_backoff(
    make_empty: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_empty()
    connect.then(DOWN, DOWN)
    with pool:
        assert clock.now() == pytest.approx(0.1 + 0.2)
    assert (connect.attempts, pool.stats().connect_failures) == (3, 2)
    assert pool.stats().connect_retries == 2


def test_the_backoff_is_shortened_at_random_by_up_to_a_half(
    make_empty: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    connect.then(DOWN, DOWN)
    with make_empty(random=lambda: 1.0):
        assert clock.now() == pytest.approx(0.05 + 0.1)


def test_the_last_attempt_raises_the_cause(
    make_empty: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_empty(connect_attempts=3)
    connect.then(*[DOWN] * 3)
    with pytest.raises(ConnectionFailedError, match="down") as caught:
        pool.acquire()
    assert caught.value.__cause__ is DOWN
    assert connect.attempts == 3


def test_no_attempt_begins_after_the_deadline(
    make_empty: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_empty()
    connect.then(*[DOWN] * 3)
    with pytest.raises(ConnectionFailedError):
        pool.acquire(timeout=0.25)
    assert clock.now() == pytest.approx(0.1)
    assert connect.attempts == 2


def test_an_acquire_that_does_not_wait_makes_no_attempt_and_takes_no_probe(
    make_empty: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_empty(breaker_failures=1)
    connect.then(DOWN)
    with pytest.raises(ConnectionFailedError):
        pool.acquire()
    clock.sleep(5)
    for _ in range(3):
        with pytest.raises(PoolTimeoutError):
            pool.acquire(timeout=0)
    assert (clock.now(), connect.attempts) == (5, 1)
    pool.release(pool.acquire())  # the probe


def test_a_request_takes_a_connection_that_was_released_during_its_backoff(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2, min_size=1)
    held = pool.acquire()
    connect.then(DOWN)
    got: list[object] = []
    actors.start(lambda: got.append(pool.acquire()))
    while not pool.stats().connect_failures:
        pass
    pool.release(held)
    actors.join()
    assert got == [held]
    pool.release(held)


def test_closing_the_pool_ends_a_backoff_at_once(
    make_empty: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_empty()
    connect.then(DOWN)

    def client() -> None:
        with pytest.raises(PoolClosedError):
            pool.acquire()

    actors.start(client)
    while not pool._core.backing_off:
        pass
    pool.close()
    actors.join()
    assert clock.now() == 0
