"""Generated load: many clients that borrow or send requests, until done or until stopped."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.clients import AsyncBorrowers, AsyncHabits, AsyncRequesters, start_clients
from poolspec.lab.aio.pool import AsyncContext
from poolspec.lab.load.loads import Kinds, Range
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.tasks import REST
from poolspec.vocabulary import Via

if TYPE_CHECKING:
    from poolspec.lab.aio.web import AsyncWeb

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncLoad:
    """The generated load of one test."""

    def __init__(
        self, context: AsyncContext, actors: AsyncActors, driver: AsyncDriver, web: "AsyncWeb"
    ) -> None:
        self._context = context
        self._actors = actors
        self._driver = driver
        self._web = web

    async def run(
        self,
        clients: int,
        operations: int | Kinds | None,
        each: int | None,
        mix: Kinds | None,
        hold: Range | None,
        timeout: float | None,
        via: Via,
    ) -> LoadResult:
        """Run operations on the test's pool until all are done."""
        load = self._context.loads.plan(clients, operations, each, mix, hold)
        borrowers = self.borrowers(load.result, timeout, via)
        await self._actors.join(start_clients(self._actors, load.name, borrowers, load.queues))
        return self._context.loads.sum_up(load)

    async def run_requests(self, clients: int, requests: Mapping[str, int]) -> LoadResult:
        """Send requests to the web application until all are answered."""
        load = self._context.loads.plan_requests(clients, requests)
        requesters = AsyncRequesters(self._web.ask, self._context.clock.now, load.result)
        await self._actors.join(start_clients(self._actors, load.name, requesters, load.queues))
        return self._context.loads.sum_up(load)

    def start(
        self,
        clients: int,
        mix: Kinds | None,
        hold: Range | None,
        timeout: float | None,
        via: Via,
    ) -> LoadResult:
        """Start operations on the test's pool that run until `stop`."""
        running = self._context.loads.begin(clients, mix, hold)
        borrowers = self.borrowers(running.result, timeout, via, REST)
        start_clients(self._actors, running.name, borrowers, running.streams)
        return running.result

    async def stop(self, load: LoadResult) -> None:
        """Stop a load; wait until every client has finished its operation."""
        running = self._context.loads.stop(load)
        await self._actors.join(running.clients())
        await asyncio.to_thread(self._context.loads.sum_up, running)

    def borrowers(
        self, result: LoadResult, timeout: float | None, via: Via, rest: float = 0.0
    ) -> AsyncBorrowers:
        """Return clients that borrow from the test's pool."""
        context = self._context
        habits = AsyncHabits(via, timeout, context.clock, context.kind_of, rest)
        return AsyncBorrowers(context.pools.only(), self._driver, habits, result)
