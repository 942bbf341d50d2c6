"""The stage for scenes in which one deed is cancelled at every place where it suspends.

Each scene is played once for each place and moment, until the last place is behind it: all places
are struck, not a sample. Afterwards nothing may be missing, and others must have been served.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from tests.steadypool_aio.cancellation import Moment, Struck

from steadypool import AsyncConnectionPool, ConnectionPoolError
from steadypool.testing_aio import (
    AsyncScriptedConnection,
    AsyncScriptedConnector,
    AsyncVirtualClock,
)

LIMIT = 2


class StubbornConnector(AsyncScriptedConnector):
    """Opens a connection although it was cancelled meanwhile, as careless drivers do."""

    async def __call__(self) -> AsyncScriptedConnection:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        return await super().__call__()


class Stage:
    """A pool of two on the virtual clock, with one deed in it that is struck."""

    def __init__(self, place: int, moment: Moment, listening: bool) -> None:
        self._place = place
        self._moment = moment
        self.listening = listening
        self.clock = AsyncVirtualClock()
        self.connect = AsyncScriptedConnector(clock=self.clock)
        self.struck: Struck | None = None
        self.served = self.hooked = 0
        self.raised: BaseException | None = None
        self.pool = self.new_pool()

    def new_pool(self, **options: Any) -> AsyncConnectionPool:
        settings: dict[str, Any] = {"size": 1, "max_overflow": LIMIT - 1, "min_size": 0}
        settings |= {"connect": self.connect, "clock": self.clock, "recycle": 1000, "timeout": 60}
        if self.listening:
            settings["listeners"] = [lambda event: None]
        return AsyncConnectionPool(**settings | options)

    async def strike(self, deed: Coroutine[Any, Any, Any]) -> Any:
        """Do the deed that is cancelled; a connection that it yields all the same goes back."""
        self.struck = Struck(deed, self._place, self._moment)
        try:
            connection = await self.struck
        except asyncio.CancelledError as error:
            self.raised = error
        except (ConnectionPoolError, LookupError) as error:
            self.raised = error
        else:
            if isinstance(connection, AsyncScriptedConnection):
                await self.pool.release(connection)

    async def serve(self) -> None:
        """Borrow a connection for a moment, as others do."""
        with suppress(ConnectionPoolError, LookupError):
            async with self.pool as connection:
                assert not connection.closed
                await self.clock.sleep(1)
                self.served += 1

    async def hook(self, connection: Any) -> None:
        """Take a while over a connection."""
        self.hooked += 1
        await self.clock.sleep(2)

    async def first_fails(self, connection: Any) -> None:
        """Fail, the first time."""
        await self.hook(connection)
        if self.hooked == 1:
            raise LookupError

    async def third_fails(self, connection: Any) -> None:
        """Fail, the third time."""
        await self.hook(connection)
        if self.hooked == 3:
            raise LookupError

    async def start(self, *works: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
        """Start tasks, and let them get as far as they can without time passing."""
        tasks = [self.clock.spawn(work) for work in works]
        await turns()
        return tasks

    async def check(self) -> None:
        """At rest nothing is missing, and all can be borrowed."""
        await self.clock.sleep(200)
        core = self.pool._core
        assert (core.pending, len(core.in_use), len(core.waiters)) == (0, 0, 0)
        if not self.pool.closed:
            held = [await self.pool.acquire(timeout=0) for _ in range(LIMIT)]
            assert held[0] is not held[1]
            assert not any(connection.closed for connection in held)
            for connection in held:
                await self.pool.release(connection)
        stats = self.pool.stats()
        assert stats.acquired == stats.released
        assert stats.created - stats.closed == self.connect.open_now
        await self.pool.close()
        await turns()
        assert self.connect.open_now == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


Scene = Callable[[Stage], Awaitable[None]]


async def all_of(stage: Stage, tasks: list[asyncio.Task[Any]]) -> None:
    with stage.clock.away():
        await asyncio.gather(*tasks)


async def full(stage: Stage) -> list[Any]:
    await stage.pool.start()
    return [await stage.pool.acquire() for _ in range(LIMIT)]


async def play(scene: Scene, place: int, moment: Moment, listening: bool) -> Struck:
    stage = Stage(place, moment, listening)
    await scene(stage)
    assert stage.struck is not None
    await stage.check()
    swallowed = stage.struck.hit and not isinstance(stage.raised, asyncio.CancelledError)
    assert not swallowed, "a cancellation was swallowed"
    return stage.struck


def play_all(scene: Scene, least: int, moment: Moment, listening: bool) -> None:
    """Strike every place; there must be `least` of them, or the scene does not get anywhere."""
    for place in itertools.count(1):
        struck = asyncio.run(play(scene, place, moment, listening))
        if not struck.hit:
            assert place > least, "the scene does not get where it should"
            return
