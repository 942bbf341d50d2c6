"""The write timeout ends a statement that the server does not read, for threads and asyncio."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pymysql
import pytest

from poolspec.servers import PrivateServer, Server, ServerError, Tenant
from steadypool import AsyncConnectionPool, Config, ConnectionPool

STATEMENT = f"SELECT LENGTH('{'x' * 8_000_000}')"
"""Larger than the buffers of the system for a server that does not read."""
LIMITS: dict[str, Any] = {"write_timeout": 0.2, "query_timeout": 30}


@pytest.fixture
def config(server: Server) -> Iterator[Config]:
    tenant = server.create_tenant()
    yield configured(tenant)
    with suppress(ServerError):
        server.drop_tenant(tenant)


def configured(tenant: Tenant) -> Config:
    path = tenant.address.unix_socket
    who: dict[str, Any] = {"user": tenant.user, "password": tenant.password}
    return Config(unix_socket=path, database=tenant.database, **who, **LIMITS)


def in_threads(config: Config, pause: Callable[[], None], *, over_tcp: bool = False) -> None:
    pool = ConnectionPool(size=1, config=config)
    try:
        with pool as connection, connection.cursor() as cursor:
            if not over_tcp:  # there, a server that reads gets a buffer as large as the statement
                cursor.execute(STATEMENT)
                assert cursor.fetchall() == ((8_000_000,),)
            pause()
            cursor.execute(STATEMENT)
    finally:
        pool.close()


def in_asyncio(config: Config, pause: Callable[[], None], *, over_tcp: bool = False) -> None:
    async def body() -> None:
        pool = await AsyncConnectionPool.open(size=1, config=config)
        try:
            async with pool as connection, connection.cursor() as cursor:
                if not over_tcp:
                    await cursor.execute(STATEMENT)
                    assert await cursor.fetchall() == ((8_000_000,),)
                pause()
                await cursor.execute(STATEMENT)
        finally:
            assert pool.stats().total_connections == 0
            await pool.close()

    asyncio.run(body())


@pytest.mark.parametrize("run_pool", [in_threads, in_asyncio])
def test_the_write_timeout_ends_a_statement_that_the_server_does_not_read(
    run_pool: Callable[[Config, Callable[[], None]], None], server: Server, config: Config
) -> None:
    assert isinstance(server, PrivateServer)
    began: list[float] = []

    def pause() -> None:
        server.pause()
        began.append(time.monotonic())

    try:
        with pytest.raises(pymysql.OperationalError):
            run_pool(config, pause)
        assert 0.2 <= time.monotonic() - began[0] < 10
    finally:
        server.resume()


def test_cancelling_a_statement_that_the_server_does_not_read_closes_the_connection(
    server: Server, config: Config
) -> None:
    assert isinstance(server, PrivateServer)

    async def body() -> None:
        pool = await AsyncConnectionPool.open(size=1, config=config)
        async with pool as connection, connection.cursor() as cursor:
            server.pause()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await cursor.execute(STATEMENT)
        assert pool.stats().total_connections == 0
        await pool.close()

    try:
        asyncio.run(body())
    finally:
        server.resume()
