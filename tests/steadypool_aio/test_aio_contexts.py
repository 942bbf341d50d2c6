"""`async with pool` contexts: each releases its own connection, wherever it ends."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.steadypool_aio.context import PoolContext, loop_turns, run_test

from steadypool import AsyncConnectionPool, NotBorrowedError


async def rows(pool: AsyncConnectionPool) -> AsyncGenerator[Any, None]:
    """Yield from inside a context, as a generator of rows does."""
    async with pool as connection:
        while True:
            yield connection


def test_contexts_in_generators_end_in_any_order_and_in_any_task() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(size=3)
        first, second = rows(pool), rows(pool)
        one, two = await anext(first), await anext(second)
        async with pool as three:
            await first.aclose()
            assert on_loan(pool) == [two, three]
            await asyncio.create_task(second.aclose())
            assert on_loan(pool) == [three]
        assert one is not two
        assert pool.stats().in_use == 0

    run_test(body)


def test_a_discarded_generator_releases_its_connection() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        async for _ in rows(pool):
            break
        gc.collect()
        await loop_turns()
        assert pool.stats().in_use == 0

    run_test(body)


def test_an_exit_stack_leaves_the_contexts_that_it_entered() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(size=3)
        async with AsyncExitStack() as stack:
            early = await stack.enter_async_context(pool)
            late = await stack.enter_async_context(pool)
            async with pool as inner:
                await stack.aclose()
                assert on_loan(pool) == [inner]
        assert early is not late
        assert pool.stats().in_use == 0

    run_test(body)


def on_loan(pool: AsyncConnectionPool) -> list[Any]:
    return [entry.connection for entry in pool._core.in_use.values()]


def test_leaving_a_context_that_was_not_entered_is_refused() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        with pytest.raises(NotBorrowedError, match="connection\\(\\)"):
            await pool.__aexit__(None, None, None)

    run_test(body)
