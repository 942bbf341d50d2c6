"""Generated load: many clients that borrow or send requests, until done or until stopped."""

import asyncio
from typing import TYPE_CHECKING, Unpack

from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.clients import AsyncBorrowers, AsyncHabits, AsyncRequesters, start_clients
from poolspec.lab.aio.pool import AsyncContext
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.tasks import REST
from poolspec.lab.load.terms import LoadTerms
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

    async def run(self, **terms: Unpack[LoadTerms]) -> LoadResult:
        """Run operations on the test's pool, or requests, until all are done."""
        if terms.get("requests"):
            return await self._run_requests(terms)
        load = self._context.loads.plan(terms)
        borrowers = self.borrowers(load.result, terms)
        await self._actors.join(start_clients(self._actors, load.name, borrowers, load.queues))
        return self._context.loads.sum_up(load)

    async def _run_requests(self, terms: LoadTerms) -> LoadResult:
        load = self._context.loads.plan_requests(terms)
        requesters = AsyncRequesters(self._web.ask, self._context.clock.now, load.result)
        await self._actors.join(start_clients(self._actors, load.name, requesters, load.queues))
        return self._context.loads.sum_up(load)

    def start(self, **terms: Unpack[LoadTerms]) -> LoadResult:
        """Start operations on the test's pool that run until `stop`."""
        running = self._context.loads.begin(terms)
        borrowers = self.borrowers(running.result, terms, REST)
        start_clients(self._actors, running.name, borrowers, running.streams)
        return running.result

    async def stop(self, load: LoadResult) -> None:
        """Stop a load; wait until every client has finished its operation."""
        running = self._context.loads.stop(load)
        await self._actors.join(running.clients())
        await asyncio.to_thread(self._context.loads.sum_up, running)

    def borrowers(self, result: LoadResult, terms: LoadTerms, rest: float = 0.0) -> AsyncBorrowers:
        """Return clients that borrow from the test's pool."""
        context, via = self._context, terms.get("via", Via.ACQUIRE)
        habits = AsyncHabits(via, terms.get("timeout"), context.clock, context.kind_of, rest)
        return AsyncBorrowers(context.pools.only(), self._driver, habits, result)
