"""`async with pool` contexts: each releases its own connection, wherever it ends."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.steadypool_aio.context import PoolContext, loop_turns, run_test

from steadypool import AsyncConnectionPool, NotBorrowedError
from steadypool.testing_aio import AsyncScriptedConnector


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


class SlowStart(AsyncConnectionPool):
    """A pool whose blocks begin with a wait, so that other tasks run meanwhile."""

    async def __aenter__(self) -> Any:
        await asyncio.sleep(0)
        return await super().__aenter__()


class SlowEnd(SlowStart):
    """A pool whose blocks also end with a wait."""

    async def __aexit__(self, *details: Any) -> None:
        await asyncio.sleep(0)
        await super().__aexit__(*details)


@pytest.mark.parametrize("kind", [SlowStart, SlowEnd])
def test_blocks_of_a_subclass_keep_their_connections(kind: type[AsyncConnectionPool]) -> None:
    async def body(context: PoolContext) -> None:
        pool = await kind.open(size=3, connect=AsyncScriptedConnector())
        others_end = asyncio.Event()

        async def stay() -> None:
            async with pool as connection:
                await others_end.wait()
                assert on_loan(pool) == [connection]

        async def leave() -> None:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(pool)
                await asyncio.sleep(0)

        staying = asyncio.create_task(stay())
        async with pool:
            await asyncio.gather(leave(), leave())
        others_end.set()
        await staying
        assert on_loan(pool) == []
        await pool.close()

    run_test(body)
