"""A real server with all connections that it may have: it refuses the others with error 1040."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pymysql
import pytest

from poolspec.servers.private import PrivateServer
from steadypool import (
    AsyncConnectionPool,
    Config,
    ConnectionFailedError,
    ConnectionPool,
    Connector,
    PoolTimeoutError,
)

ROOM = 2
CLIENTS, LOANS = 40, 4


@pytest.fixture
def full(server: PrivateServer, config: Config) -> Iterator[None]:
    """Leave room for two connections at the server."""
    server._admin.run("SET GLOBAL max_connections = 10")  # the least that MariaDB has
    taken = []
    with ExitStack() as stack:
        with pytest.raises(pymysql.OperationalError, match="1040"):
            while True:
                taken.append(Connector(config)())
                stack.callback(taken[-1].close)
        for _ in range(ROOM):
            taken.pop().close()
        yield
        server._admin.run("SET GLOBAL max_connections = 512")
        stack.pop_all()
        for connection in taken:
            connection.close()


def pool_of(config: Config, **options: object) -> ConnectionPool:
    settings = {"size": 10, "min_size": 0, "max_overflow": 0, "timeout": 20, "breaker_failures": 1}
    return ConnectionPool(config=config, **(settings | options))  # type: ignore[arg-type]


def test_no_loan_of_a_thread_fails(full: None, config: Config) -> None:
    pool = pool_of(config)

    def client() -> None:
        for _ in range(LOANS):
            with pool as connection:
                connection.query("SELECT SLEEP(0.002)")

    with ThreadPoolExecutor(CLIENTS) as executor:
        for done in [executor.submit(client) for _ in range(CLIENTS)]:
            done.result()
    stats = pool.stats()
    assert (stats.acquired, stats.timeouts) == (CLIENTS * LOANS, 0)
    assert stats.total_connections <= ROOM
    pool.close()


def test_no_loan_of_a_task_fails(full: None, config: Config) -> None:
    async def body() -> None:
        pool = AsyncConnectionPool(
            config=config, size=10, min_size=0, max_overflow=0, timeout=20, breaker_failures=1
        )
        await pool.start()

        async def client() -> None:
            for _ in range(LOANS):
                async with pool as connection, connection.cursor() as cursor:
                    await cursor.execute("SELECT SLEEP(0.002)")

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        stats = pool.stats()
        assert (stats.acquired, stats.timeouts) == (CLIENTS * LOANS, 0)
        assert stats.total_connections <= ROOM
        await pool.close()

    asyncio.run(body())


def test_the_pool_grows_when_the_server_has_room(
    full: None, server: PrivateServer, config: Config
) -> None:
    pool = pool_of(config)
    held = [pool.acquire() for _ in range(ROOM)]
    with pytest.raises(PoolTimeoutError, match="The server is full"):
        pool.acquire(timeout=0.3)
    timer = threading.Timer(0.3, server._admin.run, ["SET GLOBAL max_connections = 512"])
    timer.start()
    held.append(pool.acquire())  # nothing is released
    assert pool.stats().total_connections == ROOM + 1
    timer.join()
    for connection in held:
        pool.release(connection)
    pool.close()


def test_without_a_connection_the_error_says_what_to_do(full: None, config: Config) -> None:
    with ExitStack() as stack:
        for _ in range(ROOM):
            stack.callback(Connector(config)().close)
        pool = pool_of(config)
        for _ in range(2):
            with pytest.raises(ConnectionFailedError, match=r"1040.*raise its limit"):
                pool.acquire(timeout=5)
        assert not pool._core.breaker.is_open
    pool.close()
