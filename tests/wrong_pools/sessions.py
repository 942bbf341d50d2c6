"""Pools that leave traces of one borrower for the next, or keep the loan of a failed block."""

from collections.abc import Awaitable
from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._core.entries import ConnectionState, PoolEntry
from steadypool._drivers import async_dbapi, dbapi


@noticed_by("hygiene.uncommitted_work_is_rolled_back")
class NeverRollsBack(steadypool.ConnectionPool):
    """Treats every released connection as clean."""

    def _make_engine(self) -> None:
        super()._make_engine()
        self._engine._rolls_back = False


@noticed_by("hygiene.uncommitted_work_is_rolled_back")
class AsyncNeverRollsBack(AsyncEngine):
    """Treats every released connection as clean."""

    async def _restored(self, entry: PoolEntry, state: ConnectionState) -> bool:
        return True


@noticed_by("hygiene.uncommitted_work_is_rolled_back")
class CommitsOpenTransactions(steadypool.ConnectionPool):
    """Commits what its borrowers left uncommitted."""

    def release(self, connection: Any) -> None:
        if connection is not None and connection.open:
            connection.commit()
        super().release(connection)


@noticed_by("hygiene.uncommitted_work_is_rolled_back")
class AsyncCommitsOpenTransactions(steadypool.AsyncConnectionPool):
    """Commits what its borrowers left uncommitted."""

    async def release(self, connection: Any) -> None:
        if connection is not None and not connection.closed:
            await connection.commit()
        await super().release(connection)


@noticed_by("basics.context_manager_with_a_failing_body")
class KeepsTheLoanOfAFailedBlock(steadypool.ConnectionPool):
    """Releases at the end of a with-block only if the body raised nothing."""

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is None:
            super().__exit__(kind, error, traceback)


@noticed_by("basics.context_manager_with_a_failing_body")
class AsyncKeepsTheLoanOfAFailedBlock(steadypool.AsyncConnectionPool):
    """Releases at the end of a with-block only if the body raised nothing."""

    def __aexit__(self, kind: Any, error: Any, traceback: Any) -> Any:
        return super().__aexit__(kind, error, traceback) if kind is None else _nothing()


async def _nothing() -> None:
    return None


@noticed_by("connection_faults.a_failed_rollback_frees_the_slot_for_a_waiter")
class IgnoresFailedRollbacks(steadypool.ConnectionPool):
    """Keeps a connection although its rollback failed."""

    def _make_engine(self) -> None:
        super()._make_engine()

        def restore(entry: PoolEntry, state: ConnectionState) -> bool:
            return dbapi.roll_back(entry.connection) or True

        self._engine._rolls_back = False
        self._engine._restore = restore  # type: ignore[method-assign]  # wrong on purpose


@noticed_by("connection_faults.a_failed_rollback_frees_the_slot_for_a_waiter")
class AsyncIgnoresFailedRollbacks(AsyncEngine):
    """Keeps a connection although its rollback failed."""

    async def _restored(self, entry: PoolEntry, state: ConnectionState) -> bool:
        return await super()._restored(entry, state) or True


@noticed_by("connection_faults.a_slot_is_freed_only_after_its_connection_is_closed")
class FreesASlotTooEarly(steadypool.ConnectionPool):
    """Frees a slot while its connection is still open."""

    def _make_engine(self) -> None:
        super()._make_engine()
        engine = self._engine

        def discard(entry: PoolEntry) -> None:
            engine._free(entry)
            dbapi.close(entry.connection)

        engine._discard = discard  # type: ignore[method-assign]  # wrong on purpose


@noticed_by("connection_faults.a_slot_is_freed_only_after_its_connection_is_closed")
class AsyncFreesASlotTooEarly(AsyncEngine):
    """Frees a slot while its connection is still open."""

    async def _discard(self, entry: PoolEntry) -> None:
        self._core.freed(entry, self._now())
        await self._tasks.ended(self._close(entry))


@noticed_by("connection_faults.a_slow_rollback_delays_no_other_borrower")
class AsyncRollsBackInTurn(AsyncEngine):
    """Rolls back one connection at a time, and starts no acquire meanwhile."""

    async def _restored(self, entry: PoolEntry, state: ConnectionState) -> bool:
        self._core.suspend(self._now())
        try:
            return await super()._restored(entry, state)
        finally:
            self._core.resume(self._now())


@noticed_by("connection_faults.a_clean_connection_is_released_without_a_round_trip")
class AsyncRollsBackCleanConnections(steadypool.AsyncConnectionPool):
    """Rolls back every released connection, a clean one too."""

    def release(self, connection: Any) -> Awaitable[None]:  # type: ignore[override]  # wrong
        return self._roll_back_and_release(connection)

    async def _roll_back_and_release(self, connection: Any) -> None:
        if connection is not None and async_dbapi.state(connection) is ConnectionState.CLEAN:
            await connection.rollback()
        await super().release(connection)
