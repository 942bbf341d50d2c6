"""The aiomysql driver on a real server: the reported state of a connection matches the server."""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiomysql
import pymysql
import pytest
from tests.steadypool_aio.context import loop_turns
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
    Config,
    PoolInitializationError,
    Reset,
)
from steadypool._core.entries import ConnectionState
from steadypool._drivers.async_connector import AsyncConnector
from steadypool._drivers.async_dbapi import ping, state
from steadypool._drivers.async_mysql import AsyncConnection

Leave = Callable[[Any], Awaitable[object]]


async def begun(connection: Any) -> None:
    await connection.begin()


async def streamed(connection: Any) -> None:
    async with connection.cursor(aiomysql.SSCursor) as cursor:
        await cursor.execute("SELECT * FROM t")
        await cursor.fetchall()


async def failed(connection: Any) -> None:
    with pytest.raises(pymysql.err.IntegrityError):
        await run(connection, "INSERT INTO t VALUES (1, 1)")


async def committed_and_read_again(connection: Any) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("COMMIT; SELECT * FROM t")
        while await cursor.nextset():
            pass


LEFTOVERS = [write_uncommitted, begun, begin_read, streamed, failed, committed_and_read_again]


@pytest.mark.parametrize("leave", LEFTOVERS)
def test_an_open_transaction_is_detected(config: Config, leave: Leave) -> None:
    async def body() -> None:
        async with pool_on(config) as pool:
            async with pool as connection:
                await leave(connection)
                assert state(connection) is ConnectionState.IN_TRANSACTION
            async with pool as again:
                assert again is connection
                assert state(again) is ConnectionState.CLEAN

    asyncio.run(body())


@pytest.mark.parametrize("leave", LEFTOVERS)
def test_a_plain_aiomysql_connection_is_rolled_back_too(config: Config, leave: Leave) -> None:
    async def connect() -> Any:
        return await aiomysql.connect(
            unix_socket=config.unix_socket,
            user=config.user,
            password=config.password,
            db=config.database,
        )

    async def body() -> None:
        async with pool_on(config, connect=connect) as pool:
            async with pool as connection:
                await leave(connection)
            async with pool as again:
                assert again is connection
                assert not again.get_transaction_status()

    asyncio.run(body())


def test_a_connection_is_clean_after_a_commit(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config) as pool, pool as connection:
            await write_uncommitted(connection)
            await connection.commit()
            assert state(connection) is ConnectionState.CLEAN

    asyncio.run(body())


def test_a_connection_with_autocommit_stays_clean(config: Config) -> None:
    async def body() -> None:
        async with pool_on(replace(config, autocommit=True)) as pool, pool as connection:
            await begin_read(connection)
            assert state(connection) is ConnectionState.CLEAN

    asyncio.run(body())


def test_an_unread_result_drops_the_connection(
    config: Config, server: Server, tenant: Tenant
) -> None:
    async def body() -> None:
        async with pool_on(config) as pool:
            async with pool as connection:
                cursor = await connection.cursor(aiomysql.SSCursor)
                await cursor.execute("SELECT 1 UNION SELECT 2")
                assert state(connection) is ConnectionState.UNREAD
            async with pool as another:
                assert another is not connection
            assert await server_count_becomes(server, tenant, 1)

    asyncio.run(body())


def refuse(text: str) -> object:
    raise LookupError(text)


def test_a_result_that_cannot_be_decoded_drops_the_connection(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config) as pool:
            async with pool as connection:
                connection.decoders = dict.fromkeys(range(256), refuse)
                with pytest.raises(LookupError):
                    await run(connection, "SELECT 1 UNION SELECT 2")
                assert state(connection) is ConnectionState.CLOSED
            async with pool as another:
                assert await run(another, "SELECT 7") == ((7,),)

    asyncio.run(body())


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_statement_still_running_in_another_task_drops_the_connection(
    config: Config, autocommit: bool
) -> None:
    async def body() -> None:
        async with pool_on(replace(config, autocommit=autocommit)) as pool:
            async with pool as connection:
                straggler = asyncio.create_task(run(connection, "SELECT SLEEP(5)"))
                await loop_turns()
                assert state(connection) is ConnectionState.UNREAD
            async with pool as another:
                assert another is not connection
                assert await run(another, "SELECT 7") == ((7,),)
            with pytest.raises(pymysql.OperationalError, match="Lost connection"):
                await straggler

    asyncio.run(body())


def test_a_round_trip_detects_whether_a_connection_answers(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config, validate_after=0) as pool:
            async with pool as connection:
                await ping(connection)
            async with pool as again:
                assert again is connection
                again.abort()
                with pytest.raises(pymysql.err.Error):
                    await ping(again)

    asyncio.run(body())


def test_a_session_reset_clears_variables_and_keeps_the_settings(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config, reset=Reset.SESSION) as pool:
            async with pool as connection:
                await run(connection, "SET @mine = 7, autocommit = 1, NAMES latin1")
            async with pool as again:
                assert again is connection
                found = await run(again, "SELECT @mine, @@autocommit, @@character_set_client")
                assert found == ((None, 0, "utf8mb4"),)

    asyncio.run(body())


def test_a_session_reset_reverts_settings_made_through_methods(
    config: Config,
) -> None:
    async def body() -> None:
        async with pool_on(config, reset=Reset.SESSION) as pool:
            async with pool as connection:
                await connection.autocommit(True)
                await connection.set_charset("latin1")
                await connection.select_db("information_schema")
            async with pool as again:
                assert again is connection
                found = await run(again, "SELECT DATABASE(), @@autocommit, @@character_set_client")
                assert found == ((config.database, 0, "utf8mb4"),)

    asyncio.run(body())


def test_a_transaction_begun_by_a_failing_procedure_is_rolled_back(config: Config) -> None:
    async def body() -> None:
        async with pool_on(replace(config, autocommit=True)) as pool:
            async with pool as connection:
                work = "START TRANSACTION; INSERT INTO t VALUES (2, 0); SIGNAL SQLSTATE '45000';"
                await run(connection, f"CREATE PROCEDURE fail() BEGIN {work} END")
            with pytest.raises(pymysql.MySQLError):
                async with pool as connection:
                    await run(connection, "CALL fail()")
            async with pool as again:
                assert again is connection
                assert await run(again, "SELECT @@in_transaction, COUNT(*) FROM t") == ((0, 1),)

    asyncio.run(body())


def test_required_tls_that_the_server_does_not_offer_is_an_error(config: Config) -> None:
    with pytest.raises(PoolInitializationError, match="offers no TLS"):
        asyncio.run(open_pool(replace(config, tls=True)))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_connection_that_outlives_its_event_loop_is_collected_quietly(
    config: Config, recwarn: pytest.WarningsRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    connection: object = asyncio.run(AsyncConnector(config)())
    del connection
    gc.collect()
    assert unraisable == []


def test_the_connectors_repr_hides_the_password(config: Config) -> None:
    assert config.password not in repr(AsyncConnector(config))


def test_autocommit_follows_the_configuration(config: Config) -> None:
    async def body(wanted: bool) -> None:
        connection = await AsyncConnector(replace(config, autocommit=wanted))()
        assert type(connection) is AsyncConnection
        assert connection.get_autocommit() is wanted
        await connection.pool_close()

    asyncio.run(body(False))
    asyncio.run(body(True))
