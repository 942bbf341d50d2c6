"""Operations on a steadypool beyond acquire and release, and its own reports."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import steadypool
from poolspec.lab.contract import HealthSeen, LoanSeen


def loans_of(pool: steadypool.ConnectionPool | steadypool.AsyncConnectionPool) -> list[LoanSeen]:
    """Return the loans, the longest first."""
    return [LoanSeen(loan.holder, loan.seconds, loan.where) for loan in pool.loans()]


def health_of(health: steadypool.Health) -> HealthSeen:
    """Return the health that a pool reports, in the lab's types."""
    return HealthSeen(health.status.value, health.reasons, health.stats.as_dict())


class SteadyControls:
    """The operations of the threads form."""

    def connection(self, pool: steadypool.ConnectionPool) -> AbstractContextManager[Any]:
        """Return the context of one loan."""
        return pool.connection()

    def transaction(self, pool: steadypool.ConnectionPool) -> AbstractContextManager[Any]:
        """Return the context of a unit of work."""
        return pool.transaction()

    def resize(
        self, pool: steadypool.ConnectionPool, size: int | None, max_overflow: int | None
    ) -> None:
        """Change the pool's limits."""
        pool.resize(size, max_overflow)

    def suspend(self, pool: steadypool.ConnectionPool) -> None:
        """Stop handing out connections."""
        pool.suspend()

    def resume(self, pool: steadypool.ConnectionPool) -> None:
        """Hand out connections again."""
        pool.resume()

    def maintain(self, pool: steadypool.ConnectionPool) -> None:
        """Do the maintenance."""
        pool.maintain()

    def expect_one(self, cursor: Any) -> None:
        """Check that the statement changed one row."""
        steadypool.expect_one(cursor)

    def loans(self, pool: steadypool.ConnectionPool) -> list[LoanSeen]:
        """Return the pool's list of loans."""
        return loans_of(pool)

    @contextmanager
    def keep(self, pool: steadypool.ConnectionPool, interval: float) -> Iterator[None]:
        """Run a housekeeper for this pool only."""
        with steadypool.Housekeeper(interval) as keeper:
            keeper.watch(pool)
            yield

    def drain(self, pool: steadypool.ConnectionPool, seconds: float) -> None:
        """Close the pool, and wait for connections on loan."""
        pool.close(seconds)

    def health(self, pool: steadypool.ConnectionPool) -> HealthSeen:
        """Return the health that the pool reports."""
        return health_of(pool.health())
