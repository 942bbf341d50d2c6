"""Acquires from a pool for threads: start, timeouts and the queue."""

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConnectionPool,
    PoolConfigError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.testing import (
    ClockStuckError,
    ScriptedConnector,
    VirtualClock,
)

MakePool = Callable[..., ConnectionPool]


def test_the_pool_starts_with_size_connections(make_pool: MakePool) -> None:
    stats = make_pool(size=3, max_overflow=2).stats()
    assert (stats.created, stats.pool_size, stats.total_connections, stats.max_size) == (3, 3, 3, 5)


def test_min_size_connections_are_opened_at_the_start(make_pool: MakePool) -> None:
    assert make_pool(size=3, min_size=1).stats().created == 1


def test_the_statistics_have_the_agreed_names(make_pool: MakePool) -> None:
    assert set(make_pool().get_stats()) == {
        "created",
        "closed",
        "recycled",
        "acquired",
        "released",
        "timeouts",
        "total_connections",
        "pool_size",
        "max_size",
        "in_use",
        "waiting",
        "validation_failures",
        "connect_failures",
        "connect_retries",
        "leaks_suspected",
    }


def test_acquire_and_release_move_the_figures(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.acquire()
    assert (pool.stats().in_use, pool.stats().pool_size) == (1, 0)
    pool.release(connection)
    assert (pool.stats().in_use, pool.stats().pool_size, pool.stats().released) == (0, 1, 1)


def test_an_acquire_on_a_full_pool_fails_exactly_at_its_timeout(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool(timeout=30)
    pool.acquire()
    with pytest.raises(PoolTimeoutError) as caught:
        pool.acquire()
    assert clock.now() == 30
    error = caught.value
    assert (error.total, error.active, error.idle, error.waiting, error.waited) == (1, 1, 0, 1, 30)
    assert "raise size or max_overflow" in str(error)
    assert pool.stats().timeouts == 1
    assert pool.stats().waiting == 0


@pytest.mark.parametrize("timeout", [0.25, 60])
def test_an_acquire_may_override_the_timeout(
    make_pool: MakePool, clock: VirtualClock, timeout: float
) -> None:
    pool = make_pool(timeout=30)
    pool.acquire()
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=timeout)
    assert clock.now() == timeout


def test_timeout_zero_does_not_wait(make_pool: MakePool, clock: VirtualClock) -> None:
    pool = make_pool()
    pool.acquire(timeout=0)
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=0)
    assert clock.now() == 0


def test_timeout_zero_passes_by_expired_connections_without_closing_them(
    make_pool: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2, min_size=0, recycle=10)
    old = pool.acquire()
    clock.sleep(5)
    young = pool.acquire()
    pool.release(young)
    pool.release(old)
    clock.sleep(7)
    assert pool.acquire(timeout=0) is young
    assert not old.closed
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=0)


def test_timeout_zero_opens_no_connection(make_pool: MakePool, connect: ScriptedConnector) -> None:
    pool = make_pool(min_size=0)
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=0)
    assert (connect.attempts, pool.stats().timeouts) == (0, 1)


def test_a_release_wakes_the_waiter(make_pool: MakePool, clock: VirtualClock, actors: Any) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[object] = []
    actors.start(lambda: got.append(pool.acquire()))
    clock.sleep(5)
    pool.release(held)
    actors.join()
    assert got == [held]
    assert clock.now() == 5
    pool.release(held)


def test_waiters_are_served_in_order_and_a_releaser_goes_to_the_back(
    make_pool: MakePool, actors: Any
) -> None:
    pool = make_pool()
    held = pool.acquire()
    served: list[str] = []

    def client(name: str) -> Callable[[], None]:
        def work() -> None:
            with pool:
                served.append(name)

        return work

    actors.queue(pool, client("first"), client("second"), client("third"))
    pool.release(held)
    with pool:
        served.append("releaser")
    actors.join()
    assert served == ["first", "second", "third", "releaser"]


def test_a_hand_over_at_the_moment_of_the_timeout_counts(
    make_pool: MakePool, clock: VirtualClock, actors: Any
) -> None:
    pool = make_pool()
    held = pool.acquire()

    class LateWaiter:
        """Reports its deadline although it was woken meanwhile."""

        def wait(self, deadline: float | None) -> bool:
            pool.release(held)
            return False

        def wake(self) -> None:
            pass

    pool._engine._waiter = LateWaiter
    assert pool.acquire() is held
    assert pool.stats().timeouts == 0
    pool.release(held)


def test_a_failed_start_closes_the_connections_it_opened(connect: ScriptedConnector) -> None:
    connect.then(None, None, OSError("refused"))
    with pytest.raises(PoolInitializationError, match="refused"):
        ConnectionPool(size=5, connect=connect)
    assert (len(connect.opened), connect.open_now) == (2, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": -1}, "size must be a whole number, at least 0; given: -1"),
        ({"size": 1.5}, "size must be"),
        ({"size": True}, "size must be"),
        ({"size": 0, "max_overflow": 0}, "could open no connection"),
        ({"max_overflow": -2}, "max_overflow must be a whole number, at least -1"),
        ({"timeout": -1}, "timeout must be"),
        ({"timeout": math.nan}, "timeout must be"),
        ({"timeout": "30"}, "timeout must be"),
        ({"recycle": -5}, "recycle must be"),
        ({"min_size": 6}, "min_size must be a whole number, at least 0 and at most 5"),
        ({"check_after": -1}, "check_after must be"),
        ({"recycle_jitter": 2}, "recycle_jitter must be a number from 0 to 1; given: 2"),
        ({"max_uses": 0}, "max_uses must be a whole number, at least 1"),
        ({"max_waiting": -1}, "max_waiting must be a whole number, at least 0"),
        ({"connect_attempts": 0}, "connect_attempts must be"),
        ({"breaker_cooldown_limit": -1}, "at least 0, or None for a constant cooldown; given: -1"),
        ({"breaker_cooldown_limit": math.nan}, "breaker_cooldown_limit must be"),
        ({"breaker_cooldown_limit": False}, "breaker_cooldown_limit must be"),
        ({"breaker_cooldown_limit": ""}, "breaker_cooldown_limit must be"),
        ({"reset": "all"}, "reset must be one of rollback, session, none; given: 'all'"),
        ({"order": None}, "order must be one of lifo, fifo"),
    ],
)
def test_the_error_for_a_wrong_option_names_it(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PoolConfigError, match=message):
        ConnectionPool(**({"connect": ScriptedConnector()} | options))


def test_the_error_for_a_wrong_timeout_of_an_acquire_names_it(make_pool: MakePool) -> None:
    with pytest.raises(PoolConfigError, match="timeout must be"):
        make_pool().acquire(timeout=-1)


def test_a_pool_without_timeout_waits_for_ever(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool(timeout=None)
    held = pool.acquire()
    actors.queue(pool, lambda: pool.release(pool.acquire()))
    clock.sleep(1e7)
    pool.release(held)
    actors.join()
    assert pool.stats().timeouts == 0


@pytest.mark.parametrize("timeout", [None, math.inf])
def test_a_wait_without_timeout_never_gives_up(make_pool: MakePool, timeout: float | None) -> None:
    pool = make_pool(size=1, max_overflow=0, timeout=timeout)
    held = pool.acquire()
    with pytest.raises(ClockStuckError):  # no other thread could release it
        pool.acquire()
    pool.release(held)


def test_threads_on_real_time_never_share_a_connection() -> None:
    connect = ScriptedConnector()
    pool = ConnectionPool(size=3, max_overflow=2, timeout=60, connect=connect)
    holders: dict[int, int] = {}
    clashes: list[int] = []
    start = threading.Barrier(20)

    def client(number: int) -> None:
        start.wait(30)
        for turn in range(100):
            with pool as connection:
                if holders.setdefault(connection.number, number) != number:
                    clashes.append(connection.number)
                if turn % 10 == 0:
                    connection.in_transaction = True
                if turn % 25 == number:
                    connection.close()
                del holders[connection.number]

    threads = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    stats = pool.stats()
    pool.close()
    assert clashes == []
    assert stats.acquired == stats.released == 2000
    assert stats.total_connections == stats.pool_size <= 3
    assert (stats.waiting, stats.in_use, stats.timeouts) == (0, 0, 0)
    assert connect.open_now == 0
