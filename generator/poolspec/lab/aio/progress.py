"""The passing of time in a test, and its waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from poolspec.faults.server import LOOK_EVERY
from poolspec.invariants.complaints import demand
from poolspec.invariants.defects import broken
from poolspec.invariants.stuck_report import awaited, missed
from poolspec.lab import health
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.lab.aio.waiting import wait_until
from poolspec.lab.invariant_checks import InvariantChecks
from poolspec.lab.memory import MemoryTrend
from poolspec.lab.repetition import looking_once
from poolspec.vocabulary import ActorState

__tracebackhide__ = True  # a failure is shown where the test failed

BLOCKED_WITHIN = 5.0
"""Real seconds within which an actor must be blocked in the server."""
LOOK_AGAIN = 0.002
"""Real seconds after which the server is asked again."""


class AsyncProgress:
    """Lets time pass, and waits until an actor, the pool or the server is in a state."""

    def __init__(self, context: AsyncContext, actors: AsyncActors) -> None:
        self._context = context
        self._actors = actors

    async def until_waiting(
        self, name: str | None, count: int, of: AsyncPool | None, within: float | None
    ) -> None:
        """Wait until an actor, or at least `count` of them, are in the queue of a pool, or any."""
        pool = of.account.pool if of else None
        seen = partial(self._context.witness.waiting, pool)
        await self._until(ActorState.WAITING, name, count, seen, within)

    async def until_holding(
        self, name: str | None, count: int, of: AsyncPool | None, within: float | None
    ) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection of a pool, or any."""
        seen = partial(self._context.pools.holders, of)
        await self._until(ActorState.HOLDING, name, count, seen, within)

    async def until_blocked(self, name: str | None, count: int, within: float | None) -> None:
        """Wait until the statements of an actor, or of at least `count` of them, wait for a lock.

        The lab asks the server for up to BLOCKED_WITHIN seconds of real time, or `within` if given.
        No time passes on the virtual clock.
        """
        holds = awaited(self._actors, ActorState.BLOCKED, name, count, self._blocked)
        limit = BLOCKED_WITHIN if within is None else within
        deadline = time.monotonic() + limit
        while not await asyncio.to_thread(holds):
            if time.monotonic() >= deadline:
                what = f"{name} is" if name else f"{count} actors are"
                raise AssertionError(f"{what} not blocked after {limit:g} s of real time")
            await asyncio.to_thread(time.sleep, LOOK_AGAIN)

    def _blocked(self) -> set[str]:
        asking = self._context.pools.asking()
        return {asking[number] for number in self._context.server.blocked() if number in asking}

    async def until_done(self, name: str | None, count: int, within: float | None) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        await self._until(ActorState.DONE, name, count, self._actors.done, within)

    async def advance(self, seconds: float) -> None:
        """Let that much time pass."""
        self._context.log.add("advance", detail=f"{seconds:g} s")
        await self._context.clock.sleep(seconds)

    async def check_memory(self, one_round: Callable[[], Awaitable[None]], *, rounds: int) -> None:
        """Repeat a round; raise AssertionError if the pool holds more memory after each."""
        pool = self._context.pools.meant()
        trend = MemoryTrend(pool.raw, pool.sockets)
        for _ in range(rounds):
            await one_round()
            trend.measure()
        broken(trend.findings())

    async def within(self, seconds: float, check: Callable[[], Awaitable[None]]) -> None:
        """Repeat a check until it holds, for at most that many seconds of the test's clock."""
        clock = self._context.clock
        deadline = clock.now() + seconds
        first = True
        while True:
            last = clock.now() >= deadline
            try:
                with looking_once(not first and not last):
                    return await check()
            except AssertionError:
                if last:
                    raise
            first = False
            await clock.sleep(max(0.0, min(LOOK_EVERY, deadline - clock.now())))

    async def _until(
        self,
        state: ActorState,
        name: str | None,
        count: int,
        seen: Callable[[], set[str]],
        within: float | None,
    ) -> None:
        context = self._context
        holds = awaited(self._actors, state, name, count, seen)
        deadline = None if within is None else context.clock.now() + within
        if not await wait_until(context.log, context.clock, holds, deadline):
            raise AssertionError(missed(self._actors, state, name, count, seen(), within or 0.0))


async def expect_health(
    context: AsyncContext,
    checks: InvariantChecks[AsyncPool, AsyncClock],
    status: str,
    of: AsyncPool | None,
) -> None:
    """Check a pool's report of its health; the figures in it must be the pool's."""
    pool = context.pools.meant(of)
    before = checks.figures(pool)
    seen = await pool.health()
    demand(*health.complaints(status, seen, before, checks.figures(pool)))
