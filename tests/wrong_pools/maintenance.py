"""Pools that neglect their maintenance, or leave traces of it."""

from contextlib import suppress

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest


@noticed_by("lifecycle.maintenance_restores_the_minimum")
class ForgetsItsMinimum(Core):
    """Opens its first connections, and does not restore the minimum later."""

    def grow(self, request: AcquireRequest, now: float) -> bool:
        return self.created < self.settings.min_size and super().grow(request, now)


@noticed_by("loans.a_suspected_leak_is_reported_once")
class OverlooksLeaks(Core):
    """Never suspects a leak."""

    def leaks(self, now: float) -> list[steadypool.Loan]:
        return []


@noticed_by("lifecycle.maintenance_leaves_no_transaction")
class LeavesATransactionAfterMaintenance(steadypool.ConnectionPool):
    """Validates idle connections, and does not roll back."""

    def maintain(self) -> None:
        super().maintain()
        for entry in self._core.idle:
            entry.connection.cursor().execute("SELECT 1")


@noticed_by("lifecycle.maintenance_leaves_no_transaction")
class AsyncLeavesATransactionAfterMaintenance(steadypool.AsyncConnectionPool):
    """Validates idle connections, and does not roll back."""

    async def maintain(self) -> None:
        await super().maintain()
        for entry in self._core.idle:
            async with entry.connection.cursor() as cursor:
                await cursor.execute("SELECT 1")


@noticed_by("health.a_health_check_is_not_counted_as_an_acquire")
class AsyncCountsHealthChecks(steadypool.AsyncConnectionPool):
    """Acquires and releases a connection for every health check."""

    async def health(self) -> steadypool.Health:
        with suppress(steadypool.ConnectionPoolError):
            await self.release(await self.acquire())
        return await super().health()
