"""The asyncio pool on a real server: nothing is lost, and the server's counts agree."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.steadypool_aio.database import (
    begin_read,
    open_pool,
    pool_on,
    run,
    server_count_becomes,
    write_uncommitted,
)

from poolspec.servers import Server, Tenant
from steadypool import (
    AsyncConnectionPool,
    Config,
    PoolInitializationError,
)


def test_a_cancelled_query_drops_its_connection(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config) as pool:

            async def slow() -> None:
                async with pool as connection:
                    borrowed.append(connection)
                    await run(connection, "SELECT SLEEP(5)")

            borrowed: list[Any] = []
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await slow()
            async with pool as another:
                assert await run(another, "SELECT 7") == ((7,),)
            assert another is not borrowed[0]
            assert (pool.stats().closed, pool.stats().total_connections) == (1, 1)

    asyncio.run(body())


def test_a_cancellation_between_queries_keeps_the_connection(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config) as pool:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), pool as connection:
                    await run(connection, "SELECT 1")
                    await asyncio.sleep(5)
            async with pool as again:
                assert again is connection

    asyncio.run(body())


def test_a_connection_killed_by_the_server_is_replaced_before_it_is_handed_out(
    config: Config, server: Server, tenant: Tenant
) -> None:
    async def body() -> None:
        async with pool_on(config, check_after=0) as pool:
            for connection_id in server.connection_ids(tenant):
                server.kill_connection(connection_id)
            assert await server_count_becomes(server, tenant, 0)
            async with pool as connection:
                assert await run(connection, "SELECT 7") == ((7,),)
            assert (pool.stats().created, pool.stats().validation_failures) == (2, 1)

    asyncio.run(body())


def test_the_servers_count_equals_the_pools_count(
    config: Config, server: Server, tenant: Tenant
) -> None:
    async def body() -> None:
        pool = await AsyncConnectionPool.open(size=3, max_overflow=2, config=config)
        assert await server_count_becomes(server, tenant, 3)
        held = [await pool.acquire() for _ in range(5)]
        assert await server_count_becomes(server, tenant, 5)
        for connection in held:
            await pool.release(connection)
        assert await server_count_becomes(server, tenant, 3)
        await pool.close_all()
        assert await server_count_becomes(server, tenant, 0)
        await pool.close()

    asyncio.run(body())


def test_concurrent_tasks_lose_no_write(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config, size=3) as pool:

            async def client() -> None:
                for _ in range(10):
                    async with pool.transaction() as connection:
                        await write_uncommitted(connection)

            await asyncio.gather(*(client() for _ in range(12)))
            async with pool as connection:
                assert await run(connection, "SELECT n FROM t") == ((120,),)
            stats = pool.stats()
            assert (stats.acquired - stats.released, stats.total_connections) == (1 - 1, 3)

    asyncio.run(body())


def test_cancelled_clients_lose_no_connection(config: Config) -> None:
    """Each round cancels its clients slightly later than the round before."""

    async def body() -> None:
        async with pool_on(config, size=3, max_overflow=2) as pool:

            async def client() -> None:
                while True:
                    async with pool.transaction() as connection:
                        await begin_read(connection)
                        await write_uncommitted(connection)

            for turn in range(150):
                tasks = [asyncio.create_task(client()) for _ in range(6)]
                await asyncio.sleep(0.0001 * turn)
                for task in tasks:
                    task.cancel()
                for result in await asyncio.gather(*tasks, return_exceptions=True):
                    assert isinstance(result, asyncio.CancelledError)
            held = [await pool.acquire() for _ in range(5)]
            for connection in held:
                assert await run(connection, "SELECT 7") == ((7,),)
                await pool.release(connection)
            stats = pool.stats()
            assert stats.acquired == stats.released
            assert stats.created - stats.closed == stats.pool_size

    asyncio.run(body())


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_a_unit_of_work_is_atomic(config: Config, ends: str) -> None:
    async def body() -> None:
        async with pool_on(config) as pool:
            try:
                async with pool.transaction() as connection:
                    await write_uncommitted(connection)
                    if ends == "badly":
                        raise LookupError
            except LookupError:
                pass
            async with pool as connection:
                assert await run(connection, "SELECT n FROM t") == ((int(ends == "well"),),)

    asyncio.run(body())


def test_a_unit_of_work_begins_a_transaction_in_autocommit_mode(
    config: Config,
) -> None:
    async def body() -> None:
        async with pool_on(replace(config, autocommit=True)) as pool:
            with pytest.raises(LookupError):
                async with pool.transaction() as connection:
                    await write_uncommitted(connection)
                    raise LookupError
            async with pool as connection:
                assert await run(connection, "SELECT n FROM t") == ((0,),)

    asyncio.run(body())


def test_a_wrong_password_is_explained_but_not_shown(config: Config) -> None:
    with pytest.raises(PoolInitializationError, match="refused user or password") as caught:
        asyncio.run(open_pool(replace(config, password="näht-the-öne")))
    assert "näht-the-öne" not in str(caught.value)


def test_an_unknown_database_is_explained(config: Config) -> None:
    with pytest.raises(PoolInitializationError, match=r"user .*, database 'nowhere'"):
        asyncio.run(open_pool(replace(config, database="nowhere")))
