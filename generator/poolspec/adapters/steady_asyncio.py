"""The adapter of the asyncio form of steadypool."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import steadypool
from poolspec.adapters.steady_configuration import configured
from poolspec.adapters.steady_controls import health_of, loans_of
from poolspec.adapters.steady_driver_asyncio import AsyncSteadyDriver
from poolspec.adapters.steady_mapping import CAPABILITIES as THREADS_CAPABILITIES
from poolspec.adapters.steady_mapping import LOGS, THREADS_ONLY, kind_of
from poolspec.adapters.steady_wiring import listeners, watched
from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.aio.clock import AsyncClock, RealAsyncClock
from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import HealthSeen, LoanSeen, Meter, Options, Place
from poolspec.vocabulary import Capability, ErrorKind, TimeKind
from steadypool.testing_aio import AsyncVirtualClock


class AsyncSteadyControls:
    """The operations on a pool beyond acquire and release."""

    def connection(self, pool: steadypool.AsyncConnectionPool) -> AbstractAsyncContextManager[Any]:
        """Return the context of one loan."""
        return pool.connection()

    def transaction(self, pool: steadypool.AsyncConnectionPool) -> AbstractAsyncContextManager[Any]:
        """Return the context of a unit of work."""
        return pool.transaction()

    async def resize(
        self, pool: steadypool.AsyncConnectionPool, size: int | None, max_overflow: int | None
    ) -> None:
        """Change the pool's limits."""
        await pool.resize(size, max_overflow)

    async def suspend(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Stop handing out connections."""
        pool.suspend()

    async def resume(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Hand out connections again."""
        pool.resume()

    async def maintain(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Do the maintenance."""
        await pool.maintain()

    def expect_one(self, cursor: Any) -> None:
        """Check that the statement changed one row."""
        steadypool.expect_one(cursor)

    def loans(self, pool: steadypool.AsyncConnectionPool) -> list[LoanSeen]:
        """Return the pool's list of loans."""
        return loans_of(pool)

    @asynccontextmanager
    async def keep(
        self, pool: steadypool.AsyncConnectionPool, interval: float
    ) -> AsyncIterator[None]:
        """Run a housekeeper for this pool only."""
        async with steadypool.AsyncHousekeeper(interval) as keeper:
            keeper.watch(pool)
            yield

    async def drain(self, pool: steadypool.AsyncConnectionPool, seconds: float) -> None:
        """Close the pool, and wait for connections on loan."""
        await pool.close(seconds)

    async def health(self, pool: steadypool.AsyncConnectionPool) -> HealthSeen:
        """Return the health that the pool reports."""
        return health_of(await pool.health())


class AsyncSteadypoolAdapter:
    """Drives the asyncio form of steadypool."""

    name = "steadypool"
    keeps_all = True
    capabilities = THREADS_CAPABILITIES - THREADS_ONLY
    pool_class: type[steadypool.AsyncConnectionPool] = steadypool.AsyncConnectionPool

    controls = AsyncSteadyControls()
    driver: AsyncDriver = AsyncSteadyDriver()
    logs = LOGS

    def meter(self) -> Meter:
        """Make the meter of one pool."""
        from poolspec.adapters.steady_metrics import SteadyMeter

        return SteadyMeter()

    def clock(self, time: TimeKind) -> AsyncClock:
        """Return a virtual clock, which the pool shares, or the event loop's."""
        if time is TimeKind.VIRTUAL:
            return AsyncVirtualClock()
        return RealAsyncClock()

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        """Make a pool and start it."""
        pool = await self.pool_class.open(**options, **_tied(wiring))
        return watched(pool, wiring)

    async def open(self, options: Options, place: Place, wiring: AsyncWiring) -> Any:
        """Make a pool that connects by its configuration, and start it."""
        with configured(place, options) as given:
            made = {**_tied(wiring), "connect": None, **given}
            pool = self.pool_class(**made)
        return watched(await pool.start(), wiring)

    async def acquire(self, pool: steadypool.AsyncConnectionPool, timeout: float | None) -> Any:
        """Borrow a connection."""
        return await pool.acquire(timeout)

    async def release(self, pool: steadypool.AsyncConnectionPool, connection: Any) -> None:
        """Release a connection."""
        await pool.release(connection)

    def block(self, pool: steadypool.AsyncConnectionPool) -> AbstractAsyncContextManager[Any]:
        """Return the pool, which is its own context."""
        return pool

    def stats(self, pool: steadypool.AsyncConnectionPool) -> Mapping[str, int]:
        """Return the pool's statistics."""
        return pool.get_stats()

    async def close_all(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Empty the pool."""
        await pool.close_all()

    async def close(self, pool: steadypool.AsyncConnectionPool) -> None:
        """Close the pool."""
        await pool.close()

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return the kind of an exception."""
        return kind_of(error)


def extended() -> type[steadypool.AsyncConnectionPool]:
    """Return a class such as a program has, which overrides the end of a block."""

    class AsyncExtended(steadypool.AsyncConnectionPool):
        async def __aexit__(self, *details: Any) -> None:
            await super().__aexit__(*details)

    return AsyncExtended


class AsyncSilentSteadypoolAdapter(AsyncSteadypoolAdapter):
    """Makes pools without listeners, of a subclass."""

    name = "steadypool-silent"
    capabilities = AsyncSteadypoolAdapter.capabilities - {
        Capability.EVENTS,
        Capability.FAIR_QUEUE,
        Capability.METRICS,
    }
    pool_class = extended()

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        """Make a pool and start it."""
        return await super().create(options, replace(wiring, listen=None))

    async def open(self, options: Options, place: Place, wiring: AsyncWiring) -> Any:
        """Make a pool that connects by its configuration, and start it."""
        return await super().open(options, place, replace(wiring, listen=None))


def _tied(wiring: AsyncWiring) -> dict[str, Any]:
    """Return the options that connect a pool to its test."""
    tied: dict[str, Any] = {"connect": wiring.connect, "listeners": listeners(wiring)}
    if wiring.time is TimeKind.VIRTUAL:
        tied["clock"] = wiring.clock  # in real time the pool has its own
    return tied
