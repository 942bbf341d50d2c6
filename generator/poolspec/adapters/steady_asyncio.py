"""Drives steadypool's asyncio concurrency."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import steadypool
from poolspec.adapters.steady_configuration import told
from poolspec.adapters.steady_controls import health_of, loans_of
from poolspec.adapters.steady_mapping import CAPABILITIES as THREADS_CAPABILITIES
from poolspec.adapters.steady_mapping import LOGS, THREADS_ONLY, kind_of
from poolspec.adapters.steady_scripted_asyncio import AsyncSteadyForeign
from poolspec.adapters.steady_wiring import config_of, listeners, watched
from poolspec.invariants.connection import ScriptedLink
from poolspec.lab.aio.clock import AsyncClock, RealAsyncClock
from poolspec.lab.aio.contract import AsyncWiring, Open
from poolspec.lab.contract import HealthSeen, LoanSeen, Meter, Options, Place
from poolspec.lab.driver import driver_session_state
from poolspec.lab.rows import Row
from poolspec.servers import Tenant
from poolspec.vocabulary import ErrorKind, TimeKind
from steadypool._drivers.async_mysql import AsyncConnection, AsyncConnector
from steadypool.testing_aio import AsyncVirtualClock


class AsyncSteadyControls:
    """Passes every call on."""

    def transaction(self, pool: steadypool.AsyncConnectionPool) -> AbstractAsyncContextManager[Any]:
        """Borrow for a unit of work."""
        return pool.transaction()

    async def resize(
        self, pool: steadypool.AsyncConnectionPool, size: int | None, max_overflow: int | None
    ) -> None:
        """Change the pool's limits."""
        await pool.resize(size, max_overflow)

    async def suspend(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Hand out nothing."""
        pool.suspend()

    async def resume(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Hand out again."""
        pool.resume()

    async def maintain(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Do the housekeeping."""
        await pool.maintain()

    def loans(self, pool: steadypool.AsyncConnectionPool) -> list[LoanSeen]:
        """Return the pool's own list."""
        return loans_of(pool)

    @asynccontextmanager
    async def keep(
        self, pool: steadypool.AsyncConnectionPool, interval: float
    ) -> AsyncIterator[None]:
        """Give the pool a housekeeper of its own."""
        async with steadypool.AsyncHousekeeper(interval) as keeper:
            keeper.watch(pool)
            yield

    async def drain(self, pool: steadypool.AsyncConnectionPool, seconds: float) -> None:
        """Close, waiting for what is on loan."""
        await pool.close(seconds)

    async def health(self, pool: steadypool.AsyncConnectionPool) -> HealthSeen:
        """Return the pool's own verdict."""
        return health_of(await pool.health())


class AsyncSteadypoolAdapter:
    """Passes every call on."""

    name = "steadypool"
    capabilities = THREADS_CAPABILITIES - THREADS_ONLY
    pool_class: type[steadypool.AsyncConnectionPool] = steadypool.AsyncConnectionPool

    controls = AsyncSteadyControls()
    foreign = AsyncSteadyForeign()
    logs = LOGS

    def meter(self) -> Meter:
        """Make what monitors one pool."""
        from poolspec.adapters.steady_metrics import SteadyMeter

        return SteadyMeter()

    def clock(self, time: TimeKind) -> AsyncClock:
        """Return a virtual clock, which the pool will share, or the event loop's."""
        if time is TimeKind.VIRTUAL:
            return AsyncVirtualClock()
        return RealAsyncClock()

    def opener(self, tenant: Tenant) -> Open:
        """Return steadypool's own connector, so that its driver is what runs."""
        return AsyncConnector(config_of(tenant))

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        """Make a pool and start it."""
        pool = await self.pool_class.open(**options, **_tied(wiring))
        return watched(pool, wiring)

    async def open(self, options: Options, place: Place, wiring: AsyncWiring) -> Any:
        """Make a pool that connects by its configuration, and start it."""
        with told(place, options) as given:
            made = {**_tied(wiring), "connect": None, **given}
            pool = self.pool_class(**made)
        return watched(await pool.start(), wiring)

    async def acquire(self, pool: steadypool.AsyncConnectionPool, timeout: float | None) -> Any:
        """Borrow a connection."""
        return await pool.acquire(timeout)

    async def release(self, pool: steadypool.AsyncConnectionPool, connection: Any) -> None:
        """Give a connection back."""
        await pool.release(connection)

    def block(self, pool: steadypool.AsyncConnectionPool) -> AbstractAsyncContextManager[Any]:
        """Return the pool itself."""
        return pool

    def stats(self, pool: steadypool.AsyncConnectionPool) -> Mapping[str, int]:
        """Return the pool's figures."""
        return pool.get_stats()

    async def close_all(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Empty the pool."""
        await pool.close_all()

    async def close(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Close the pool."""
        await pool.close()

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Say what an exception means."""
        return kind_of(error)

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""
        return cast(int, connection.thread_id())

    def session_state(self, connection: Any) -> str:
        """Say what of its last use still clings to a connection."""
        if isinstance(connection, ScriptedLink):
            return connection.session_state()
        return driver_session_state(connection)

    def watch(self, connection: Any, gone: Callable[[], None]) -> None:
        """Call `gone` when the connection was closed, politely or not."""
        if isinstance(connection, ScriptedLink):
            connection.when_gone(gone)
        elif isinstance(connection, AsyncConnection):
            watch_own(connection, gone)
        else:
            watch_plain(connection, gone)

    def end(self, connection: Any) -> None:
        """Close a connection's socket without ado."""
        if isinstance(connection, ScriptedLink):
            connection.end()
        else:
            connection.close()

    async def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows; of a scripted connection, none."""
        if isinstance(connection, ScriptedLink):
            await connection.execute()
            return []
        async with connection.cursor() as cursor:
            await cursor.execute(sql, params or None)
            return [tuple(row) for row in await cursor.fetchall()]

    async def change_one(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and look at its count of rows."""
        async with connection.cursor() as cursor:
            await cursor.execute(sql, params or None)
            steadypool.expect_one(cursor)

    async def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and read none of its rows."""
        async with connection.cursor() as cursor:
            statement = cursor.mogrify(sql, params or None)
        await connection.query(statement, unbuffered=True)

    async def commit(self, connection: Any) -> None:
        """Commit the connection's transaction."""
        await connection.commit()


def _tied(wiring: AsyncWiring) -> dict[str, Any]:
    """Return the options that tie a pool into its test."""
    tied: dict[str, Any] = {"connect": wiring.connect, "listeners": listeners(wiring)}
    if wiring.time is TimeKind.VIRTUAL:
        tied["clock"] = wiring.clock  # in real time the pool brings its own
    return tied


def watch_own(connection: AsyncConnection, gone: Callable[[], None]) -> None:
    """Call `gone` when a connection of steadypool's driver was closed, politely or not."""
    close, abort = connection.pool_close, connection.abort

    async def close_and_tell() -> None:
        try:
            await close()
        finally:
            gone()

    def abort_and_tell() -> None:
        abort()
        gone()

    connection.pool_close = close_and_tell  # type: ignore[method-assign]  # this one is watched
    connection.abort = abort_and_tell  # type: ignore[method-assign]  # this one is watched


def watch_plain(connection: Any, gone: Callable[[], None]) -> None:
    """Call `gone` when a connection of aiomysql was closed."""
    close = connection.close

    def close_and_tell() -> None:
        close()
        gone()

    connection.close = close_and_tell
