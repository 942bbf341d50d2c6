"""Interrupts: coroutines are cut short at every point where they suspend, one after the other."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from poolspec.interruption.points import MOST
from poolspec.interruption.rounds import (
    CALM,
    OpenSockets,
    check_idle,
    check_points,
    lendable,
    telling,
)
from poolspec.interruption.suspensions import MOMENTS, AsyncCut, Driven
from poolspec.invariants.checks import CUT_SHORT
from poolspec.invariants.complaints import broken
from poolspec.lab.aio.pool import AsyncPool
from poolspec.lab.aio.pools import AsyncPools
from poolspec.vocabulary import ErrorKind, Interruption

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncInterrupts(AsyncPools):
    """Attempts that are cut short."""

    async def interrupt_everywhere(
        self,
        attempt: Callable[[AsyncCut], Coroutine[Any, Any, None]],
        *,
        by: Interruption = Interruption.INTERRUPT,
        at_least: int = 1,
    ) -> None:
        """Make an attempt again and again, cut short at another point; see the threads' lab."""
        points, sockets = 0, OpenSockets()
        for number in range(1, MOST):
            for moment in MOMENTS[by]:
                cut = AsyncCut(number, moment, by)
                await self._attempt(attempt, cut, sockets)
                if not cut.where:
                    return check_points(points, at_least)
                points += 1
                self._log.add(CUT_SHORT, detail=cut.where)
        raise AssertionError(f"not through after {MOST} points")

    async def _attempt(
        self,
        attempt: Callable[[AsyncCut], Coroutine[Any, Any, None]],
        cut: AsyncCut,
        sockets: OpenSockets,
    ) -> None:
        pool = self._only_pool()
        self._hooks.forget()
        with telling(cut):
            await pool.close()
            sockets.check()
            pool.renew(*await self._new_pool())
            await Driven(attempt(cut), cut)
            await self._come_to_rest(pool)

    async def _come_to_rest(self, pool: AsyncPool) -> None:
        """Give all back, and see that nothing is missing: all can be borrowed, all counts agree."""
        await self._crew.join_all()
        self._let_rest()
        await pool.release_all()
        if self._is_virtual():
            await self._clock.sleep(CALM)
        check_idle(pool.stats(), self._capabilities)
        await self._borrow_all(pool)
        broken(await asyncio.to_thread(self._broken_at_rest, pool, pool.stats()))

    async def _borrow_all(self, pool: AsyncPool) -> None:
        try:
            for _ in range(lendable(pool.stats(), self._capabilities)):
                await pool.acquire()
        except Exception as error:
            if not pool.is_over or self._adapter.kind_of(error) is not ErrorKind.CLOSED:
                raise
        await pool.release_all()
