"""Adapters of steadypool with other choices, for `--pool tests.other_choices.adapters:NAME`.

The pool opens connections on demand, hands out the connection that was idle longest, checks and
retries nothing by default, closes a connection that is released inside a transaction (for threads),
replaces a connection only some time after its age, ignores a second release, and has errors that
say nothing. The adapter claims no capability for any of this.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import steadypool
from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.adapters.steady_asyncio import AsyncSteadypoolAdapter
from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import Options, Wiring
from poolspec.vocabulary import Capability
from steadypool import Order

UNCLAIMED = frozenset(
    {
        Capability.PREFILL,
        Capability.MIN_SIZE,
        Capability.LIFO,
        Capability.LIVENESS,
        Capability.SESSION_RESET,
        Capability.RETRIES,
        Capability.STATISTICS,
        Capability.EVENTS,
        Capability.FAIR_QUEUE,
        Capability.LOGS,
        Capability.HEALTH,
        Capability.METRICS,
        Capability.LEAK_DETECTION,
        Capability.BREAKER,
        Capability.TRANSACTIONS,
        Capability.GLOBAL_POOL,
        Capability.CONFIGURATION,
    }
)
DEFAULTS: Mapping[str, Any] = {
    "min_size": 0,
    "order": Order.FIFO,
    "check_after": None,
    "connect_attempts": 1,
    "breaker_failures": None,
}
LATE = 0.5
"""Seconds after its age at which a connection is replaced."""


def chosen(options: Options) -> dict[str, Any]:
    """Return options with the other choices."""
    made = {**DEFAULTS, **options}
    if made.get("recycle"):
        made["recycle"] = float(made["recycle"]) + LATE
    return made


class OtherAdapter(SteadypoolAdapter):
    """Drives the pool for threads."""

    name = "other-choices"
    keeps_all = False
    capabilities = SteadypoolAdapter.capabilities - UNCLAIMED

    def create(self, options: Options, wiring: Wiring) -> Any:
        """Make a pool."""
        return super().create(chosen(options), wiring)

    def acquire(self, pool: steadypool.ConnectionPool, timeout: float | None) -> Any:
        """Borrow a connection; its errors say nothing."""
        try:
            return super().acquire(pool, timeout)
        except steadypool.ConnectionPoolError as error:
            error.args = ("no",)
            raise

    def release(self, pool: steadypool.ConnectionPool, connection: Any) -> None:
        """Release a connection, once; one that is inside a transaction is closed before."""
        if connection is not None and self.driver.session_state(connection):
            connection.close()
        with suppress(steadypool.NotBorrowedError):
            super().release(pool, connection)

    @property
    def asyncio(self) -> "AsyncOtherAdapter":
        """The adapter for asyncio."""
        return AsyncOtherAdapter()


class AsyncOtherAdapter(AsyncSteadypoolAdapter):
    """Drives the pool for asyncio."""

    name = "other-choices"
    keeps_all = False
    capabilities = AsyncSteadypoolAdapter.capabilities - UNCLAIMED

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        """Make a pool."""
        return await super().create(chosen(options), wiring)

    async def acquire(self, pool: steadypool.AsyncConnectionPool, timeout: float | None) -> Any:
        """Borrow a connection; its errors say nothing."""
        try:
            return await super().acquire(pool, timeout)
        except steadypool.ConnectionPoolError as error:
            error.args = ("no",)
            raise

    async def release(self, pool: steadypool.AsyncConnectionPool, connection: Any) -> None:
        """Release a connection, once."""
        with suppress(steadypool.NotBorrowedError):
            await super().release(pool, connection)
