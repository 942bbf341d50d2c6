"""Attempts that are interrupted at every point where they suspend, one point after another."""

from collections.abc import Callable, Coroutine
from typing import Any

from poolspec.interruption.points import MOST
from poolspec.interruption.rounds import OpenSockets, check_points, noting_point
from poolspec.interruption.suspensions import MOMENTS, AsyncPoint, Driven
from poolspec.invariants.checks import INTERRUPTED
from poolspec.lab.aio.pool import AsyncContext
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.aio.rest import AsyncRest
from poolspec.vocabulary import Interruption

__tracebackhide__ = True  # a failure is shown where the test failed

Attempt = Callable[[AsyncPoint], Coroutine[Any, Any, None]]


class AsyncInterrupter:
    """Repeats an attempt, interrupted at another point each time."""

    def __init__(self, context: AsyncContext, pools: AsyncPools, rest: AsyncRest) -> None:
        self._context = context
        self._pools = pools
        self._rest = rest

    async def everywhere(self, attempt: Attempt, by: Interruption, at_least: int) -> None:
        """Repeat an attempt until it runs through; see `Lab.interrupt_everywhere`."""
        points, sockets = 0, OpenSockets()
        for number in range(1, MOST):
            for moment in MOMENTS[by]:
                point = AsyncPoint(number, moment, by)
                await self._round(attempt, point, sockets)
                if not point.where:
                    return check_points(points, at_least)
                points += 1
                self._context.log.add(INTERRUPTED, detail=point.where)
        raise AssertionError(f"not through after {MOST} points")

    async def _round(self, attempt: Attempt, point: AsyncPoint, sockets: OpenSockets) -> None:
        pool = self._context.pools.only()
        self._context.hooks.forget()
        with noting_point(point):
            await pool.close()
            sockets.check()
            pool.renew(*await self._pools.new())
            await Driven(attempt(point), point)
            await self._rest.check(pool)
