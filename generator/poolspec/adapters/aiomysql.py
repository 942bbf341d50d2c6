"""The adapter of aiomysql's pool. It has no timeout; the lab brings one."""

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

import aiomysql

from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import Options
from poolspec.testing import AiomysqlDriver, AsyncioAdapter, Replaced
from poolspec.vocabulary import Capability, ErrorKind

ABLE = "recycle_by_age close_all close drain lazy_start min_size fifo own_blocks line reconnect"
CONNECTS = Replaced("aiomysql.pool")


class AiomysqlControls:
    """The operations of a pool beyond those that every pool has."""

    def connection(self, pool: Any) -> Any:
        return pool.acquire()

    async def drain(self, pool: Any, seconds: float) -> None:
        pool.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await pool.wait_closed()


class AiomysqlAdapter(AsyncioAdapter):
    """Drives an `aiomysql.Pool`. A connection on loan at its close is closed when it returns."""

    name = "aiomysql"
    capabilities = frozenset(map(Capability, ABLE.split()))
    driver = AiomysqlDriver()
    controls = AiomysqlControls()
    errors: ClassVar = {AssertionError: ErrorKind.NOT_BORROWED}

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        return await aiomysql.create_pool(
            minsize=options.get("min_size", 0),
            maxsize=options["size"],
            pool_recycle=options.get("recycle", 0) or -1,
            **CONNECTS(wiring.connect),
        )

    async def acquire(self, pool: Any, timeout: float | None) -> Any:
        return await pool.acquire()

    async def release(self, pool: Any, connection: Any) -> None:
        if connection is not None:
            await pool.release(connection)

    async def close_all(self, pool: Any) -> None:
        await pool.clear()

    async def close(self, pool: Any) -> None:
        pool.close()
        await pool.clear()  # `wait_closed` would wait for the connections on loan

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an exception of the pool means; None for any other exception."""
        is_closed = isinstance(error, RuntimeError) and "after closing pool" in str(error)
        return ErrorKind.CLOSED if is_closed else super().kind_of(error)
