"""The cast of an asyncio test: tasks, the time that passes, and what must be waited for."""

import asyncio
from collections.abc import Awaitable, Callable

from poolspec.faults.server import LOOK_EVERY
from poolspec.invariants.complaints import demand
from poolspec.invariants.observer import SETTLE
from poolspec.invariants.stuck_report import awaited
from poolspec.lab import health, remaining_timeout
from poolspec.lab.aio.actors import AsyncActor
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.comparisons import Expected
from poolspec.vocabulary import ActorState

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncCast(AsyncPools):
    """Actors, time, and what comes true after a while."""

    def start(self, *actors: AsyncActor) -> None:
        """Start actors; none runs before all are started."""
        self._crew.start(actors)

    async def join(self, *names: str) -> None:
        """Wait for actors to end; raise what one of them raised."""
        await self._crew.join(names)

    def cancel(self, name: str) -> None:
        """Cancel an actor's tasks."""
        self._crew.cancel(name)

    async def wait_until_waiting(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, are in the pool's queue."""
        await self._wait_for(ActorState.WAITING, name, count, lambda: set(self._waiting()))

    async def wait_until_holding(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection."""
        await self._wait_for(ActorState.HOLDING, name, count, self._holding)

    async def wait_until_done(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        await self._wait_for(ActorState.DONE, name, count, self._crew.done)

    async def advance(self, seconds: float) -> None:
        """Let that time pass."""
        self._log.add("advance", detail=f"{seconds:g} s")
        await self._clock.sleep(seconds)

    async def expect_server(
        self, *, connections: Expected | None = None, peak: Expected | None = None
    ) -> None:
        """Check the server's count of this test's pool connections, and the most open at once."""
        await asyncio.to_thread(self._check_server, connections, peak)

    async def expect_remaining_timeout(self, expected: Expected) -> None:
        """Check how long a task that waits for the database will still wait, in real seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE
        while True:
            said = remaining_timeout.complaint(expected, remaining_timeout.of_tasks(loop))
            if said is None or loop.time() > deadline:
                return demand(said)
            await asyncio.sleep(LOOK_EVERY)

    async def expect_health(self, status: str) -> None:
        """Check the pool's own verdict on itself; its figures must be those of the pool."""
        pool = self._only_pool()
        before = self._figures(pool)
        seen = await pool.health()
        demand(*health.complaints(status, seen, before, self._figures(pool)))

    async def expect_within(self, seconds: float, check: Callable[[], Awaitable[None]]) -> None:
        """Wait until expectations hold, but not longer than so many seconds of the test's clock."""
        deadline = self._clock.now() + seconds
        while True:
            try:
                return await check()
            except AssertionError:
                if self._clock.now() >= deadline:
                    raise
            await self._clock.sleep(min(LOOK_EVERY, deadline - self._clock.now()))

    async def _wait_for(
        self, state: ActorState, name: str | None, count: int, seen: Callable[[], set[str]]
    ) -> None:
        await self._wait_until(awaited(self._crew, state, name, count, seen))
