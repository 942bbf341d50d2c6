"""Options for the life of a connection in the asyncio pool, and calls for the whole pool."""

import logging
from typing import Any

import pytest
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import (
    ConnectionFailedError,
    ConnectionValidationError,
    EventKind,
    HealthStatus,
    PoolEvent,
    PoolExhaustedError,
    PoolInitializationError,
    PoolTimeoutError,
    Reset,
    ServerUnavailableError,
)


def test_a_start_that_cannot_connect_closes_the_connections_already_opened() -> None:
    async def body(context: PoolContext) -> None:
        context.connect.then(None, OSError("refused"))
        with pytest.raises(PoolInitializationError, match="refused"):
            await context.pool(size=2)
        assert context.connect.open_now == 0

    run_test(body)


def test_a_failed_connect_is_retried_within_the_acquire() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(min_size=0, random=lambda: 0.0)
        context.connect.then(OSError("refused"), OSError("refused"))
        async with pool:
            assert context.clock.now() == pytest.approx(0.1 + 0.2)
        assert pool.stats().connect_retries == 2

    run_test(body)


def test_after_the_last_attempt_the_error_names_the_cause() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(min_size=0)
        context.connect.then(*[OSError("refused")] * 3)
        with pytest.raises(ConnectionFailedError, match="refused"):
            await pool.acquire()
        assert context.connect.attempts == 3

    run_test(body)


def test_acquires_fail_fast_while_the_server_is_known_to_be_down() -> None:
    async def body(context: PoolContext) -> None:
        options = {"min_size": 0, "connect_attempts": 1, "breaker_failures": 2}
        pool = await context.pool(**options)
        context.connect.then(OSError("refused"), OSError("refused"))
        for _ in range(2):
            with pytest.raises(ConnectionFailedError):
                await pool.acquire()
        with pytest.raises(ServerUnavailableError):
            await pool.acquire()
        assert context.connect.attempts == 2
        await context.clock.sleep(1)
        async with pool:
            assert context.connect.attempts == 3

    run_test(body)


def test_connects_that_time_out_open_the_breaker_too() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(min_size=0, breaker_failures=2)
        context.connect.then(1000.0, 1000.0)
        for _ in range(2):
            with pytest.raises(PoolTimeoutError):
                await pool.acquire(timeout=5)
        with pytest.raises(ServerUnavailableError):
            await pool.acquire()

    run_test(body)


def test_a_broken_connection_that_cannot_be_replaced_is_a_validation_error() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(connect_attempts=1)
        context.connect.opened[0].die()
        context.connect.then(OSError("refused"))
        await context.clock.sleep(1)
        with pytest.raises(ConnectionValidationError, match="refused"):
            await pool.acquire()

    run_test(body)


def test_a_full_queue_refuses_an_acquire_at_once() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(max_waiting=0)
        async with pool:
            with pytest.raises(PoolExhaustedError):
                await pool.acquire()
            assert context.clock.now() == 0.0

    run_test(body)


def test_a_hanging_validation_leaves_half_of_the_timeout_to_connect() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(validate_after=0)
        context.connect.opened[0].on_rollback = 1000.0
        connection = await pool.acquire(timeout=3)
        assert connection.number == 2
        assert context.clock.now() == 1.5
        await pool.release(connection)

    run_test(body)


def test_without_reset_only_a_failed_unit_of_work_is_rolled_back() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(reset=Reset.NONE)
        async with pool as connection:
            connection.in_transaction = True
        assert connection.rollbacks == 0
        with pytest.raises(LookupError):
            async with pool.transaction() as connection:
                connection.in_transaction = True
                raise LookupError
        assert connection.rollbacks == 1

    run_test(body)


def test_a_unit_of_work_is_committed_at_its_end() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        async with pool.transaction() as connection:
            pass
        assert (connection.commits, connection.rollbacks) == (1, 0)

    run_test(body)


def test_growing_serves_waiters_and_shrinking_closes_the_surplus() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        held = await pool.acquire()
        waiting = (await context.start(pool.acquire()))[0]
        await pool.resize(size=2)
        for connection in (held, (await context.join(waiting))[0]):
            await pool.release(connection)
        assert (pool.stats().pool_size, pool.size, pool.max_size) == (2, 2, 2)
        await pool.resize(size=1)
        assert (pool.stats().pool_size, context.connect.open_now) == (1, 1)

    run_test(body)


def test_acquires_wait_while_the_pool_is_suspended() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        pool.suspend()
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=1)
        waiting = (await context.start(pool.acquire()))[0]
        assert pool.suspended
        pool.resume()
        await pool.release((await context.join(waiting))[0])

    run_test(body)


def test_a_drain_waits_for_loans_and_aborts_those_still_out_at_its_deadline() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(size=2)
        early, late = await pool.acquire(), await pool.acquire()

        async def release_later() -> None:
            await context.clock.sleep(3)
            await pool.release(early)

        task = (await context.start(release_later()))[0]
        await pool.close(drain=10)
        assert context.clock.now() == 10.0
        assert late.closed
        await task
        await pool.release(late)
        assert pool.stats().total_connections == 0

    run_test(body)


def test_maintenance_closes_unused_connections_and_restores_the_minimum() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(size=3, min_size=1, max_idle_time=10)
        held = [await pool.acquire() for _ in range(3)]
        for connection in held:
            await pool.release(connection)
        await context.clock.sleep(20)
        await pool.maintain()
        assert pool.stats().pool_size == 1
        context.connect.opened[-1].die()
        for connection in context.connect.opened:
            connection.die()
        await pool.maintain()
        assert (pool.stats().pool_size, context.connect.open_now) == (1, 1)

    run_test(body)


def test_health_goes_from_healthy_to_unhealthy_and_back() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(breaker_failures=1)
        assert (await pool.health()).status is HealthStatus.HEALTHY
        context.connect.opened[0].die()
        context.connect.then(OSError("refused"))
        health = await pool.health()
        assert health.status is HealthStatus.UNHEALTHY
        assert "refused" in health.reasons[0]
        await context.clock.sleep(1)
        assert (await pool.health()).is_healthy

    run_test(body)


def test_a_health_check_of_a_silent_server_ends_in_time() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        context.connect.opened[0].die()
        context.connect.then(1000.0)
        health = await pool.health()
        assert health.status is HealthStatus.UNHEALTHY
        assert context.clock.now() <= 2.1

    run_test(body)


def test_a_long_loan_is_reported_with_its_task_and_place(caplog: pytest.LogCaptureFixture) -> None:
    async def body(context: PoolContext) -> None:
        events: list[PoolEvent] = []
        pool = await context.pool(leak_after=5, listeners=[events.append])

        async def borrower() -> Any:
            return await pool.acquire()

        task = context.clock.spawn(borrower(), name="the-forgetful")
        connection = (await context.join(task))[0]
        await context.clock.sleep(6)
        with caplog.at_level(logging.WARNING, "steadypool"):
            await pool.maintain()
            await pool.maintain()
        reported = [event.loan for event in events if event.kind is EventKind.LEAK_SUSPECTED]
        assert len(reported) == len(caplog.records) == 1
        assert reported[0] is not None
        assert reported[0].holder == "the-forgetful"
        assert "borrower" in reported[0].where[0]
        assert pool.loans()[0].holder == "the-forgetful"
        await pool.release(connection)

    run_test(body)
