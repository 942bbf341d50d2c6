"""Time limits of the aiomysql driver on a real server: for answers, rows and sign-in."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomysql
import pymysql
import pytest
from tests.steadypool_aio.database import (
    pool_on,
    run,
)

from poolspec.servers import PrivateServer, Server
from steadypool import (
    AsyncConnectionPool,
    Config,
    ConnectionFailedError,
)


def test_an_answer_that_takes_too_long_is_an_error_and_drops_the_connection(
    config: Config,
) -> None:
    async def body() -> None:
        async with pool_on(replace(config, query_timeout=0.1)) as pool:
            async with pool as connection:
                with pytest.raises(pymysql.OperationalError, match=r"no answer .* within 0\.1 s"):
                    await run(connection, "SELECT SLEEP(5)")
                with pytest.raises(pymysql.InterfaceError):
                    await connection.rollback()
            async with pool as another:
                assert another is not connection

    asyncio.run(body())


@pytest.mark.parametrize("ask", [("show_warnings",), ("set_charset", "utf8mb4"), ("commit",)])
def test_every_command_has_a_time_limit(
    config: Config, server: Server, ask: tuple[str, ...]
) -> None:
    assert isinstance(server, PrivateServer)

    async def body(server: PrivateServer) -> None:
        async with (
            pool_on(replace(config, query_timeout=0.1)) as pool,
            asyncio.timeout(5),
            pool as connection,
        ):
            server.pause()
            try:
                with pytest.raises(pymysql.OperationalError, match="no answer"):
                    await getattr(connection, ask[0])(*ask[1:])
            finally:
                server.resume()

    asyncio.run(body(server))


def test_a_streamed_result_that_stalls_is_an_error(config: Config) -> None:
    async def body() -> None:
        async with pool_on(replace(config, query_timeout=0.1)) as pool, pool as connection:
            cursor = await connection.cursor(aiomysql.SSCursor)
            await cursor.execute(
                "SELECT REPEAT('x', 20000) UNION ALL SELECT SLEEP(5) UNION ALL SELECT 1"
            )
            with pytest.raises(pymysql.OperationalError, match="no answer"):
                while await cursor.fetchone():
                    pass

    asyncio.run(body())


def test_a_server_that_accepts_and_stays_silent_hits_the_connect_timeout(tmp_path: Path) -> None:
    async def body(path: str) -> None:
        config = Config(unix_socket=path, connect_timeout=0.1)
        options: dict[str, Any] = {"size": 1, "min_size": 0, "connect_attempts": 1}
        pool = await AsyncConnectionPool.open(config=config, **options)
        with pytest.raises(ConnectionFailedError, match=r"mute\.sock.*not signed in within"):
            await pool.acquire()
        await pool.close()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(str(tmp_path / "mute.sock"))
        mute.listen()
        asyncio.run(body(str(tmp_path / "mute.sock")))
