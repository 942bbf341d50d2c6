"""What can be done to a steadypool in its life, and what it says of itself."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import steadypool
from poolspec.lab.contract import HealthSeen, LoanSeen


def loans_of(pool: steadypool.ConnectionPool | steadypool.AsyncConnectionPool) -> list[LoanSeen]:
    """Return what is on loan, the longest loan first."""
    return [LoanSeen(loan.holder, loan.seconds, loan.where) for loan in pool.loans()]


def health_of(health: steadypool.Health) -> HealthSeen:
    """Return a pool's verdict on itself, in the lab's words."""
    return HealthSeen(health.status.value, health.reasons, health.stats.as_dict())


class SteadyControls:
    """Passes every call on."""

    def transaction(self, pool: steadypool.ConnectionPool) -> AbstractContextManager[Any]:
        """Borrow for a unit of work."""
        return pool.transaction()

    def resize(
        self, pool: steadypool.ConnectionPool, size: int | None, max_overflow: int | None
    ) -> None:
        """Change the pool's limits."""
        pool.resize(size, max_overflow)

    def suspend(self, pool: steadypool.ConnectionPool) -> None:
        """Hand out nothing."""
        pool.suspend()

    def resume(self, pool: steadypool.ConnectionPool) -> None:
        """Hand out again."""
        pool.resume()

    def maintain(self, pool: steadypool.ConnectionPool) -> None:
        """Do the housekeeping."""
        pool.maintain()

    def expect_one(self, cursor: Any) -> None:
        """Look at the statement's count of rows."""
        steadypool.expect_one(cursor)

    def loans(self, pool: steadypool.ConnectionPool) -> list[LoanSeen]:
        """Return the pool's own list."""
        return loans_of(pool)

    @contextmanager
    def keep(self, pool: steadypool.ConnectionPool, interval: float) -> Iterator[None]:
        """Give the pool a housekeeper of its own."""
        with steadypool.Housekeeper(interval) as keeper:
            keeper.watch(pool)
            yield

    def drain(self, pool: steadypool.ConnectionPool, seconds: float) -> None:
        """Close, waiting for what is on loan."""
        pool.close(seconds)

    def health(self, pool: steadypool.ConnectionPool) -> HealthSeen:
        """Return the pool's own verdict."""
        return health_of(pool.health())
