"""A pool on a real server, with a table of one row."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from poolspec.servers import Server, Tenant
from steadypool import AsyncConnectionPool, Config


@asynccontextmanager
async def pool_on(config: Config, **options: Any) -> AsyncIterator[AsyncConnectionPool]:
    """Open a pool of one connection and create a table with one row."""
    settings: dict[str, Any] = {"size": 1, "max_overflow": 0, "timeout": 10}
    pool = await AsyncConnectionPool.open(config=config, **settings | options)
    try:
        async with pool.transaction() as connection:
            await run(connection, "CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB")
            await run(connection, "INSERT INTO t VALUES (1, 0)")
        yield pool
    finally:
        await pool.close()


async def run(connection: Any, sql: str) -> Any:
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        return await cursor.fetchall()


async def server_count_becomes(server: Server, tenant: Tenant, count: int) -> bool:
    """Wait until the server counts this many connections; False after 10 s."""
    deadline = time.monotonic() + 10
    while len(await asyncio.to_thread(server.connection_ids, tenant)) != count:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


async def write_uncommitted(connection: Any) -> None:
    """Write without a commit."""
    await run(connection, "UPDATE t SET n = n + 1")


async def begin_read(connection: Any) -> None:
    """Read, which begins a transaction."""
    await run(connection, "SELECT * FROM t")


async def open_pool(config: Config) -> None:
    """Open a pool; the tests expect a failure."""
    await AsyncConnectionPool.open(config=config)
