"""An acquire that times out names the connections that its own task has."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import AsyncConnectionPool, PoolTimeoutError
from steadypool.testing_aio import AsyncScriptedConnector


async def timed_out(pool: AsyncConnectionPool) -> tuple[str, ...]:
    with pytest.raises(PoolTimeoutError) as caught:
        await pool.acquire(timeout=1)
    return caught.value.own


async def in_a_context(pool: AsyncConnectionPool) -> tuple[str, ...]:
    async with pool:
        return await timed_out(pool)


async def in_a_block(pool: AsyncConnectionPool) -> tuple[str, ...]:
    async with pool.connection():
        return await timed_out(pool)


async def in_a_unit_of_work(pool: AsyncConnectionPool) -> tuple[str, ...]:
    async with pool.transaction():
        return await timed_out(pool)


async def in_an_exit_stack(pool: AsyncConnectionPool) -> tuple[str, ...]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pool.connection())
        return await timed_out(pool)


@pytest.mark.parametrize("work", [in_a_context, in_a_block, in_a_unit_of_work, in_an_exit_stack])
def test_the_error_names_the_connection_of_a_block(
    work: Callable[[AsyncConnectionPool], Awaitable[tuple[str, ...]]],
) -> None:
    async def body(context: PoolContext) -> None:
        own = await work(await context.pool())
        assert own == ("This task itself borrowed connection 1.",)

    run_test(body)


def test_the_error_says_where_it_was_borrowed_in_a_pool_that_detects_leaks() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(leak_after=60)
        connection = await pool.acquire()
        (own,) = await timed_out(pool)
        assert own.startswith("This task itself borrowed connection 1 (at ")
        assert "test_aio_own_loans.py" in own
        await pool.release(connection)

    run_test(body)


def test_the_error_names_a_connection_that_a_waiting_function_refers_to() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        kept = [await pool.acquire()]
        (own,) = await timed_out(pool)
        assert own.startswith("Perhaps this task itself borrowed connection 1: its variable 'kept'")
        await pool.release(kept.pop())

    run_test(body)


def test_the_error_names_no_connection_of_another_task() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        async with pool as connection:
            (waiter,) = await context.start(timed_out(pool))
            (own,) = await context.join(waiter)
            assert own == ()
            assert connection is not None

    run_test(body)


def test_the_variables_beyond_the_task_are_not_searched() -> None:
    async def borrow(pool: AsyncConnectionPool) -> object:
        return await (await pool.start()).acquire()

    with asyncio.Runner() as runner:
        pool = AsyncConnectionPool(size=1, max_overflow=0, connect=AsyncScriptedConnector())
        connection = runner.run(borrow(pool))
        assert runner.run(timed_out(pool)) == ()
        runner.run(pool.release(connection))
        runner.run(pool.close())
