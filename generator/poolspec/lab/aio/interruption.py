"""Attempts that are repeated, each with one interruption or one re-entry at the next point."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

from poolspec.interruption.broken_rounds import BrokenRounds
from poolspec.interruption.eager import start_at_once
from poolspec.interruption.points import MOST
from poolspec.interruption.reentry import ReentryPoint, Site, Tried
from poolspec.interruption.rounds import OpenSockets, check_points, noting_point
from poolspec.interruption.suspensions import MOMENTS, AsyncPoint, Driven
from poolspec.invariants.marks import INTERRUPTED, REENTERED
from poolspec.invariants.observer import settle
from poolspec.lab.aio.pool import AsyncContext
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.aio.rest import AsyncRest
from poolspec.lab.aio.waiting import wait_until
from poolspec.vocabulary import Caller, ErrorKind, Interruption

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
        pool, sockets, rounds = self._context.pools.meant(), OpenSockets(), BrokenRounds()
        await pool.close()
        await _check(sockets)
        for tried, (number, moment) in enumerate(product(range(1, MOST), MOMENTS[by])):
            point = AsyncPoint(number, moment, by)
            ended = await self._round(attempt, point, sockets, rounds)
            if not point.where:
                rounds.raise_all(tried + 1, all_tried=True)
                return check_points(tried, at_least)
            self._context.log.add(INTERRUPTED, detail=point.where)
            if not ended or rounds.are_enough:
                rounds.raise_all(tried + 1, all_tried=False)
        raise AssertionError(f"not through after {MOST} points")

    async def _round(
        self, attempt: Attempt, point: AsyncPoint, sockets: OpenSockets, rounds: BrokenRounds
    ) -> bool:
        """Do one round; leave its pool open if there was no interruption. Return whether it ended.

        The actors of a round that did not end still use its pool.
        """
        pool = self._context.pools.meant()
        self._context.hooks.forget()
        try:
            with noting_point(point), self._context.rounds():
                pool.renew(*await self._pools.new())
                await Driven(attempt(point), point)
                await self._rest.check(pool)
                if point.where:
                    await pool.close()
                    await _check(sockets)
        except Exception as error:
            return await self._rest.end_broken(pool, self._pools, rounds, point.where, error)
        return True


class AsyncReentryPoint:
    """Re-enters the pool at the n-th point (from 1) of its block; see `ReentryPoint`.

    The re-entered steps run at once until they suspend. A task runs the rest; the block ends after
    the task.
    """

    def __init__(self, point: ReentryPoint, context: AsyncContext) -> None:
        self.point = point
        self._context = context
        self._tasks: list[asyncio.Task[None]] = []
        self._left = 0
        """Re-entered steps that have not ended."""

    @asynccontextmanager
    async def into(
        self, steps: Callable[[], Coroutine[Any, Any, None]], *, everywhere: bool = False
    ) -> AsyncIterator[None]:
        """Re-enter the pool with steps while the block runs; see `ReentryPoint.watching`."""
        with self.point.watching(lambda: self._start(steps), everywhere=everywhere):
            try:
                yield
            finally:
                await wait_until(self._context.log, self._context.clock, lambda: not self._left)

    def _start(self, steps: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._left += 1
        self._context.clock.enter()
        started = self._context.clock.now()
        task = start_at_once(steps(), lambda error: self.point.fail(error, started))
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, _: "asyncio.Task[None]") -> None:
        self._left -= 1
        self._context.log.add("reentry_done")  # wakes the block while the task still counts
        self._context.clock.leave()


Reentering = Callable[[AsyncReentryPoint], Coroutine[Any, Any, None]]


class AsyncReenterer:
    """Repeats an attempt; the pool is re-entered at another point each time."""

    def __init__(self, context: AsyncContext, pools: AsyncPools, rest: AsyncRest) -> None:
        self._context = context
        self._pools = pools
        self._rest = rest

    async def everywhere(
        self,
        attempt: Reentering,
        *,
        by: Caller,
        at_least: int = 1,
        may_fail: Collection[ErrorKind] = (),
    ) -> None:
        """Repeat an attempt until it runs through without a re-entry. Tests call it as `reenter`.

        Each attempt has a new pool, made like the test's, which afterwards must have lost nothing.
        """
        pool, sockets, tried = self._context.pools.meant(), OpenSockets(), Tried()
        rounds = BrokenRounds()
        await pool.close()
        await _check(sockets)
        for number in range(1, MOST):
            pool.renew(*await self._pools.new())
            point = ReentryPoint(tried, by, may_fail, self._site())
            ended = await self._round(attempt, point, sockets, rounds)
            if not point.where:
                rounds.raise_all(number, all_tried=True)
                return check_points(len(tried), at_least)
            self._context.log.add(REENTERED, detail=point.where)
            if not ended or rounds.are_enough:
                rounds.raise_all(number, all_tried=False)
        raise AssertionError(f"not through after {MOST} points")

    async def _round(
        self, attempt: Reentering, point: ReentryPoint, sockets: OpenSockets, rounds: BrokenRounds
    ) -> bool:
        """Do one round; leave its pool open if there was no re-entry. Return whether it ended."""
        context, pool = self._context, self._context.pools.meant()
        context.hooks.forget()
        try:
            with noting_point(point), self._context.rounds():
                await attempt(AsyncReentryPoint(point, context))
                await self._rest.check(pool)
                if point.where:
                    await pool.close()
                    await _check(sockets)
        except Exception as error:
            return await self._rest.end_broken(pool, self._pools, rounds, point.where, error)
        return True

    def _site(self) -> Site:
        context = self._context
        logger, raw = context.log_records.logger, context.pools.meant().raw
        return Site(raw, context.clock, logger, context.foreign, context.kind_of)


async def _check(sockets: OpenSockets) -> None:
    """Check that no socket is left, after turns of the event loop in which transports close."""
    if sockets.left():
        await asyncio.to_thread(settle, sockets.left, lambda left: not left)
        sockets.check()
