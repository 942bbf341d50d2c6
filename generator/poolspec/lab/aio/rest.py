"""A pool at rest after an interrupted round: it has lost no connection, and all counts agree."""

import asyncio

from poolspec.interruption.rounds import CALM, available
from poolspec.invariants.counts import findings_left_on_loan
from poolspec.invariants.defects import broken
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.lab.invariant_checks import InvariantChecks
from poolspec.vocabulary import ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncRest:
    """Brings a pool to rest and checks it."""

    def __init__(
        self,
        context: AsyncContext,
        actors: AsyncActors,
        checks: InvariantChecks[AsyncPool, AsyncClock],
    ) -> None:
        self._context = context
        self._actors = actors
        self._checks = checks

    async def check(self, pool: AsyncPool) -> None:
        """Release all connections, borrow as many as the pool has, and compare all counts."""
        context = self._context
        await self._actors.join_all()
        context.calls.clear_all()
        context.hooks.are_idle = True
        await pool.release_all()
        if context.is_virtual:
            await context.clock.sleep(CALM)
        broken(findings_left_on_loan(pool.stats(), context.capabilities))
        await self._borrow_all(pool)
        broken(await asyncio.to_thread(self._checks.at_rest, pool, pool.stats()))

    async def _borrow_all(self, pool: AsyncPool) -> None:
        try:
            for _ in range(available(pool.stats(), self._context.capabilities)):
                await pool.acquire()
        except Exception as error:
            if not pool.is_over or self._context.kind_of(error) is not ErrorKind.CLOSED:
                raise
        await pool.release_all()
