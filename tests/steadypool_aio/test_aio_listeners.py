"""Interrupts in a listener, in asyncio: they lose nothing at any point of the pool's work."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.steadypool.recorder import OPTIONS, EventRecorder, Interrupt
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import AsyncConnectionPool, EventKind, PoolEvent, Reset
from steadypool.testing_aio import AsyncScriptedConnection


class RandomClient:
    """Random actions of one client on a pool while interrupts occur in its listener."""

    def __init__(self, chance: random.Random, context: PoolContext) -> None:
        self.heard = EventRecorder()
        self._random = chance
        self._bench = context
        self._fails = False
        self._held: list[AsyncScriptedConnection] = []
        self._pool: Any = None

    async def start(self) -> AsyncConnectionPool:
        """Make the pool."""
        chance = self._random
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
        """Perform one random action and suppress its exceptions."""
        actions: list[Callable[[], Awaitable[object]]] = [
            self._acquire,
            self._acquire,
            self._release,
            self._release,
            self._cancel_acquire,
            self._pool.clear,
            lambda: self._pool.resize(self._random.randint(1, 3)),
            self._pool.maintain,
            self._pool.health,
            self._suspend,
            self._cause_failure,
        ]
        await self._bench.clock.sleep(self._random.choice([0.05, 0.05, 1.0, 3.0]))
        self.heard.arm(self._random.randint(0, 3), self._random.choice([0, 1, 1, 2, 99]))
        with suppress(Interrupt, Exception):
            await self._random.choice(actions)()
        self.heard.arm(0, 0)
        for _ in range(20):  # lets the pool's tasks run
            await asyncio.sleep(0)
        self._pool._deferred.pending.clear()  # the next step starts without deferred interrupts

    async def _acquire(self) -> None:
        self._held.append(await self._pool.acquire(timeout=0.3))

    async def _release(self) -> None:
        if self._held:
            await self._pool.release(self._held.pop(self._random.randrange(len(self._held))))

    async def _cancel_acquire(self) -> None:
        """Cancel an acquire."""
        task = asyncio.create_task(self._pool.acquire(timeout=0.3))
        for _ in range(self._random.randint(0, 3)):
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

    async def _cause_failure(self) -> None:
        """Make a later hook, connect or connection fail."""
        kind = self._random.randrange(3)
        if kind == 0:
            self._fails = True
        elif kind == 1:
            self._bench.connect.then(OSError("refused"))
        else:
            connection = self._random.choice(self._bench.connect.opened)
            if not connection.closed:
                connection.die()


@pytest.mark.parametrize("seed", range(120))
def test_interrupts_in_a_listener_lose_nothing(seed: int) -> None:
    async def body(context: PoolContext) -> None:
        client = RandomClient(random.Random(seed), context)
        pool = await client.start()
        for _ in range(40):
            await client.step()
            client.heard.check(pool, context.connect.opened)

    run_test(body)


@pytest.mark.parametrize("seed", range(60))
def test_interrupts_in_a_listener_lose_nothing_with_many_clients(seed: int) -> None:
    chance = random.Random(seed)
    heard = EventRecorder()

    async def body(context: PoolContext) -> None:
        options = {name: chance.choice(values) for name, values in OPTIONS.items()}
        pool = await context.pool(**options, breaker_failures=None, listeners=[heard])

        async def client() -> None:
            for _ in range(15):
                with suppress(Interrupt, Exception):
                    await borrow()

        async def borrow() -> None:
            connection = await pool.acquire(timeout=chance.choice([0, 0.3, 5]))
            try:
                await context.clock.sleep(chance.choice([0, 0.1, 0.6]))
                spoil(connection)
            finally:
                await pool.release(connection)

        def spoil(connection: AsyncScriptedConnection) -> None:
            if chance.random() < 0.2:
                heard.arm(chance.randint(0, 4), chance.choice([1, 1, 2, 9]))
            if chance.random() < 0.1:
                connection.die()
            if chance.random() < 0.2:
                context.connect.then(OSError("refused"))

        await context.join(*await context.start(*(client() for _ in range(6))))
        heard.arm(0, 0)
        for _ in range(20):
            await asyncio.sleep(0)
        heard.check(pool, context.connect.opened)
        assert pool.stats().in_use == 0
        pool._deferred.pending.clear()  # no client is left to raise them in

    run_test(body)


def test_a_transaction_begun_by_a_hook_for_an_interrupted_borrower_is_discarded() -> None:
    async def begin(connection: AsyncScriptedConnection) -> None:
        await connection.execute()

    def interrupt(event: PoolEvent) -> None:
        if event.kind is EventKind.CHECKED_OUT and event.connection == 1:
            raise Interrupt

    async def body(context: PoolContext) -> None:
        pool = await context.pool(on_acquire=begin, listeners=[interrupt])
        with pytest.raises(Interrupt):
            await pool.acquire()
        async with pool as connection:
            assert connection is context.connect.opened[1]
        assert context.connect.opened[0].closed

    run_test(body)


def test_an_interrupted_start_leaves_nothing_open() -> None:
    def interrupt(event: PoolEvent) -> None:
        if event.kind is EventKind.POOL_CREATED:
            raise Interrupt

    async def body(context: PoolContext) -> None:
        with pytest.raises(Interrupt):
            await context.pool(size=3, listeners=[interrupt])
        (pool,) = context.pools
        assert pool.closed

    run_test(body)
