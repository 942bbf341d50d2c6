"""Pools that report wrong figures, or a password."""

from dataclasses import fields, replace
from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._core.core import Core
from steadypool.stats import PoolStats


@noticed_by("statistics.acquire_release_tracking")
class MiscountsReleases(Core):
    """Reports one release too many."""

    def stats(self) -> PoolStats:
        right = super().stats()
        return replace(right, released=right.released + (right.released > 0))


@noticed_by("metrics.connections_are_counted_by_state")
class ReportsOneIdleTooMany(Core):
    """Reports one idle connection too many to its listeners and meters."""

    def gauges(self) -> tuple[int, int, int]:
        idle, waiting, total = super().gauges()
        return idle + 1, waiting, total


def invented(right: steadypool.Health) -> steadypool.Health:
    return replace(right, stats=PoolStats(*[7] * len(fields(PoolStats))))


@noticed_by("self_waits.a_block_that_waits_for_itself")
class ForgetsItsBorrowers(Core):
    """Says at a timeout only that nothing became free."""

    def timeout_error(self, waited: float) -> steadypool.PoolTimeoutError:
        error = super().timeout_error(waited)
        error.name_own_loans = lambda own: None  # type: ignore[method-assign]
        return error


@noticed_by("health.a_pool_with_waiters_is_degraded")
class InventsItsHealth(steadypool.ConnectionPool):
    """Reports the right health with invented figures."""

    def health(self) -> steadypool.Health:
        return invented(super().health())


@noticed_by("health.a_pool_with_waiters_is_degraded")
class AsyncInventsItsHealth(steadypool.AsyncConnectionPool):
    """Reports the right health with invented figures."""

    async def health(self) -> steadypool.Health:
        return invented(await super().health())


@noticed_by("initialization.the_database_is_given_by_options")
class ShowsItsPassword(steadypool.ConnectionPool):
    """Includes its password in its repr."""

    def __repr__(self) -> str:
        config = getattr(self._opener._connect, "_config", None)
        return f"{super().__repr__()} {getattr(config, 'password', '')}"


@noticed_by("initialization.the_database_is_given_by_options")
class AsyncShowsItsPassword(steadypool.AsyncConnectionPool):
    """Includes its password in its repr."""

    def __repr__(self) -> str:
        config = getattr(self._engine._opener._connect, "_config", None)
        return f"{super().__repr__()} {getattr(config, 'password', '')}"


@noticed_by("memory.memory_does_not_grow_with_use")
class RemembersEachBorrower(steadypool.ConnectionPool):
    """Keeps a note of each loan, also after it has ended."""

    def acquire(self, timeout: float | None = None) -> Any:
        self._notes = [*getattr(self, "_notes", ()), object()]
        return super().acquire(timeout)


@noticed_by("memory.memory_does_not_grow_with_timeouts")
class AsyncRemembersEachFailure(steadypool.AsyncConnectionPool):
    """Keeps the error of each acquire that has failed."""

    async def acquire(self, timeout: float | None = None) -> Any:
        try:
            return await super().acquire(timeout)
        except steadypool.PoolTimeoutError as error:
            self._errors = [*getattr(self, "_errors", ()), error.with_traceback(None)]
            raise
