"""Runs scenarios in which one call is cancelled at every interruption point.

Each scenario runs once for every point and moment, until the call completes before the chosen
point. So the tests cover all points, not a sample. After each run no slot and no connection may be
missing, and other clients must have been served.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from tests.steadypool_aio.cancellation.cancelled_call import CancelledCall, Moment
from tests.steadypool_aio.context import loop_turns

from steadypool import AsyncConnectionPool, ConnectionPoolError
from steadypool.testing_aio import (
    AsyncScriptedConnection,
    AsyncScriptedConnector,
    AsyncVirtualClock,
)

LIMIT = 2


class CancellationSwallower(AsyncScriptedConnector):
    """Swallows a cancellation and opens the connection nevertheless, as careless drivers do."""

    async def __call__(self) -> AsyncScriptedConnection:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return await super().__call__()


class Case:
    """A pool of two connections on the virtual clock, and one call to cancel."""

    def __init__(self, point: int, moment: Moment, listening: bool) -> None:
        self._point = point
        self._moment = moment
        self.listening = listening
        self.clock = AsyncVirtualClock()
        self.connect = AsyncScriptedConnector(clock=self.clock)
        self.cancelled_call: CancelledCall | None = None
        self.served = self.hooked = 0
        self.raised: BaseException | None = None
        self.pool = self.new_pool()

    def new_pool(self, **options: Any) -> AsyncConnectionPool:
        settings: dict[str, Any] = {"size": 1, "max_overflow": LIMIT - 1, "min_size": 0}
        settings |= {"connect": self.connect, "clock": self.clock, "recycle": 1000, "timeout": 60}
        if self.listening:
            settings["listeners"] = [lambda event: None]
        return AsyncConnectionPool(**settings | options)

    async def cancel(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Make the call to cancel; if it still returns a connection, release it."""
        self.cancelled_call = CancelledCall(call, self._point, self._moment)
        try:
            connection = await self.cancelled_call
        except asyncio.CancelledError as error:
            self.raised = error
        except (ConnectionPoolError, LookupError) as error:
            self.raised = error
        else:
            if isinstance(connection, AsyncScriptedConnection):
                await self.pool.release(connection)

    async def serve(self) -> None:
        """Borrow a connection for one second, as another client."""
        with suppress(ConnectionPoolError, LookupError):
            async with self.pool as connection:
                assert not connection.closed
                await self.clock.sleep(1)
                self.served += 1

    async def hook(self, connection: Any) -> None:
        """A hook that takes 2 s."""
        self.hooked += 1
        await self.clock.sleep(2)

    async def first_fails(self, connection: Any) -> None:
        """A hook that fails the first time."""
        await self.hook(connection)
        if self.hooked == 1:
            raise LookupError

    async def third_fails(self, connection: Any) -> None:
        """A hook that fails the third time."""
        await self.hook(connection)
        if self.hooked == 3:
            raise LookupError

    async def start(self, *works: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
        """Start tasks and let them run as far as they can without time passing."""
        tasks = [self.clock.spawn(work) for work in works]
        await loop_turns()
        return tasks

    async def check(self) -> None:
        """Check that nothing is missing at rest and all connections can be borrowed."""
        await self.clock.sleep(200)
        core = self.pool._core
        assert (core.pending, len(core.in_use), len(core.waiters)) == (0, 0, 0)
        if not self.pool.closed:
            held = [await self.pool.acquire(timeout=100) for _ in range(LIMIT)]
            assert held[0] is not held[1]
            assert not any(connection.closed for connection in held)
            for connection in held:
                await self.pool.release(connection)
        stats = self.pool.stats()
        assert stats.acquired == stats.released
        assert stats.created - stats.closed == self.connect.open_now
        await self.pool.close()
        await loop_turns()
        assert self.connect.open_now == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}


Scenario = Callable[[Case], Awaitable[None]]


async def join(case: Case, tasks: list[asyncio.Task[Any]]) -> None:
    with case.clock.away():
        await asyncio.gather(*tasks)


async def acquire_all(case: Case) -> list[Any]:
    await case.pool.start()
    return [await case.pool.acquire() for _ in range(LIMIT)]


async def run_at(scenario: Scenario, point: int, moment: Moment, listening: bool) -> CancelledCall:
    case = Case(point, moment, listening)
    await scenario(case)
    assert case.cancelled_call is not None
    await case.check()
    swallowed = case.cancelled_call.was_cancelled and not isinstance(
        case.raised, asyncio.CancelledError
    )
    assert not swallowed, "a cancellation was swallowed"
    return case.cancelled_call


def run_at_every_point(scenario: Scenario, least: int, moment: Moment, listening: bool) -> None:
    """Cancel at every point; fewer than `least` points mean that the scenario ends too early."""
    for point in itertools.count(1):
        cancelled_call = asyncio.run(run_at(scenario, point, moment, listening))
        if not cancelled_call.was_cancelled:
            assert point > least, "the call has fewer interruption points than expected"
            return
