"""The task that looks after asyncio pools: what it does, and how it ends."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from steadypool import AsyncConnectionPool, AsyncHousekeeper, PoolConfigError, WrongLoopError
from steadypool.testing_aio import AsyncScriptedConnector

OFTEN = 0.001


async def new_pool(**options: Any) -> AsyncConnectionPool:
    return await AsyncConnectionPool.open(size=1, connect=AsyncScriptedConnector(), **options)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(OFTEN)


def play(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await body()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_it_looks_after_pools_until_it_is_stopped() -> None:
    async def body() -> None:
        pool = await new_pool()
        await pool.clear()
        async with AsyncHousekeeper(OFTEN) as keeper:
            keeper.watch(pool)
            await until(lambda: pool.stats().pool_size)
        await pool.clear()
        await keeper.stop()
        await asyncio.sleep(10 * OFTEN)
        assert pool.stats().total_connections == 0
        await pool.close()

    play(body)


def test_it_lets_go_of_pools_that_are_closed_or_forgotten() -> None:
    async def body() -> None:
        async with AsyncHousekeeper(OFTEN) as keeper:
            closed, forgotten = await new_pool(), await new_pool()
            for pool in (closed, forgotten):
                keeper.watch(pool)
            await until(lambda: True)
            await closed.close()
            await until(lambda: closed not in keeper._pools)
            gone = weakref.ref(forgotten)
            del forgotten, pool
            await until(lambda: gc.collect() and not gone())

    play(body)


def test_a_cancelled_stop_ends_the_task_all_the_same() -> None:
    async def body() -> None:
        keeper = AsyncHousekeeper(OFTEN)
        stopping = asyncio.create_task(keeper.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        await until(keeper._task.done)

    play(body)


def test_it_ends_with_its_loop() -> None:
    async def main() -> tuple[AsyncHousekeeper, AsyncConnectionPool]:
        keeper, pool = AsyncHousekeeper(OFTEN), await new_pool()
        keeper.watch(pool)
        return keeper, pool

    keeper, pool = asyncio.run(main())
    assert keeper._task.cancelled()
    assert pool.stats().pool_size == 1


def test_it_is_made_in_the_event_loop_of_its_pools() -> None:
    async def body() -> None:
        async with AsyncHousekeeper(float("inf")) as keeper:
            with pytest.raises(WrongLoopError, match="not started"):
                keeper.watch(AsyncConnectionPool(connect=AsyncScriptedConnector()))
        with pytest.raises(PoolConfigError, match="interval"):
            AsyncHousekeeper(0)

    play(body)
    with pytest.raises(WrongLoopError, match="in the event loop of its pools"):
        AsyncHousekeeper()
