"""Options of the asyncio pool that decide on a connection's life, and calls for the whole pool."""

import logging
from typing import Any

import pytest
from tests.steadypool_aio.context import Bench, play

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


@pytest.mark.parametrize("manner", ["plain", "async"])
def test_hooks_may_be_plain_or_async(manner: str) -> None:
    async def body(bench: Bench) -> None:
        calls: list[str] = []

        async def setup(connection: Any) -> None:
            await bench.clock.sleep(1)
            calls.append("setup")

        async def on_acquire(connection: Any) -> None:
            await bench.clock.sleep(1)
            calls.append("acquire")

        hooks: dict[str, Any] = {"setup": setup, "on_acquire": on_acquire}
        if manner == "plain":
            hooks = {
                "setup": lambda connection: calls.append("setup"),
                "on_acquire": lambda connection: calls.append("acquire"),
            }
        pool = await bench.pool(**hooks)
        for _ in range(2):
            async with pool:
                pass
        assert calls == ["setup", "acquire", "acquire"]

    play(body)


def test_a_failing_hook_drops_the_connection_and_wakes_the_next() -> None:
    async def body(bench: Bench) -> None:
        async def on_acquire(connection: Any) -> None:
            if connection.number == 1:
                raise LookupError

        pool = await bench.pool(on_acquire=on_acquire)
        with pytest.raises(LookupError):
            await pool.acquire()
        async with pool as connection:
            assert connection.number == 2

    play(body)


def test_a_hook_that_hangs_does_not_outlast_the_acquire() -> None:
    async def body(bench: Bench) -> None:
        async def on_acquire(connection: Any) -> None:
            await bench.clock.sleep(1000)

        pool = await bench.pool(on_acquire=on_acquire)
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=3)
        assert bench.clock.now() == 3.0

    play(body)


def test_a_timeout_of_a_hooks_own_is_told_as_it_is() -> None:
    async def body(bench: Bench) -> None:
        async def on_acquire(connection: Any) -> None:
            raise TimeoutError("the hook's own")

        pool = await bench.pool(on_acquire=on_acquire)
        with pytest.raises(TimeoutError, match="the hook's own"):
            await pool.acquire()

    play(body)


def test_a_setup_that_fails_at_the_start_leaves_nothing_open() -> None:
    async def body(bench: Bench) -> None:
        async def setup(connection: Any) -> None:
            if connection.number == 2:
                raise LookupError

        with pytest.raises(PoolInitializationError):
            await bench.pool(size=2, setup=setup)
        assert bench.connect.open_now == 0

    play(body)


def test_a_start_that_cannot_connect_closes_what_it_had_opened() -> None:
    async def body(bench: Bench) -> None:
        bench.connect.then(None, OSError("refused"))
        with pytest.raises(PoolInitializationError, match="refused"):
            await bench.pool(size=2)
        assert bench.connect.open_now == 0

    play(body)


def test_a_failed_connect_is_tried_again_within_the_acquire() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(min_size=0, random=lambda: 0.0)
        bench.connect.then(OSError("refused"), OSError("refused"))
        async with pool:
            assert bench.clock.now() == pytest.approx(0.1 + 0.2)
        assert pool.stats().connect_retries == 2

    play(body)


def test_after_the_last_attempt_the_cause_is_told() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(min_size=0)
        bench.connect.then(*[OSError("refused")] * 3)
        with pytest.raises(ConnectionFailedError, match="refused"):
            await pool.acquire()
        assert bench.connect.attempts == 3

    play(body)


def test_acquires_fail_fast_while_the_server_is_known_to_be_down() -> None:
    async def body(bench: Bench) -> None:
        options = {"min_size": 0, "connect_attempts": 1, "breaker_failures": 2}
        pool = await bench.pool(**options)
        bench.connect.then(OSError("refused"), OSError("refused"))
        for _ in range(2):
            with pytest.raises(ConnectionFailedError):
                await pool.acquire()
        with pytest.raises(ServerUnavailableError):
            await pool.acquire()
        assert bench.connect.attempts == 2
        await bench.clock.sleep(1)
        async with pool:
            assert bench.connect.attempts == 3

    play(body)


def test_connects_that_never_end_open_the_breaker_too() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(min_size=0, breaker_failures=2)
        bench.connect.then(1000.0, 1000.0)
        for _ in range(2):
            with pytest.raises(PoolTimeoutError):
                await pool.acquire(timeout=5)
        with pytest.raises(ServerUnavailableError):
            await pool.acquire()

    play(body)


def test_a_broken_connection_that_cannot_be_replaced_is_a_validation_error() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(connect_attempts=1)
        bench.connect.opened[0].die()
        bench.connect.then(OSError("refused"))
        await bench.clock.sleep(1)
        with pytest.raises(ConnectionValidationError, match="refused"):
            await pool.acquire()

    play(body)


def test_a_full_queue_refuses_at_once() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(max_waiting=0)
        async with pool:
            with pytest.raises(PoolExhaustedError):
                await pool.acquire()
            assert bench.clock.now() == 0.0

    play(body)


def test_a_validation_that_hangs_does_not_outlast_the_acquire() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(validate_after=0)
        bench.connect.opened[0].on_rollback = 1000.0
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=3)
        assert bench.clock.now() == 3.0
        async with pool as connection:
            assert connection.number == 2

    play(body)


def test_a_session_reset_runs_setup_again() -> None:
    async def body(bench: Bench) -> None:
        calls: list[Any] = []
        pool = await bench.pool(reset=Reset.SESSION, setup=calls.append)
        async with pool as connection:
            pass
        assert connection.resets == 1
        assert calls == [connection, connection]

    play(body)


def test_without_reset_a_transaction_stays_open_save_for_a_unit_of_work_that_failed() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(reset=Reset.NONE)
        async with pool as connection:
            connection.in_transaction = True
        assert connection.rollbacks == 0
        with pytest.raises(LookupError):
            async with pool.transaction() as connection:
                connection.in_transaction = True
                raise LookupError
        assert connection.rollbacks == 1

    play(body)


def test_a_unit_of_work_is_committed_at_its_end() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        async with pool.transaction() as connection:
            pass
        assert (connection.commits, connection.rollbacks) == (1, 0)

    play(body)


def test_a_larger_pool_serves_those_who_wait_and_a_smaller_one_closes_the_surplus() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        held = await pool.acquire()
        waiting = (await bench.start(pool.acquire()))[0]
        await pool.resize(size=2)
        for connection in (held, (await bench.join(waiting))[0]):
            await pool.release(connection)
        assert (pool.stats().pool_size, pool.size, pool.max_size) == (2, 2, 2)
        await pool.resize(size=1)
        assert (pool.stats().pool_size, bench.connect.open_now) == (1, 1)

    play(body)


def test_a_suspended_pool_lets_acquires_wait() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        pool.suspend()
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=1)
        waiting = (await bench.start(pool.acquire()))[0]
        assert pool.suspended
        pool.resume()
        await pool.release((await bench.join(waiting))[0])

    play(body)


def test_a_drain_waits_for_what_is_on_loan_and_cuts_off_the_rest() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(size=2)
        early, late = await pool.acquire(), await pool.acquire()

        async def bring_back() -> None:
            await bench.clock.sleep(3)
            await pool.release(early)

        task = (await bench.start(bring_back()))[0]
        await pool.close(drain=10)
        assert bench.clock.now() == 10.0
        assert late.closed
        await task
        await pool.release(late)
        assert pool.stats().total_connections == 0

    play(body)


def test_maintenance_closes_the_unused_and_restores_the_minimum() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(size=3, min_size=1, max_idle_time=10)
        held = [await pool.acquire() for _ in range(3)]
        for connection in held:
            await pool.release(connection)
        await bench.clock.sleep(20)
        await pool.maintain()
        assert pool.stats().pool_size == 1
        bench.connect.opened[-1].die()
        for connection in bench.connect.opened:
            connection.die()
        await pool.maintain()
        assert (pool.stats().pool_size, bench.connect.open_now) == (1, 1)

    play(body)


def test_health_goes_from_healthy_to_unhealthy_and_back() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(breaker_failures=1)
        assert (await pool.health()).status is HealthStatus.HEALTHY
        bench.connect.opened[0].die()
        bench.connect.then(OSError("refused"))
        verdict = await pool.health()
        assert verdict.status is HealthStatus.UNHEALTHY
        assert "refused" in verdict.reasons[0]
        await bench.clock.sleep(1)
        assert (await pool.health()).is_healthy

    play(body)


def test_a_health_check_of_a_server_that_says_nothing_ends_in_time() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        bench.connect.opened[0].die()
        bench.connect.then(1000.0)
        verdict = await pool.health()
        assert verdict.status is HealthStatus.UNHEALTHY
        assert bench.clock.now() <= 2.1

    play(body)


def test_a_long_loan_is_reported_with_task_and_place(caplog: pytest.LogCaptureFixture) -> None:
    async def body(bench: Bench) -> None:
        events: list[PoolEvent] = []
        pool = await bench.pool(leak_after=5, listeners=[events.append])

        async def borrower() -> Any:
            return await pool.acquire()

        task = bench.clock.spawn(borrower(), name="the-forgetful")
        connection = (await bench.join(task))[0]
        await bench.clock.sleep(6)
        with caplog.at_level(logging.WARNING, "steadypool"):
            await pool.maintain()
            await pool.maintain()
        told = [event.loan for event in events if event.kind is EventKind.LEAK_SUSPECTED]
        assert len(told) == len(caplog.records) == 1
        assert told[0] is not None
        assert told[0].holder == "the-forgetful"
        assert "borrower" in told[0].where[0]
        assert pool.loans()[0].holder == "the-forgetful"
        await pool.release(connection)

    play(body)
