"""The pool's own tasks are cancelled, as by who cancels all tasks of a loop that he is to end.

Each scene is played once for each turn of the loop at which that may happen: also before a task
has had its first turn. No slot is lost, and no connection stays open that is not counted.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.steadypool_aio.context import Bench
from tests.steadypool_aio.scenario import turns

from steadypool import AsyncConnectionPool, Reset

Scene = Callable[[Bench, AsyncConnectionPool], Coroutine[Any, Any, None]]

TURNS = 14


async def rolled_back(bench: Bench, pool: AsyncConnectionPool) -> None:
    async with pool as connection:
        connection.in_transaction = True


async def closed_as_it_comes_back(bench: Bench, pool: AsyncConnectionPool) -> None:
    connection = await pool.acquire()
    await pool.clear()
    await pool.release(connection)


async def emptied(bench: Bench, pool: AsyncConnectionPool) -> None:
    await pool.clear()


async def opened_anew(bench: Bench, pool: AsyncConnectionPool) -> None:
    await pool.clear()
    await pool.maintain()


async def replaced(bench: Bench, pool: AsyncConnectionPool) -> None:
    for connection in bench.connect.opened:
        connection.die()
    async with pool:
        pass


async def hook(connection: Any) -> None:
    await asyncio.sleep(0)


async def play(scene: Scene, turn: int, options: dict[str, Any]) -> int:
    """Play it, and cancel the pool's tasks at that turn; returns how many there were."""
    bench = Bench()
    pool = await bench.pool(size=2, check_after=0, **options)
    task = bench.clock.spawn(scene(bench, pool))
    for _ in range(turn):
        await asyncio.sleep(0)
    struck = asyncio.all_tasks() - {task, asyncio.current_task()}
    for other in struck:
        other.cancel()
    with bench.clock.away():
        await asyncio.wait([task])
    await turns()
    stats = pool.stats()
    assert (pool._core.pending, stats.in_use) == (0, 0)
    assert stats.created - stats.closed == bench.connect.open_now
    await bench.leave()
    return len(struck)


@pytest.mark.parametrize(
    "options",
    [{}, {"reset": Reset.SESSION, "setup": hook}, {"on_acquire": hook}],
    ids=["plain", "session", "hooked"],
)
@pytest.mark.parametrize(
    "scene", [rolled_back, closed_as_it_comes_back, emptied, opened_anew, replaced]
)
def test_a_cancelled_task_of_the_pool_loses_nothing(scene: Scene, options: dict[str, Any]) -> None:
    struck = [asyncio.run(play(scene, turn, options)) for turn in range(TURNS)]
    assert any(struck), "the scene does not get where it should"
