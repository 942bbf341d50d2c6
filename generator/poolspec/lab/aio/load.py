"""Generated load: many clients that borrow or send requests, until done or until stopped."""

import asyncio
from typing import TYPE_CHECKING, Unpack

from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.clients import AsyncBorrowers, AsyncHabits, AsyncRequesters, start_clients
from poolspec.lab.aio.pool import AsyncContext
from poolspec.lab.load.loads import Generated, ends_by_time
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

    async def run(self, name: str, **terms: Unpack[LoadTerms]) -> LoadResult:
        """Run operations on a pool, or requests, until all are done."""
        load = self._context.loads.plan(name, terms)
        worker = self._requesters(load) if terms.get("requests") else self.borrowers(load, terms)
        clock = self._context.clock
        await self._actors.join(start_clients(self._actors, load, worker, clock))
        return await asyncio.to_thread(self._context.loads.sum_up, load)

    def start(self, name: str, **terms: Unpack[LoadTerms]) -> LoadResult:
        """Start operations on a pool that run until `stop`."""
        load = self._context.loads.plan(name, terms)
        start_clients(self._actors, load, self.borrowers(load, terms), self._context.clock)
        return load.result

    async def stop(self, result: LoadResult) -> None:
        """Stop a load; wait until every client has finished its operation."""
        load = self._context.loads.stop(result)
        await self._actors.join(load.clients())
        await asyncio.to_thread(self._context.loads.sum_up, load)

    def borrowers(self, load: Generated, terms: LoadTerms) -> AsyncBorrowers:
        """Return clients that borrow from a pool."""
        context, pool = self._context, self._context.pools.meant(terms.get("pool"))
        habits = AsyncHabits(
            terms.get("via", Via.ACQUIRE),
            terms.get("timeout"),
            context.clock,
            context.kind_of,
            {str(kind): texts for kind, texts in terms.get("statements", {}).items()},
            REST if ends_by_time(terms) and "rate" not in terms else 0.0,
        )
        return AsyncBorrowers(pool, self._driver, habits, load.result)

    def _requesters(self, load: Generated) -> AsyncRequesters:
        return AsyncRequesters(self._web.ask, self._context.clock.now, load.result)
