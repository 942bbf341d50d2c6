"""The housekeeper for asyncio: its maintenance rounds and its end."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from steadypool import (
    AsyncConnectionPool,
    AsyncHousekeeper,
    ConnectionPool,
    HousekeeperStoppedError,
    LogEvent,
    PoolConfigError,
    WrongLoopError,
)
from steadypool.testing import ScriptedConnector
from steadypool.testing_aio import AsyncGate, AsyncScriptedConnector

OFTEN = 0.001


async def new_pool(**options: Any) -> AsyncConnectionPool:
    return await AsyncConnectionPool.open(size=1, connect=AsyncScriptedConnector(), **options)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(OFTEN)


def run_test(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await body()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_the_housekeeper_maintains_pools_until_it_is_stopped() -> None:
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

    run_test(body)


def test_the_housekeeper_drops_closed_and_discarded_pools() -> None:
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
            await until(lambda: gc.collect() >= 0 and not gone())

    run_test(body)


def test_a_cancelled_stop_still_ends_the_task() -> None:
    async def body() -> None:
        keeper = AsyncHousekeeper(OFTEN)
        stopping = asyncio.create_task(keeper.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        await until(keeper._task.done)

    run_test(body)


def test_the_housekeeper_ends_with_its_event_loop() -> None:
    async def main() -> tuple[AsyncHousekeeper, AsyncConnectionPool]:
        keeper, pool = AsyncHousekeeper(OFTEN), await new_pool()
        keeper.watch(pool)
        return keeper, pool

    keeper, pool = asyncio.run(main())
    assert keeper._task.cancelled()
    assert pool.stats().pool_size == 1


def test_the_housekeeper_must_be_created_in_the_event_loop_of_its_pools() -> None:
    async def body() -> None:
        async with AsyncHousekeeper(float("inf")) as keeper:
            with pytest.raises(WrongLoopError, match="not started"):
                keeper.watch(AsyncConnectionPool(connect=AsyncScriptedConnector()))
        with pytest.raises(PoolConfigError, match="interval"):
            AsyncHousekeeper(0)

    run_test(body)
    with pytest.raises(WrongLoopError, match="in the event loop of its pools"):
        AsyncHousekeeper()


class OddError(BaseException):
    """An exception outside `Exception`."""


@pytest.mark.parametrize("kind", [asyncio.CancelledError, OddError])
def test_an_exception_in_a_hook_ends_neither_the_task_nor_its_rounds(
    kind: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    raised: list[BaseException] = []

    async def setup(connection: object) -> None:
        if raised:
            raise raised.pop()

    async def body() -> None:
        pool = await new_pool(setup=setup)
        raised.append(kind("the hook's own"))
        async with AsyncHousekeeper(OFTEN) as keeper:
            await pool.clear()
            keeper.watch(pool)
            await until(lambda: pool.stats().pool_size)
        await pool.close()

    with caplog.at_level(logging.WARNING, "steadypool"):
        run_test(body)
    (record,) = caplog.records
    assert vars(record)["event"] == LogEvent.MAINTENANCE_FAILED
    assert vars(record)["error"] == kind.__name__


def test_a_hanging_pool_delays_neither_other_pools_nor_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body() -> None:
        gate = AsyncGate()
        connect = AsyncScriptedConnector()
        hanging = await AsyncConnectionPool.open(size=1, connect=connect)
        connect.then(gate)
        await hanging.clear()
        other = await new_pool()
        keeper = AsyncHousekeeper(OFTEN)
        keeper.watch(hanging)
        await until(lambda: hanging._core.pending)
        for _ in range(3):
            keeper.watch(other)
            await other.clear()
            await until(lambda: other.stats().pool_size)
        assert hanging._core.pending == 1
        async with asyncio.timeout(10):
            await keeper.stop()
        await until(lambda: not hanging._core.pending)
        await hanging.close()
        await other.close()

    with caplog.at_level(logging.WARNING, "steadypool"):
        run_test(body)
    assert not caplog.records


def test_a_stopped_housekeeper_accepts_no_more_pools() -> None:
    async def body() -> None:
        pool = await new_pool()
        async with AsyncHousekeeper(OFTEN) as keeper:
            keeper.watch(pool)
        with pytest.raises(HousekeeperStoppedError, match="create another"):
            keeper.watch(pool)
        await pool.close()

    run_test(body)


def test_the_pools_of_another_loop_are_refused() -> None:
    async def make() -> AsyncHousekeeper:
        return AsyncHousekeeper(OFTEN)

    async def body(keeper: AsyncHousekeeper) -> None:
        pool = await new_pool()
        with pytest.raises(WrongLoopError, match="housekeeper"):
            keeper.watch(pool)
        await pool.close()

    loop = asyncio.new_event_loop()
    keeper = loop.run_until_complete(make())
    run_test(lambda: body(keeper))
    loop.run_until_complete(keeper.stop())
    loop.close()


async def _watch_a_threads_pool() -> None:
    pool: Any = ConnectionPool(size=1, connect=ScriptedConnector())
    async with AsyncHousekeeper() as keeper:
        with pytest.raises(TypeError, match="use Housekeeper"):
            keeper.watch(pool)
    pool.close()


def test_a_threads_pool_is_refused() -> None:
    asyncio.run(_watch_a_threads_pool())
