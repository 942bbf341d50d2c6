"""A forked child cannot use its parent's pool, and does no harm to it."""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator

import pytest

from poolspec.servers import ServerKind, start_server
from steadypool import AsyncConnectionPool, Config, WrongLoopError


@pytest.fixture(scope="module")
def config() -> Iterator[Config]:
    server = start_server(ServerKind.EMBEDDED)
    tenant = server.create_tenant()
    yield Config(
        host=tenant.address.host,
        port=tenant.address.port or 3306,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )
    server.stop()


def in_child(check: Callable[[], None]) -> int:
    """Run a check in a forked child; return 0 if it passes."""
    child = os.fork()
    if not child:
        code = 1
        try:
            check()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


async def ask(pool: AsyncConnectionPool) -> int:
    async with pool as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
        (answer,) = await cursor.fetchone()
        return int(answer)


def test_a_child_is_refused_in_any_loop_and_the_parent_continues(config: Config) -> None:
    loop = asyncio.new_event_loop()
    pool = loop.run_until_complete(AsyncConnectionPool.open(size=1, config=config))
    assert loop.run_until_complete(ask(pool)) == 1

    def check() -> None:
        with pytest.raises(WrongLoopError, match="after a fork"):
            asyncio.run(ask(pool))
        with pytest.raises(WrongLoopError, match="after a fork"):
            loop.run_until_complete(ask(pool))

    assert in_child(check) == 0
    assert loop.run_until_complete(ask(pool)) == 1
    assert pool.stats().created == 1
    loop.run_until_complete(pool.close())
    loop.close()


def test_a_child_that_discards_the_pool_leaves_the_parents_connections_open(config: Config) -> None:
    async def main() -> None:
        pools = [await AsyncConnectionPool.open(size=1, config=config)]

        def check() -> None:
            pools.clear()
            gc.collect()

        assert in_child(check) == 0
        async with asyncio.timeout(10):
            assert await ask(pools[0]) == 1
        assert pools[0].stats().created == 1
        await pools[0].close()

    asyncio.run(main())
