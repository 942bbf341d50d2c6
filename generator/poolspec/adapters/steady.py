"""The adapter of steadypool, the bundled pool."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import steadypool
from poolspec.adapters.steady_configuration import configured
from poolspec.adapters.steady_controls import SteadyControls
from poolspec.adapters.steady_driver import SteadyDriver
from poolspec.adapters.steady_mapping import (
    CAPABILITIES,
    LOGS,
    is_installed,
    kind_of,
)
from poolspec.adapters.steady_wiring import listeners, watched
from poolspec.drivers.contract import Driver
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.contract import Controls, Meter, Options, Place, Wiring
from poolspec.lab.threads.clock import Clock, RealClock
from poolspec.vocabulary import Capability, ErrorKind, TimeKind
from steadypool.testing import VirtualClock


class SteadypoolAdapter:
    """Drives the threads form of steadypool."""

    name = "steadypool"
    keeps_all = True
    capabilities = CAPABILITIES
    pool_class: type[steadypool.ConnectionPool] = steadypool.ConnectionPool

    driver: Driver = SteadyDriver()
    logs = LOGS
    _shared: steadypool.ConnectionPool | None = None
    """The default pool, as last returned."""

    @property
    def controls(self) -> Controls:
        """The operations on a pool beyond acquire and release."""
        return SteadyControls()

    @property
    def asyncio(self) -> AsyncPoolAdapter | None:
        """The adapter of the asyncio form; None if its driver is not installed."""
        if not is_installed("aiomysql"):
            return None
        from poolspec.adapters.steady_asyncio import AsyncSteadypoolAdapter

        return AsyncSteadypoolAdapter()

    def meter(self) -> Meter:
        """Make the meter of one pool."""
        from poolspec.adapters.steady_metrics import SteadyMeter

        return SteadyMeter()

    def clock(self, time: TimeKind) -> Clock:
        """Return a virtual clock, which the pool shares, or the real one."""
        if time is TimeKind.VIRTUAL:
            return VirtualClock()
        return RealClock()

    def create(self, options: Options, wiring: Wiring) -> Any:
        """Make a pool."""
        made: dict[str, Any] = {**options, **self._tied(wiring)}
        return watched(self.pool_class(**made), wiring)

    def open(self, options: Options, place: Place, wiring: Wiring) -> Any:
        """Make a pool that connects by its configuration."""
        with configured(place, options) as given:
            made = {**self._tied(wiring), "connect": None, **given}
            return watched(self.pool_class(**made), wiring)

    def global_pool(self, options: Options, wiring: Wiring) -> Any:
        """Return the default pool."""
        self._shared = steadypool.get_global_pool(**options, **self._tied(wiring))
        return watched(self._shared, wiring)

    def acquire(self, pool: steadypool.ConnectionPool, timeout: float | None) -> Any:
        """Borrow a connection."""
        return pool.acquire(timeout)

    def release(self, pool: steadypool.ConnectionPool, connection: Any) -> None:
        """Release a connection."""
        pool.release(connection)

    def block(self, pool: steadypool.ConnectionPool) -> AbstractContextManager[Any]:
        """Return the pool, which is its own context."""
        return pool

    def stats(self, pool: steadypool.ConnectionPool) -> Mapping[str, int]:
        """Return the pool's statistics."""
        return pool.get_stats()

    def close_all(self, pool: steadypool.ConnectionPool) -> None:
        """Empty the pool."""
        pool.close_all()

    def close(self, pool: steadypool.ConnectionPool) -> None:
        """Close the pool. Closing the default pool lets the next request for it make a new one."""
        if pool is self._shared:
            self._shared = None
            steadypool.close_global_pool()
        else:
            pool.close()

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return the kind of an exception."""
        return kind_of(error)

    def _tied(self, wiring: Wiring) -> dict[str, Any]:
        """Return the options that connect a pool to its test."""
        tied: dict[str, Any] = {"connect": wiring.connect, "listeners": listeners(wiring)}
        if wiring.time is TimeKind.VIRTUAL:
            tied["clock"] = wiring.clock  # in real time the pool has its own
        return tied


def extended() -> type[steadypool.ConnectionPool]:
    """Return a class such as a program has, which overrides the end of a block."""

    class Extended(steadypool.ConnectionPool):
        def __exit__(self, *details: Any) -> None:
            super().__exit__(*details)

    return Extended


class SilentSteadypoolAdapter(SteadypoolAdapter):
    """Makes pools without listeners, which run a shorter path of the code, of a subclass."""

    name = "steadypool-silent"
    capabilities = CAPABILITIES - {Capability.EVENTS, Capability.FAIR_QUEUE, Capability.METRICS}
    pool_class = extended()

    @property
    def asyncio(self) -> AsyncPoolAdapter | None:
        """The adapter of the asyncio form, which makes pools of the same kind."""
        if not is_installed("aiomysql"):
            return None
        from poolspec.adapters.steady_asyncio import AsyncSilentSteadypoolAdapter

        return AsyncSilentSteadypoolAdapter()

    def _tied(self, wiring: Wiring) -> dict[str, Any]:
        return {**super()._tied(wiring), "listeners": ()}
