"""A pool on the virtual clock over scripted connections, for one test in one event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from steadypool import AsyncConnectionPool
from steadypool.testing_aio import AsyncScriptedConnector, AsyncVirtualClock


class PoolContext:
    """Clock, connector and the pools made here, each with one connection by default."""

    def __init__(self) -> None:
        self.clock = AsyncVirtualClock()
        self.connect = AsyncScriptedConnector(clock=self.clock)
        self.pools: list[AsyncConnectionPool] = []

    async def pool(self, **options: Any) -> AsyncConnectionPool:
        """Make a pool and start it."""
        settings: dict[str, Any] = {"size": 1, "max_overflow": 0, "connect": self.connect}
        pool = AsyncConnectionPool(**settings | {"clock": self.clock} | options)
        self.pools.append(pool)
        await pool.start()
        return pool

    async def start(self, *works: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
        """Start tasks, each after the previous one has run as far as it can at this time."""
        tasks = []
        for work in works:
            tasks.append(self.clock.spawn(work))
            await loop_turns()
        return tasks

    async def join(self, *tasks: asyncio.Task[Any]) -> list[Any]:
        """Wait for tasks while time passes."""
        with self.clock.away():
            return list(await asyncio.gather(*tasks))

    async def close(self) -> None:
        """Close all pools and check that nothing is left."""
        for pool in self.pools:
            await pool.close()
            assert pool._core.pending == 0
        await loop_turns()
        assert self.connect.open_now == sum(pool.stats().in_use for pool in self.pools)
        assert asyncio.all_tasks() == {asyncio.current_task()}


Context = TypeVar("Context", bound=PoolContext)


def run_test(
    body: Callable[[Context], Awaitable[None]],
    make: Callable[[], Context] = PoolContext,  # type: ignore[assignment]  # the usual context
) -> None:
    """Run a test body in a new event loop, with a context made there."""

    async def main() -> None:
        context = make()
        await body(context)
        await context.close()

    asyncio.run(main())


async def loop_turns() -> None:
    """Let the event loop run for a while, without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)
