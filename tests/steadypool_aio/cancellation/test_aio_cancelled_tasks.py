"""Cancellation of the pool's own tasks, as when a program cancels all tasks of its event loop.

Each scenario runs once for every turn of the loop, including the turn before a task first runs. No
slot is lost, and no uncounted connection stays open.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.steadypool_aio.context import PoolContext, loop_turns

from steadypool import AsyncConnectionPool, Reset

Scenario = Callable[[PoolContext, AsyncConnectionPool], Coroutine[Any, Any, None]]

TURNS = 14


async def rolled_back(context: PoolContext, pool: AsyncConnectionPool) -> None:
    async with pool as connection:
        connection.in_transaction = True


async def closed_on_release(context: PoolContext, pool: AsyncConnectionPool) -> None:
    connection = await pool.acquire()
    await pool.clear()
    await pool.release(connection)


async def cleared(context: PoolContext, pool: AsyncConnectionPool) -> None:
    await pool.clear()


async def reopened(context: PoolContext, pool: AsyncConnectionPool) -> None:
    await pool.clear()
    await pool.maintain()


async def replaced(context: PoolContext, pool: AsyncConnectionPool) -> None:
    for connection in context.connect.opened:
        connection.die()
    async with pool:
        pass


async def hook(connection: Any) -> None:
    await asyncio.sleep(0)


async def run_at_turn(scenario: Scenario, turn: int, options: dict[str, Any]) -> int:
    """Run the scenario and cancel the pool's tasks at that turn; return their number."""
    context = PoolContext()
    pool = await context.pool(size=2, check_after=0, **options)
    task = context.clock.spawn(scenario(context, pool))
    for _ in range(turn):
        await asyncio.sleep(0)
    cancelled = asyncio.all_tasks() - {task, asyncio.current_task()}
    for other in cancelled:
        other.cancel()
    with context.clock.away():
        await asyncio.wait([task])
    await loop_turns()
    stats = pool.stats()
    assert (pool._core.pending, stats.in_use) == (0, 0)
    assert stats.created - stats.closed == context.connect.open_now
    await context.close()
    return len(cancelled)


@pytest.mark.parametrize(
    "options",
    [{}, {"reset": Reset.SESSION, "setup": hook}, {"on_acquire": hook}],
    ids=["plain", "session", "hooked"],
)
@pytest.mark.parametrize("scenario", [rolled_back, closed_on_release, cleared, reopened, replaced])
def test_cancelling_the_pools_tasks_loses_nothing(
    scenario: Scenario, options: dict[str, Any]
) -> None:
    cancelled = [asyncio.run(run_at_turn(scenario, turn, options)) for turn in range(TURNS)]
    assert any(cancelled), "no task of the pool was cancelled"
