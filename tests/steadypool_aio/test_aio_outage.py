"""The asyncio pool while its server crashes or pauses, and after its recovery."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pymysql
import pytest
from tests.steadypool_aio.database import pool_on, run

from poolspec.servers.private import PrivateServer
from steadypool import (
    AsyncConnectionPool,
    Config,
    ConnectionPoolError,
    HealthStatus,
    PoolTimeoutError,
)

TIMEOUT = 10.0


async def becomes(holds: Callable[[], Awaitable[bool]]) -> bool:
    deadline = time.monotonic() + TIMEOUT
    while not await holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


class Writer:
    """Inserts numbers and records the committed ones and all errors."""

    def __init__(self, pool: AsyncConnectionPool, number: int) -> None:
        self.committed: list[int] = []
        self.errors: list[BaseException] = []
        self.stopped = False
        self._pool, self._next = pool, number

    async def work(self) -> None:
        while not self.stopped:
            self._next += 1000
            try:
                async with self._pool.transaction() as connection:
                    await run(connection, f"INSERT INTO t VALUES ({self._next}, 0)")
                self.committed.append(self._next)
            except Exception as error:
                self.errors.append(error)
                await asyncio.sleep(0.01)


def test_an_outage_under_load_loses_no_committed_write(
    server: PrivateServer, config: Config
) -> None:
    async def body() -> None:
        async with pool_on(config, size=5, max_overflow=5, timeout=10) as pool:
            writers = [Writer(pool, number + 2) for number in range(20)]
            tasks = [asyncio.create_task(writer.work()) for writer in writers]

            async def unhealthy() -> bool:
                return (await pool.health()).status is HealthStatus.UNHEALTHY

            async def all_wrote_more() -> bool:
                return all(len(w.committed) > n for w, n in zip(writers, done, strict=True))

            done = [0] * len(writers)
            assert await becomes(all_wrote_more)
            await asyncio.to_thread(server.crash)
            assert await becomes(unhealthy)
            await asyncio.to_thread(server.restart)
            done = [len(writer.committed) for writer in writers]
            assert await becomes(all_wrote_more)
            for writer in writers:
                writer.stopped = True
            await asyncio.gather(*tasks)
            assert (await pool.health()).is_healthy
            async with pool as connection:
                rows = {row for (row,) in await run(connection, "SELECT id FROM t")}
            assert all(rows >= set(writer.committed) for writer in writers)
            errors = [error for writer in writers for error in writer.errors]
            assert errors
            kinds = ConnectionPoolError | pymysql.Error
            assert all(isinstance(error, kinds) for error in errors)
            stats = pool.stats()
            assert (stats.in_use, stats.waiting, stats.acquired) == (0, 0, stats.released)

    asyncio.run(body())


def test_a_paused_server_delays_no_acquire_beyond_its_timeout(
    server: PrivateServer, config: Config
) -> None:
    async def body() -> None:
        async with pool_on(config, size=2, min_size=0, max_overflow=0) as pool:
            await pool.clear()
            server.pause()
            try:
                began = time.monotonic()
                with pytest.raises(PoolTimeoutError):
                    await pool.acquire(timeout=0.2)
                assert time.monotonic() - began < 2
            finally:
                server.resume()
            async with pool as connection:
                assert await run(connection, "SELECT 7") == ((7,),)

    asyncio.run(body())
