"""Sessions from loan to loan in asyncio: reconnects by the driver, modes, and read-only servers."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import aiomysql
import pymysql
import pytest
from tests.steadypool_aio.database import pool_on, run

from poolspec.servers import PrivateServer, Server, Tenant
from steadypool import AsyncConnectionPool, Config, ConnectionFailedError, Reset
from steadypool._core.entries import ConnectionState
from steadypool._drivers.async_dbapi import state
from steadypool.testing_aio import AsyncVirtualClock

Connect = Callable[[], Any]


@pytest.fixture
def plain(tenant: Tenant) -> Connect:
    """Opens connections of aiomysql itself."""

    async def connect() -> Any:
        return await aiomysql.connect(
            unix_socket=tenant.address.unix_socket,
            user=tenant.user,
            password=tenant.password,
            db=tenant.database,
        )

    return connect


async def mark(connection: Any) -> None:
    await run(connection, "SET @set_up = 1")


async def is_set_up(connection: Any) -> bool:
    return bool(await run(connection, "SELECT @set_up = 1") == ((1,),))


@contextmanager
def read_only(server: Server) -> Iterator[None]:
    assert isinstance(server, PrivateServer)
    server.refuse_writes(True)
    try:
        yield
    finally:
        server.refuse_writes(False)


# --- reconnects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["own", "plain"])
@pytest.mark.parametrize("reset", Reset)
def test_the_next_borrower_of_a_reconnected_connection_gets_one_that_is_set_up(
    config: Config, server: Server, tenant: Tenant, plain: Connect, driver: str, reset: Reset
) -> None:
    way: dict[str, Any] = {"config": config} if driver == "own" else {"connect": plain}

    async def body() -> None:
        pool = await AsyncConnectionPool.open(
            size=1, max_overflow=0, setup=mark, reset=reset, **way
        )
        async with pool as connection:
            await asyncio.to_thread(server.kill_connection, connection.thread_id())
            await connection.ping(reconnect=True)
            assert not await is_set_up(connection)
        async with pool as connection:
            assert await is_set_up(connection)
            assert server.connection_ids(tenant) == {connection.thread_id()}
        await pool.close()
        assert pool.stats().total_connections == 0

    asyncio.run(body())


def test_a_reconnected_connection_stays_in_a_pool_without_setup(
    config: Config, server: Server
) -> None:
    async def body() -> None:
        async with pool_on(config) as pool:
            async with pool as first:
                await asyncio.to_thread(server.kill_connection, first.thread_id())
                await first.ping(reconnect=True)
                await run(first, "UPDATE t SET n = 1")
            async with pool as second:
                assert second is first
                assert await run(second, "SELECT n FROM t") == ((0,),)
            assert pool.stats().created == 1

    asyncio.run(body())


@pytest.mark.parametrize("reset", Reset)
def test_a_session_that_the_borrower_reset_is_noticed(config: Config, reset: Reset) -> None:
    async def body() -> None:
        async with pool_on(config, setup=mark, reset=reset) as pool:
            async with pool as connection:
                await connection.reset_session()
                assert not await is_set_up(connection)
            async with pool as connection:
                assert await is_set_up(connection)

    asyncio.run(body())


def test_a_session_reset_keeps_the_connection_and_sets_it_up(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config, setup=mark, reset=Reset.SESSION) as pool:
            for _ in range(3):
                async with pool as connection:
                    assert await is_set_up(connection)
            assert pool.stats().created == 1

    asyncio.run(body())


class Numbered:
    """A connection of some driver that reconnects behind the pool's back."""

    def __init__(self) -> None:
        self.connection_id = 1

    def rollback(self) -> None:
        """End nothing."""

    def close(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize("reset", Reset)
def test_a_reconnect_of_any_driver_shows_in_the_number_at_the_server(reset: Reset) -> None:
    async def connect() -> Numbered:
        return Numbered()

    async def body() -> None:
        pool = await AsyncConnectionPool.open(size=1, max_overflow=0, connect=connect, reset=reset)
        async with pool as first:
            pass
        async with pool as again:
            assert again is first
            again.connection_id = 2
        async with pool as second:
            assert second is not first
        await pool.close()

    asyncio.run(body())


def test_a_cancelled_release_to_a_read_only_server_loses_no_slot(
    config: Config, server: Server
) -> None:
    async def body() -> None:
        async with pool_on(config, size=3) as pool:
            held = await pool.acquire()
            with read_only(server), suppress(pymysql.Error):
                await run(held, "UPDATE t SET n = 1")
            release = asyncio.create_task(pool.release(held))
            await asyncio.sleep(0)
            release.cancel()
            with suppress(asyncio.CancelledError):
                await release
            borrowed = [await pool.acquire() for _ in range(3)]
            for connection in borrowed:
                await pool.release(connection)
            stats = pool.stats()
            assert (stats.in_use, stats.created - stats.closed) == (0, 3)

    asyncio.run(body())


def test_a_session_reset_restores_the_first_settings_after_a_reconnect(config: Config) -> None:
    async def body() -> None:
        async with pool_on(config, reset=Reset.SESSION) as pool:
            async with pool as first:
                await first.autocommit(True)
                await first._connect()
            async with pool as second:
                assert second is first
                assert await run(second, "SELECT @@autocommit") == ((0,),)

    asyncio.run(body())


def test_a_reconnected_connection_has_the_same_time_limits(config: Config) -> None:
    async def body() -> None:
        async with pool_on(replace(config, query_timeout=0.2)) as pool, pool as connection:
            await connection._connect()
            with pytest.raises(pymysql.err.OperationalError, match=r"no answer .* within 0.2 s"):
                await run(connection, "SELECT SLEEP(5)")

    asyncio.run(body())


def test_a_reconnect_to_a_silent_server_ends_at_the_connect_timeout(
    config: Config, server: Server
) -> None:
    assert isinstance(server, PrivateServer)

    async def body() -> None:
        async with pool_on(replace(config, connect_timeout=0.2)) as pool:
            async with pool as connection:
                server.pause()
                try:
                    with pytest.raises(pymysql.err.OperationalError, match="not signed in"):
                        await connection._connect()
                finally:
                    server.resume()
            assert pool.stats().total_connections == 0

    asyncio.run(body())


@pytest.mark.parametrize("hook", ["setup", "on_acquire"])
@pytest.mark.parametrize("driver", ["own", "plain"])
def test_a_hook_that_reconnects_each_time_is_refused(
    config: Config, plain: Connect, hook: str, driver: str
) -> None:
    async def reconnect(connection: Any) -> None:
        connection.close()
        await connection.ping(reconnect=True)

    way: dict[str, Any] = {"config": config} if driver == "own" else {"connect": plain}

    async def body() -> None:
        hooks: dict[str, Any] = {"setup": mark, hook: reconnect}
        pool = await AsyncConnectionPool.open(size=1, max_overflow=0, min_size=0, **hooks, **way)
        with pytest.raises(ConnectionFailedError, match="do not let the hook reconnect"):
            await pool.acquire()
        assert pool.stats().total_connections == 0
        await pool.close()

    asyncio.run(body())


def test_setup_runs_once_more_if_the_driver_reconnects_in_it(
    config: Config, server: Server
) -> None:
    calls = []

    async def setup(connection: Any) -> None:
        await mark(connection)
        calls.append(connection)
        if len(calls) == 1:
            await asyncio.to_thread(server.kill_connection, connection.thread_id())
        await connection.ping(reconnect=True)

    async def body() -> None:
        async with pool_on(config, setup=setup) as pool, pool as connection:
            assert await is_set_up(connection)

    asyncio.run(body())
    assert len(calls) == 2


# --- modes of the next transaction ---------------------------------------------------------------


@pytest.mark.parametrize("autocommit", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "SET TRANSACTION READ ONLY",
        "/* why */ set transaction isolation level serializable, read only",
        "SELECT 1; SET TRANSACTION READ ONLY",
        "SET @@tx_read_only = 1; SELECT 1",
        "EXECUTE IMMEDIATE CONCAT('SET TRANS', 'ACTION READ ONLY')",
    ],
)
def test_a_mode_for_the_next_transaction_ends_with_the_loan(
    config: Config, statement: str, autocommit: bool
) -> None:
    async def body() -> None:
        async with pool_on(replace(config, autocommit=autocommit)) as pool:
            async with pool as first, first.cursor() as cursor:
                await cursor.execute(statement)
                while await cursor.nextset():
                    pass
                assert state(first) is ConnectionState.IN_TRANSACTION
            async with pool as second:
                assert second is first
                await run(second, "UPDATE t SET n = 1")

    asyncio.run(body())


def test_a_session_reset_clears_a_mode_that_a_stored_function_set(config: Config) -> None:
    async def body() -> None:
        async with pool_on(replace(config, autocommit=True), reset=Reset.SESSION) as pool:
            async with pool as first:
                await run(
                    first,
                    "CREATE FUNCTION quiet() RETURNS INT "
                    "BEGIN SET TRANSACTION READ ONLY; RETURN 1; END",
                )
                await first.commit()
                await run(first, "SELECT quiet()")
                assert state(first) is ConnectionState.CLEAN
            async with pool as second:
                assert second is first
                await run(second, "UPDATE t SET n = 1")

    asyncio.run(body())


# --- read-only servers ---------------------------------------------------------------------------


@pytest.mark.parametrize("driver", ["own", "plain"])
@pytest.mark.parametrize("way", ["with", "connection", "transaction"])
def test_a_block_leaves_a_read_only_server(
    config: Config, server: Server, plain: Connect, driver: str, way: str
) -> None:
    options: dict[str, Any] = {} if driver == "own" else {"config": None, "connect": plain}

    async def body() -> None:
        async with pool_on(config, size=3) as owner:
            pool = owner
            if options:
                pool = await AsyncConnectionPool.open(size=3, max_overflow=0, **options)
            held = await pool.acquire()
            kinds = {"connection": pool.connection, "transaction": pool.transaction}
            with read_only(server), pytest.raises(LookupError):
                async with kinds.get(way, lambda: pool)() as refused:
                    try:
                        await run(refused, "UPDATE t SET n = 1")
                    except pymysql.Error as error:
                        raise LookupError("not saved") from error
            assert pool.stats().total_connections == 1  # all but the one on loan
            await pool.release(held)
            assert pool.stats().total_connections == 0
            async with pool as another:
                await run(another, "UPDATE t SET n = 1")
            await pool.close()

    asyncio.run(body())


def test_an_on_acquire_hook_that_is_refused_empties_the_pool(
    config: Config, server: Server
) -> None:
    async def prepare(connection: Any) -> None:
        await run(connection, "CREATE TABLE IF NOT EXISTS u (n INT)")

    async def body() -> None:
        pool = await AsyncConnectionPool.open(
            size=3, max_overflow=0, config=config, on_acquire=prepare
        )
        with read_only(server), pytest.raises(pymysql.Error):
            await pool.acquire()
        assert pool.stats().total_connections == 0
        async with pool:
            pass
        await pool.close()

    asyncio.run(body())


def test_on_a_server_that_stays_read_only_the_pool_keeps_its_other_connections(
    config: Config, server: Server
) -> None:
    async def body() -> None:
        async with pool_on(config, size=3, clock=AsyncVirtualClock()) as pool:
            with read_only(server):
                for _ in range(5):
                    held = [await pool.acquire() for _ in range(3)]
                    with suppress(pymysql.Error):
                        await run(held[0], "UPDATE t SET n = 1")
                    for connection in reversed(held):
                        await pool.release(connection)
            # It was emptied three times; then it only closed the connections that were refused.
            assert (pool.stats().created, pool.stats().closed) == (3 * 4 + 1, 3 * 3 + 2)

    asyncio.run(body())
