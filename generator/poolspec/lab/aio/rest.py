"""A pool at rest, after a test or a round of one: it has lost no slot, and all counts agree."""

import asyncio
from contextlib import suppress

from poolspec.faults.server import LOOK_EVERY
from poolspec.interruption.broken_rounds import BrokenRounds
from poolspec.interruption.rounds import CALM
from poolspec.invariants.counts import findings_left_on_loan
from poolspec.invariants.deadlock import findings_of_stop, is_nothing_left, stop_by_clock
from poolspec.invariants.defects import Finding, broken, findings_of
from poolspec.invariants.log import MAIN, of_latest_round, of_pool
from poolspec.invariants.slots import MOST, MOST_IN_A_ROUND, missing_slots
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.invariant_checks import InvariantChecks
from poolspec.vocabulary import Capability, ErrorKind

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
        self.checks = checks

    async def check(self, pool: AsyncPool) -> None:
        """Release all connections, borrow as many as the pool has, and compare all counts."""
        await self._actors.join_all()
        broken(await self._findings(pool))

    async def examine(self, pool: AsyncPool, error: Exception) -> list[Finding]:
        """Return what is broken after a round has failed with an error, if its actors end."""
        if is_nothing_left(error):
            entries = of_latest_round(self._context.log.entries())
            return list(findings_of_stop(stop_by_clock(entries, error)))
        seen = self._context.witness.kept()
        if not await self.actors_end(pool):
            return seen
        with suppress(Exception):  # may follow from the failure
            return await self._findings(pool) or seen
        return seen

    async def actors_end(self, pool: AsyncPool) -> bool:
        """Return whether all actors end within an ample time, without what the test holds."""
        clock = self._context.clock
        deadline = clock.now() + self._context.ample
        self._context.calls.clear_all()
        with suppress(Exception):
            await pool.release_all(MAIN)
            while self._actors.unfinished() and clock.now() < deadline:
                await clock.sleep(LOOK_EVERY)
        return not self._actors.unfinished()

    async def end_broken(
        self, pool: AsyncPool, pools: AsyncPools, rounds: BrokenRounds, where: str, error: Exception
    ) -> bool:
        """Note a round that broke, and return whether its actors end.

        Then its pool is closed, and so are the connections that it leaves open.
        """
        rounds.note(where, error, findings_of(error) or await self.examine(pool, error))
        if not await self.actors_end(pool):
            return False
        with suppress(Exception):
            await pool.close()
        pools.end(pool.sockets)
        return True

    async def _findings(self, pool: AsyncPool) -> list[Finding]:
        context = self._context
        context.calls.clear_all()
        context.hooks.are_idle = True
        await pool.release_all()
        if context.is_virtual:
            await context.clock.sleep(CALM)
        found = list(findings_left_on_loan(self.checks.figures(pool)))
        is_usable = not pool.is_over or Capability.CLOSE in context.capabilities
        if is_usable and not found:
            found = await self._borrow_all(pool, MOST_IN_A_ROUND)
        found = found or self.checks.in_round()
        return found or await asyncio.to_thread(self.checks.at_rest, pool)

    async def lost_slots(self) -> list[Finding]:
        """Borrow as many connections as each pool's limit allows, if it may have lost a slot."""
        found: list[Finding] = []
        for pool in self._context.pools:
            if self.checks.may_borrow(pool):
                self._context.hooks.are_idle = True
                self._context.server_faults.settings.undo()  # the server may accept too few
                with suppress(Exception):  # a pool that cannot connect may have all its slots
                    found += await self._borrow_all(pool, MOST)
        return found

    async def _borrow_all(self, pool: AsyncPool, most: int) -> list[Finding]:
        context = self._context
        before, limit, served = context.log.length(), self.checks.slots(pool, most), 0
        try:
            with context.witness.letting_wait():
                while served < limit:
                    await pool.acquire(context.ample)
                    served += 1
        except Exception as error:
            kind = context.kind_of(error)
            if kind in (ErrorKind.TIMEOUT, ErrorKind.EXHAUSTED):
                earlier = of_pool(context.log.entries()[:before], pool.account.pool)
                return [missing_slots(served, limit, earlier)]
            if not pool.is_over or kind is not ErrorKind.CLOSED:
                raise
        finally:
            await pool.release_all()
        return []
