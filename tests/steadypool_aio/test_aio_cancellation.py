"""A cancellation at every place where acquire, release or a pool-wide call suspends.

Each scene is played once for each place and moment, until the last place is behind it: all places
are struck, not a sample. Afterwards nothing may be missing, and others must have been served.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from tests.steadypool_aio.striking import Moment, Struck

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
        self.served = 0
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
        except ConnectionPoolError as error:
            self.raised = error
        else:
            await self.pool.release(connection)

    async def serve(self) -> None:
        """Borrow a connection for a moment, as others do."""
        with suppress(ConnectionPoolError):
            async with self.pool as connection:
                assert not connection.closed
                await self.clock.sleep(1)
                self.served += 1

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


async def queued_and_handed_a_connection(stage: Stage) -> None:
    held = await full(stage)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)
    assert stage.served == 1


async def queued_and_handed_a_slot(stage: Stage) -> None:
    held = await full(stage)
    stage.connect.then(5.0)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await stage.pool.close_all()
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)
    assert stage.served == 1


async def queued_too_long(stage: Stage) -> None:
    held = await full(stage)
    tasks = await stage.start(stage.strike(stage.pool.acquire(timeout=3)), stage.serve())
    await stage.clock.sleep(10)
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)
    assert stage.served == 1


async def queued_and_refused(stage: Stage) -> None:
    held = await full(stage)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await stage.pool.close()
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)


async def connecting(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(5.0)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def connecting_stubbornly(stage: Stage) -> None:
    stage.connect = StubbornConnector(clock=stage.clock)
    stage.pool = stage.new_pool()
    await connecting(stage)


async def connecting_in_vain(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(OSError("refused"))
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def connecting_too_long(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(50.0)
    tasks = await stage.start(
        stage.strike(stage.pool.acquire(timeout=3)), stage.serve(), stage.serve()
    )
    await all_of(stage, tasks)
    assert stage.served == 2


async def connecting_while_the_pool_is_closed(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(50.0)
    tasks = await stage.start(stage.strike(stage.pool.acquire()))
    await stage.pool.close()
    await all_of(stage, tasks)


async def finding_a_dead_connection(stage: Stage) -> None:
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].die()
    stage.connect.opened[0].on_close = 2.0
    stage.connect.then(2.0)
    await stage.clock.sleep(10)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def finding_a_stale_connection(stage: Stage) -> None:
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].on_close = 2.0
    await stage.clock.sleep(2000)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def released(stage: Stage, spoil: Callable[[Any], None]) -> None:
    """Give back two that are alike; others wait for both."""
    held = await full(stage)
    others = await stage.start(stage.serve(), stage.serve(), stage.serve())
    for connection in held:
        spoil(connection)
    tasks = await stage.start(stage.strike(stage.pool.release(held[0])))
    await all_of(stage, tasks)
    await stage.pool.release(held[1])
    await all_of(stage, others)
    assert stage.served == 3


async def releasing_a_clean_one(stage: Stage) -> None:
    await released(stage, lambda connection: None)


async def releasing_a_transaction(stage: Stage) -> None:
    def spoil(connection: Any) -> None:
        connection.in_transaction = True
        connection.on_rollback = 2.0

    await released(stage, spoil)


async def releasing_what_cannot_be_rolled_back(stage: Stage) -> None:
    def spoil(connection: Any) -> None:
        connection.in_transaction = True
        connection.on_rollback = OSError("gone")
        connection.on_close = 2.0

    await released(stage, spoil)


async def releasing_a_closed_one(stage: Stage) -> None:
    await released(stage, lambda connection: connection.abort())


async def releasing_surplus(stage: Stage) -> None:
    held = await full(stage)
    held[1].on_close = 2.0
    await stage.pool.release(held[0])
    await all_of(stage, await stage.start(stage.strike(stage.pool.release(held[1]))))


async def releasing_after_the_pool_was_emptied(stage: Stage) -> None:
    held = await full(stage)
    await stage.pool.close_all()
    await stage.pool.release(held[1])
    held[0].on_close = 2.0
    held[0].in_transaction = True
    await all_of(stage, await stage.start(stage.strike(stage.pool.release(held[0]))))


async def releasing_while_the_pool_is_closed(stage: Stage) -> None:
    held = await full(stage)
    await stage.pool.release(held[1])
    held[0].in_transaction = True
    held[0].on_rollback = 1000.0
    tasks = await stage.start(stage.strike(stage.pool.release(held[0])))
    await stage.pool.close()
    await all_of(stage, tasks)


async def emptying(stage: Stage) -> None:
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].on_close = 2.0
    tasks = await stage.start(stage.strike(stage.pool.close_all()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 3


async def closing(stage: Stage) -> None:
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].on_close = 2.0
    stage.connect.then(50.0)
    tasks = await stage.start(stage.serve(), stage.serve())
    await all_of(stage, [*tasks, *await stage.start(stage.strike(stage.pool.close()))])


async def starting(stage: Stage) -> None:
    stage.connect.then(2.0, 2.0)
    stage.pool = stage.new_pool(size=2, max_overflow=0, min_size=2)
    await all_of(stage, await stage.start(stage.strike(stage.pool.start())))
    assert stage.pool.closed is (stage.raised is not None)


async def starting_stubbornly(stage: Stage) -> None:
    stage.connect = StubbornConnector(clock=stage.clock)
    await starting(stage)


SCENES: dict[Scene, int] = {
    queued_and_handed_a_connection: 1,
    queued_and_handed_a_slot: 2,
    queued_too_long: 1,
    queued_and_refused: 1,
    connecting: 1,
    connecting_stubbornly: 1,
    connecting_in_vain: 1,
    connecting_too_long: 2,
    connecting_while_the_pool_is_closed: 1,
    finding_a_dead_connection: 2,
    finding_a_stale_connection: 1,
    releasing_a_clean_one: 0,
    releasing_a_transaction: 1,
    releasing_what_cannot_be_rolled_back: 1,
    releasing_a_closed_one: 1,
    releasing_surplus: 1,
    releasing_after_the_pool_was_emptied: 1,
    releasing_while_the_pool_is_closed: 1,
    emptying: 1,
    closing: 1,
    starting: 2,
    starting_stubbornly: 2,
}
"""Each scene, with the least number of places at which its deed suspends."""


async def play(scene: Scene, place: int, moment: Moment, listening: bool) -> Struck:
    stage = Stage(place, moment, listening)
    await scene(stage)
    assert stage.struck is not None
    await stage.check()
    swallowed = stage.struck.hit and not isinstance(stage.raised, asyncio.CancelledError)
    assert not swallowed, "a cancellation was swallowed"
    return stage.struck


@pytest.mark.parametrize("listening", [False, True], ids=["plain", "listening"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_cancellation_at_any_place_loses_nothing(
    scene: Scene, moment: Moment, listening: bool
) -> None:
    for place in itertools.count(1):
        struck = asyncio.run(play(scene, place, moment, listening))
        if not struck.hit:
            assert place > SCENES[scene], "the scene does not get where it should"
            return
