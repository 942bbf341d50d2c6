"""Interrupts in a listener, in asyncio: whatever the pool is about, it loses nothing by them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.steadypool.heard import OPTIONS, Heard, Interrupt
from tests.steadypool_aio.context import Bench, play

from steadypool import AsyncConnectionPool, EventKind, PoolEvent, Reset
from steadypool.testing_aio import AsyncScriptedConnection


class Story:
    """What one client does with a pool, at random, while its listener is interrupted."""

    def __init__(self, chance: random.Random, bench: Bench) -> None:
        self.heard = Heard()
        self._chance = chance
        self._bench = bench
        self._fails = False
        self._held: list[AsyncScriptedConnection] = []
        self._pool: Any = None

    async def start(self) -> AsyncConnectionPool:
        """Make the pool."""
        chance = self._chance
        chosen = {name: chance.choice(values) for name, values in OPTIONS.items()}
        self._pool = await self._bench.pool(
            **chosen,
            setup=chance.choice([None, self._hook]),
            on_acquire=chance.choice([None, self._hook]),
            reset=chance.choice([Reset.ROLLBACK, Reset.SESSION]),
            connect_attempts=2,
            breaker_failures=None,
            listeners=[self.heard],
        )
        pool: AsyncConnectionPool = self._pool
        return pool

    async def _hook(self, connection: Any) -> None:
        await connection.execute()
        if self._fails:
            self._fails = False
            raise ValueError

    async def step(self) -> None:
        """Do one thing, all that it may raise included."""
        deeds: list[Callable[[], Awaitable[object]]] = [
            self._acquire,
            self._acquire,
            self._release,
            self._release,
            self._leave,
            self._pool.clear,
            lambda: self._pool.resize(self._chance.randint(1, 3)),
            self._pool.maintain,
            self._pool.health,
            self._suspend,
            self._spoil,
        ]
        await self._bench.clock.sleep(self._chance.choice([0.05, 0.05, 1.0, 3.0]))
        self.heard.arm(self._chance.randint(0, 3), self._chance.choice([0, 1, 1, 2, 99]))
        with suppress(Interrupt, Exception):
            await self._chance.choice(deeds)()
        self.heard.arm(0, 0)
        for _ in range(20):  # for what goes on in the pool's own tasks
            await asyncio.sleep(0)
        self._pool._interrupts.kept.clear()  # the next step is to begin anew

    async def _acquire(self) -> None:
        self._held.append(await self._pool.acquire(timeout=0.3))

    async def _release(self) -> None:
        if self._held:
            await self._pool.release(self._held.pop(self._chance.randrange(len(self._held))))

    async def _leave(self) -> None:
        """Be cancelled while asking."""
        task = asyncio.create_task(self._pool.acquire(timeout=0.3))
        for _ in range(self._chance.randint(0, 3)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            self._held.append(task.result())

    async def _suspend(self) -> None:
        try:
            self._pool.suspend()
        finally:
            self._pool.resume()

    async def _spoil(self) -> None:
        """Let something go wrong that is to come."""
        kind = self._chance.randrange(3)
        if kind == 0:
            self._fails = True
        elif kind == 1:
            self._bench.connect.then(OSError("refused"))
        else:
            connection = self._chance.choice(self._bench.connect.opened)
            if not connection.closed:
                connection.die()


@pytest.mark.parametrize("seed", range(120))
def test_interrupted_listeners_cost_nothing(seed: int) -> None:
    async def body(bench: Bench) -> None:
        story = Story(random.Random(seed), bench)
        pool = await story.start()
        for _ in range(40):
            await story.step()
            story.heard.check(pool, bench.connect.opened)

    play(body)


@pytest.mark.parametrize("seed", range(60))
def test_interrupted_listeners_cost_many_clients_nothing(seed: int) -> None:
    chance = random.Random(seed)
    heard = Heard()

    async def body(bench: Bench) -> None:
        options = {name: chance.choice(values) for name, values in OPTIONS.items()}
        pool = await bench.pool(**options, breaker_failures=None, listeners=[heard])

        async def client() -> None:
            for _ in range(15):
                with suppress(Interrupt, Exception):
                    await borrow()

        async def borrow() -> None:
            connection = await pool.acquire(timeout=chance.choice([0, 0.3, 5]))
            try:
                await bench.clock.sleep(chance.choice([0, 0.1, 0.6]))
                spoil(connection)
            finally:
                await pool.release(connection)

        def spoil(connection: AsyncScriptedConnection) -> None:
            if chance.random() < 0.2:
                heard.arm(chance.randint(0, 4), chance.choice([1, 1, 2, 9]))
            if chance.random() < 0.1:
                connection.die()
            if chance.random() < 0.2:
                bench.connect.then(OSError("refused"))

        await bench.join(*await bench.start(*(client() for _ in range(6))))
        heard.arm(0, 0)
        for _ in range(20):
            await asyncio.sleep(0)
        heard.check(pool, bench.connect.opened)
        assert pool.stats().in_use == 0
        pool._interrupts.kept.clear()  # whom no client was left to take

    play(body)


def test_what_a_hook_began_for_an_interrupted_borrower_is_nobodys() -> None:
    async def begin(connection: AsyncScriptedConnection) -> None:
        await connection.execute()

    def interrupt(event: PoolEvent) -> None:
        if event.kind is EventKind.CHECKED_OUT and event.connection == 1:
            raise Interrupt

    async def body(bench: Bench) -> None:
        pool = await bench.pool(on_acquire=begin, listeners=[interrupt])
        with pytest.raises(Interrupt):
            await pool.acquire()
        async with pool as connection:
            assert connection is bench.connect.opened[1]
        assert bench.connect.opened[0].closed

    play(body)


def test_a_start_that_was_interrupted_leaves_nothing_open() -> None:
    def interrupt(event: PoolEvent) -> None:
        if event.kind is EventKind.POOL_CREATED:
            raise Interrupt

    async def body(bench: Bench) -> None:
        with pytest.raises(Interrupt):
            await bench.pool(size=3, listeners=[interrupt])
        (pool,) = bench.pools
        assert pool.closed

    play(body)
