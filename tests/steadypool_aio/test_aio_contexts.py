"""Blocks of a pool for asyncio: each gives back its own connection, wherever it ends."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.steadypool_aio.context import Bench, play
from tests.steadypool_aio.scenario import turns

from steadypool import AsyncConnectionPool, NotBorrowedError


async def rows(pool: AsyncConnectionPool) -> AsyncGenerator[Any, None]:
    """Yield the connection of a block, as generators of rows do with what they read."""
    async with pool as connection:
        while True:
            yield connection


def test_blocks_of_generators_end_in_any_order_and_in_any_task() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(size=3)
        first, second = rows(pool), rows(pool)
        one, two = await anext(first), await anext(second)
        async with pool as three:
            await first.aclose()
            assert on_loan(pool) == [two, three]
            await asyncio.create_task(second.aclose())
            assert on_loan(pool) == [three]
        assert one is not two
        assert pool.stats().in_use == 0

    play(body)


def test_a_generator_that_is_forgotten_gives_back_what_it_borrowed() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        async for _ in rows(pool):
            break
        gc.collect()
        await turns()
        assert pool.stats().in_use == 0

    play(body)


def test_blocks_entered_by_a_stack_are_left_by_it() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(size=3)
        async with AsyncExitStack() as stack:
            early = await stack.enter_async_context(pool)
            late = await stack.enter_async_context(pool)
            async with pool as inner:
                await stack.aclose()
                assert on_loan(pool) == [inner]
        assert early is not late
        assert pool.stats().in_use == 0

    play(body)


def on_loan(pool: AsyncConnectionPool) -> list[Any]:
    return [entry.connection for entry in pool._core.in_use.values()]


def test_a_block_that_this_task_did_not_enter_is_refused() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        with pytest.raises(NotBorrowedError, match="connection\\(\\)"):
            await pool.__aexit__(None, None, None)

    play(body)
