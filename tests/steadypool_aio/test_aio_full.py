"""A full server in asyncio: acquires wait for a connection of the pool, which grows when it can."""

import random
from collections.abc import Awaitable, Callable

import pymysql
import pytest
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import AsyncConnectionPool, ConnectionFailedError, PoolTimeoutError
from steadypool.testing_aio import AsyncScriptedConnection, AsyncScriptedConnector


class FullServer(AsyncScriptedConnector):
    """A server with room for a number of connections."""

    room = 2

    def make(self, number: int) -> AsyncScriptedConnection:
        if sum(not connection.closed for connection in self.opened) >= self.room:
            raise pymysql.OperationalError(1040, "Too many connections")
        return super().make(number)


class FullContext(PoolContext):
    """A pool of six connections at a server with room for two."""

    def __init__(self) -> None:
        super().__init__()
        self.connect: FullServer = FullServer(clock=self.clock)
        self.got: list[str] = []

    async def full(self, **options: object) -> AsyncConnectionPool:
        return await self.pool(**{"size": 6, "min_size": 0, "breaker_failures": 1} | options)

    async def borrow(self, pool: AsyncConnectionPool, keeps: float, name: str) -> None:
        connection = await pool.acquire()
        self.got.append(name)
        await self.clock.sleep(keeps)
        await pool.release(connection)


def test_a_waiter_gets_the_connection_that_returns_or_connects_when_there_is_room() -> None:
    async def body(context: FullContext) -> None:
        pool = await context.full(timeout=30)
        held = [await pool.acquire(), await pool.acquire()]
        tasks = await context.start(*(context.borrow(pool, 1, name) for name in "abcd"))
        await context.clock.sleep(9)
        assert pool.stats().waiting == 4
        assert context.connect.attempts <= 25
        await pool.release(held[0])
        await context.clock.sleep(3)
        assert context.got == ["a", "b", "c"]
        context.connect.room = 3
        await context.join(*tasks)
        assert context.got == ["a", "b", "c", "d"]
        await pool.release(held[1])
        stats = pool.stats()
        assert (stats.acquired, stats.released, stats.timeouts) == (6, 6, 0)
        assert pool._core.breaker.failures == 0

    run(body)


def test_a_cancelled_waiter_passes_on_the_duty_to_look_again() -> None:
    async def body(context: FullContext) -> None:
        pool = await context.full(timeout=30)
        held = [await pool.acquire(), await pool.acquire()]
        tasks = await context.start(*(context.borrow(pool, 0, name) for name in "ab"))
        await context.clock.sleep(3)
        tasks[1].cancel()
        context.connect.room = 3
        await context.join(tasks[0])
        assert context.got == ["a"]
        assert context.clock.now() <= 3.5
        for connection in held:
            await pool.release(connection)

    run(body)


def test_the_error_says_that_the_server_is_full() -> None:
    async def body(context: FullContext) -> None:
        pool = await context.full(connect_attempts=2)
        held = [await pool.acquire(), await pool.acquire()]
        with pytest.raises(PoolTimeoutError, match="The server is full"):
            await pool.acquire(timeout=2)
        for connection in held:
            await pool.release(connection)
        await pool.clear()
        context.connect.room = 0
        with pytest.raises(ConnectionFailedError, match="1040"):
            await pool.acquire(timeout=5)

    run(body)


def test_connects_that_begin_together_wait_for_the_one_that_got_in() -> None:
    async def body(context: FullContext) -> None:
        context.connect.room = 1
        context.connect.then(*[0.1] * 8)
        pool = await context.full(size=8, connect_attempts=1, timeout=60)
        await context.join(*await context.start(*(context.borrow(pool, 1, "x") for _ in range(8))))
        assert (pool.stats().acquired, pool.stats().created) == (8, 1)

    run(body)


@pytest.mark.parametrize("seed", range(5))
def test_no_loan_fails_while_connections_circulate_and_the_room_changes(seed: int) -> None:
    async def body(context: FullContext) -> None:
        chance = random.Random(seed)
        pool = await context.full(timeout=60)

        async def client() -> None:
            for _ in range(8):
                connection = await pool.acquire()
                await context.clock.sleep(chance.random() / 10)
                if chance.random() < 0.2:
                    await connection.close()
                await pool.release(connection)

        held = await pool.acquire()
        tasks = await context.start(*(client() for _ in range(20)))
        for _ in range(20):
            await context.clock.sleep(chance.random() / 4)
            context.connect.room = chance.randint(1, 7)
        await context.join(*tasks)
        await pool.release(held)
        stats = pool.stats()
        assert (stats.acquired, stats.released, stats.timeouts) == (161, 161, 0)

    run(body)


def run(body: Callable[[FullContext], Awaitable[None]]) -> None:
    run_test(body, FullContext)
