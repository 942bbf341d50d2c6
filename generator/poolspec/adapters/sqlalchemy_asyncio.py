"""The adapter of SQLAlchemy for asyncio: an AsyncEngine with its pool, over aiomysql."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import Options
from poolspec.testing import AiomysqlDriver, AsyncioAdapter
from poolspec.vocabulary import Capability, ErrorKind

ABLE = "overflow recycle_by_age timeout close_all lazy_start lifo fifo validation line reconnect"


class Borrowed:
    """A connection on loan. Its statements run on the driver's connection, outside greenlets."""

    def __init__(self, proxy: Any) -> None:
        self.proxy = proxy

    def __getattr__(self, name: str) -> Any:
        return getattr(self.proxy.driver_connection, name)


class SqlalchemyAsyncioAdapter(AsyncioAdapter):
    """Drives an AsyncEngine, which has a new pool after each `dispose`."""

    name = "sqlalchemy-asyncio"
    capabilities = frozenset(map(Capability, ABLE.split()))
    driver = AiomysqlDriver()
    modules = ("sqlalchemy.pool.base",)
    errors: ClassVar = {exc.TimeoutError: ErrorKind.TIMEOUT}

    async def create(self, options: Options, wiring: AsyncWiring) -> AsyncEngine:
        return create_async_engine(
            "mysql+aiomysql://",
            async_creator=wiring.connect,
            pool_size=options["size"],
            max_overflow=options["max_overflow"],
            pool_timeout=options["timeout"],
            pool_recycle=options.get("recycle", 0) or -1,
            pool_use_lifo=options.get("order") != "fifo",
            pool_pre_ping="validate_after" in options,
            _initialize=False,  # no statements of its own at the first connect
        )

    async def acquire(self, pool: AsyncEngine, timeout: float | None) -> Borrowed:
        return Borrowed(await pool.raw_connection())

    async def release(self, pool: AsyncEngine, connection: Borrowed | None) -> None:
        if isinstance(connection, Borrowed):
            await greenlet_spawn(connection.proxy.close)

    @asynccontextmanager
    async def _borrowed(self, pool: AsyncEngine) -> AsyncIterator[Borrowed]:
        connection = await self.acquire(pool, None)
        try:
            yield connection
        finally:  # as the context of an AsyncConnection ends
            await asyncio.shield(self.release(pool, connection))

    def raw(self, connection: Any) -> Any:
        return connection.proxy.driver_connection

    async def close_all(self, pool: AsyncEngine) -> None:
        await pool.dispose()

    close = close_all
