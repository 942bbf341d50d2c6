"""Waiting, connecting and cancellation in an acquire of the asyncio pool."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import (
    PoolTimeoutError,
)
from steadypool.testing_aio import AsyncGate


def test_an_acquire_on_a_full_pool_fails_exactly_at_its_timeout() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        async with pool:
            with pytest.raises(PoolTimeoutError) as caught:
                await pool.acquire()
            assert context.clock.now() == caught.value.waited == 30.0
            assert (caught.value.active, caught.value.waiting) == (1, 1)
            with pytest.raises(PoolTimeoutError):
                await pool.acquire(timeout=5)
            assert context.clock.now() == 35.0
        assert (pool.stats().timeouts, pool.stats().waiting) == (2, 0)

    run_test(body)


def test_a_timeout_of_zero_neither_waits_nor_connects() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(min_size=0)
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=0)
        assert (context.clock.now(), pool.stats().created) == (0.0, 0)
        await pool.release(await pool.acquire())
        assert await pool.acquire(timeout=0) is not None

    run_test(body)


def test_waiters_are_served_in_order_and_a_releaser_goes_to_the_back() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        served: list[str] = []

        async def client(name: str) -> None:
            async with pool:
                served.append(name)
                await context.clock.sleep(1)

        async def greedy() -> None:
            for _ in range(2):
                await client("greedy")

        tasks = await context.start(greedy(), client("first"), client("second"))
        await context.join(*tasks)
        assert served == ["greedy", "first", "second", "greedy"]

    run_test(body)


def test_a_hand_over_at_the_moment_of_the_timeout_succeeds() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        held = await pool.acquire()

        async def release_at_the_last_moment() -> None:
            await context.clock.sleep(5)
            await pool.release(held)

        tasks = await context.start(release_at_the_last_moment(), pool.acquire(timeout=5))
        assert (await context.join(*tasks))[1] is held
        assert context.clock.now() == 5.0
        await pool.release(held)

    run_test(body)


def test_a_waiter_cancelled_at_its_hand_over_passes_the_connection_to_the_next() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        held = await pool.acquire()
        first, second = await context.start(pool.acquire(), pool.acquire())
        await pool.release(held)
        first.cancel()
        assert (await context.join(second))[0] is held
        assert first.cancelled()
        await pool.release(held)

    run_test(body)


def test_a_slow_connect_delays_no_other_acquire() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(max_overflow=1)
        gate = AsyncGate(context.clock)
        context.connect.then(gate)
        held = await pool.acquire()
        slow, waiting = await context.start(pool.acquire(), pool.acquire())
        await pool.release(held)
        assert (await context.join(waiting))[0] is held
        gate.open()
        for connection in (held, (await context.join(slow))[0]):
            await pool.release(connection)

    run_test(body)


def test_a_connect_ends_at_the_timeout_of_its_acquire() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(min_size=0)
        context.connect.then(60.0)
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=10)
        assert context.clock.now() == 10.0
        assert (pool.stats().timeouts, pool.stats().connect_failures) == (1, 1)
        async with pool:
            assert context.connect.attempts == 2

    run_test(body)


def test_an_outer_deadline_is_honoured_even_if_the_driver_swallows_the_cancellation() -> None:
    """A connect that swallows its cancellation keeps its slot but delays no caller."""

    async def body(context: PoolContext) -> None:
        may_connect = asyncio.Event()

        async def connect() -> Any:
            while not may_connect.is_set():
                with suppress(asyncio.CancelledError):
                    await may_connect.wait()
            return await context.connect()

        pool = await context.pool(min_size=0, connect=connect)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await pool.acquire()
        assert pool._core.pending == 1
        may_connect.set()
        async with pool as connection:
            assert connection.number == 2
        assert (pool.stats().created, pool.stats().closed) == (2, 1)

    run_test(body)


def test_a_cancelled_acquire_returns_at_once_even_if_its_connection_closes_slowly() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(validate_after=0)
        context.connect.opened[0].on_rollback = 1000.0
        context.connect.opened[0].on_close = 5.0
        task = (await context.start(pool.acquire()))[0]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert context.clock.now() == 0.0
        async with pool:
            assert context.clock.now() == 5.0

    run_test(body)
