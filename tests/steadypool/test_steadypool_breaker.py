"""The breaker, the log and the health of a pool during an outage."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    ConnectionValidationError,
    HealthStatus,
    LogEvent,
    PoolTimeoutError,
    ServerUnavailableError,
)
from steadypool._core.breaker import Breaker
from steadypool._core.settings import Settings
from steadypool.testing import Gate, ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]
DOWN = OSError("down")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[Any]]:
    caplog.set_level(logging.INFO, "steadypool")
    return lambda: [record for record in caplog.records if record.name == "steadypool"]


@pytest.fixture
def make_empty(make_pool: MakePool) -> MakePool:
    """Pools that start empty and have the longest possible backoff."""

    def make(**options: Any) -> ConnectionPool:
        return make_pool(**({"min_size": 0, "random": lambda: 0.0} | options))

    return make


def make_breaker(failures: int, cooldown: float, limit: float = 0.0) -> Breaker:
    return Breaker(
        Settings(
            name="p",
            size=1,
            limit=1,
            breaker_failures=failures,
            breaker_cooldown=cooldown,
            breaker_cooldown_limit=limit,
        )
    )


def test_a_breaker_opens_after_its_limit_of_failures_in_a_row() -> None:
    breaker = make_breaker(2, 10.0)
    assert not breaker.failed(1.0)
    assert breaker.admits(1.0)
    assert breaker.failed(2.0)
    assert not breaker.admits(2.0)


def test_an_open_breaker_admits_one_probe_for_each_cooldown() -> None:
    breaker = make_breaker(1, 10.0)
    breaker.failed(0.0)
    assert [breaker.admits(now) for now in (9.0, 10.0, 11.0, 19.0, 20.0)] == [
        *(False, True, False, False, True)
    ]


@pytest.mark.parametrize("limit", [0.0, 5.0, 10.0])
def test_a_limit_not_above_the_cooldown_keeps_the_cooldown_constant(limit: float) -> None:
    breaker = make_breaker(1, 10.0, limit)
    breaker.failed(0.0)
    assert [breaker.admits(now) for now in (9.0, 10.0, 19.0, 20.0, 29.0, 30.0)] == 3 * [False, True]


def test_a_success_ends_the_growth_of_the_cooldown() -> None:
    breaker = make_breaker(1, 10.0, 30.0)
    breaker.failed(0.0)
    times = (10.0, 29.0, 30.0, 59.0, 60.0, 89.0, 90.0)
    assert [breaker.admits(now) for now in times] == [True, *(3 * [False, True])]
    breaker.succeeded(91.0)
    breaker.failed(100.0)
    assert [breaker.admits(now) for now in (109.0, 110.0)] == [False, True]


def test_a_success_closes_the_breaker_and_returns_the_length_of_the_outage() -> None:
    breaker = make_breaker(1, 10.0)
    breaker.failed(5.0)
    breaker.failed(15.0)
    assert breaker.succeeded(20.0) == 15.0
    assert breaker.succeeded(21.0) is None
    assert breaker.admits(21.0)


def test_acquires_fail_fast_while_the_server_is_known_to_be_down(
    make_empty: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_empty(connect_attempts=1, breaker_failures=2, breaker_cooldown=5)
    connect.then(DOWN, DOWN, DOWN)
    for _ in range(2):
        with pytest.raises(ConnectionFailedError, match="down"):
            pool.acquire()
    with pytest.raises(ServerUnavailableError, match="2 connects failed") as caught:
        pool.acquire()
    assert (caught.value.failures, connect.attempts) == (2, 2)
    clock.sleep(5)
    with pytest.raises(ConnectionFailedError, match="down"):
        pool.acquire()
    with pytest.raises(ServerUnavailableError):
        pool.acquire()
    clock.sleep(5)
    with pool as connection:
        assert connection.number == 1


def test_waiters_for_a_slot_fail_fast_too(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2, connect_attempts=1, breaker_failures=1)
    held = [pool.acquire(), pool.acquire()]
    failures: list[float] = []

    def client() -> None:
        with pytest.raises(ConnectionFailedError):
            pool.acquire()
        failures.append(clock.now())

    actors.queue(pool, client, client, client)
    connect.then(DOWN)
    held[0].close()
    pool.release(held[0])
    actors.join()
    assert failures == [0, 0, 0]
    assert connect.attempts == 3
    pool.release(held[1])
    with pool as connection:
        assert connection is held[1]


def test_an_idle_connection_is_handed_out_while_the_breaker_is_open(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=1, max_overflow=1, connect_attempts=1, breaker_failures=1)
    connect.then(DOWN)
    with pool, pytest.raises(ConnectionFailedError):
        pool.acquire()
    with pool as connection:
        assert connection.number == 1


def test_a_broken_connection_that_cannot_be_replaced_is_a_validation_error(
    make_pool: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(connect_attempts=1)
    clock.sleep(10)
    connect.opened[0].die()
    connect.then(DOWN)
    with pytest.raises(ConnectionValidationError, match="down") as caught:
        pool.acquire()
    assert caught.value.__cause__ is DOWN
    assert (pool.stats().validation_failures, pool.stats().total_connections) == (1, 0)


def test_a_lost_connection_makes_the_pool_check_the_others(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2)
    held = pool.acquire()
    for connection in connect.opened:
        connection.die()
    held.close()
    pool.release(held)
    with pool as connection:
        assert connection.number == 3


def test_a_validation_does_not_outlast_the_acquire(
    make_pool: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    def ping() -> None:
        clock.sleep(7)
        raise OSError("timed out")

    pool = make_pool(validate_after=5)
    connect.opened[0].ping = ping  # type: ignore[method-assign]
    clock.sleep(10)
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=3)
    with pool as connection:
        assert connection.number == 2


def test_failure_retry_and_recovery_are_logged_as_records(
    make_empty: MakePool, connect: ScriptedConnector, log: Callable[[], list[Any]]
) -> None:
    pool = make_empty(name="shop", breaker_failures=2, connect_attempts=2)
    connect.then(DOWN, DOWN)
    with pytest.raises(ConnectionFailedError):
        pool.acquire()
    pool._clock.sleep(1)
    with pool:
        pass
    assert [record.event for record in log()] == [
        LogEvent.CONNECT_FAILED,
        LogEvent.CONNECT_RETRY,
        LogEvent.CONNECT_FAILED,
        LogEvent.SERVER_UNAVAILABLE,
        LogEvent.SERVER_RECOVERED,
    ]
    assert {record.pool for record in log()} == {"shop"}
    assert (log()[1].attempt, log()[1].delay) == (2, pytest.approx(0.1))
    assert log()[-1].outage == pytest.approx(1.1)


def test_health_goes_from_healthy_to_unhealthy_and_back_without_traffic(
    make_pool: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2)
    assert pool.health().is_healthy
    for connection in connect.opened:
        connection.die()
    connect.then(*[DOWN] * 3)
    health = pool.health()
    assert (health.status, health.stats.total_connections) == (HealthStatus.UNHEALTHY, 0)
    assert "down" in health.reasons[0]
    assert health.condition.failures == 1
    for _ in range(2):
        assert pool.health().status is HealthStatus.UNHEALTHY
    assert pool.health().is_healthy
    assert pool.stats().pool_size == 2


def test_health_is_degraded_while_an_acquire_waits(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool()
    held = pool.acquire()
    actors.queue(pool, lambda: pool.release(pool.acquire()))
    health = pool.health()
    assert (health.status, health.reasons) == (
        HealthStatus.DEGRADED,
        ("1 acquire waits for a connection",),
    )
    pool.release(held)
    actors.join()


def test_health_reports_suspended_and_closed(make_pool: MakePool) -> None:
    pool = make_pool()
    pool.suspend()
    assert pool.health().reasons == ("the pool is suspended",)
    pool.close()
    assert pool.health().status is HealthStatus.UNHEALTHY
    assert "the pool is closed" in pool.health().reasons


def test_a_recovered_slow_connect_counts_as_a_success(
    make_empty: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_empty(size=2, connect_attempts=1, breaker_failures=1, breaker_cooldown=1)
    gate = Gate(clock)
    connect.then(gate, DOWN)
    actors.start(lambda: pool.release(pool.acquire()))
    assert gate.arrived.wait(10)
    with pytest.raises(ConnectionFailedError):
        pool.acquire()
    with pytest.raises(ServerUnavailableError):
        pool.acquire()
    gate.open()
    actors.join()
    assert pool.health().is_healthy
