"""Pools that are emptied or closed only in part, or lose their options by it."""

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._common.hooks import Hooks
from steadypool._core.core import Core
from steadypool._core.entries import PoolEntry
from steadypool._core.settings import Settings


@noticed_by("errors.close_all_connections")
class CloseAllForgetsOne(Core):
    """Leaves one connection open when it is emptied."""

    def _empty(self, reason: steadypool.CloseReason, to_close: list[PoolEntry]) -> None:
        forgotten = self.idle.pop() if self.idle and not self.is_closed else None
        super()._empty(reason, to_close)
        if forgotten is not None:
            forgotten.generation = self.generation
            self.idle.append(forgotten)


@noticed_by("errors.release_after_close")
class KeepsLoansWhenClosed(Core):
    """Makes a released connection idle although the pool is closed."""

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        super().close(to_close, now)
        for entry in self.in_use.values():
            entry.generation = self.generation


@noticed_by("shutdown.close_all_races_with_borrowers")
class KeepsLoansWhenEmptied(Core):
    """Closes idle connections when it is emptied, but not those on loan at their release."""

    def clear(self, to_close: list[PoolEntry], now: float) -> None:
        super().clear(to_close, now)
        for entry in self.in_use.values():
            entry.generation = self.generation


@noticed_by("shutdown.lifetimes_survive_emptying")
class ForgetsSettingsWhenEmptied(Core):
    """Keeps only its sizes when it is emptied."""

    def clear(self, to_close: list[PoolEntry], now: float) -> None:
        settings = self.settings
        self._apply_settings(Settings(name=settings.name, size=settings.size, limit=settings.limit))
        super().clear(to_close, now)


@noticed_by("shutdown.hooks_survive_emptying")
class ForgetsHooksWhenEmptied(steadypool.ConnectionPool):
    """Opens and hands out unprepared connections after it was emptied."""

    def close_all(self) -> None:
        super().close_all()
        self._opener._hooks = Hooks(None, None)


@noticed_by("shutdown.hooks_survive_emptying")
class AsyncForgetsHooksWhenEmptied(steadypool.AsyncConnectionPool):
    """Opens and hands out unprepared connections after it was emptied."""

    async def close_all(self) -> None:
        await super().close_all()
        self._engine._opener._hooks = Hooks(None, None)


@noticed_by("connection_faults.closing_the_pool_ends_a_hanging_rollback")
class AsyncWaitsForResetsAtClose(AsyncEngine):
    """Leaves a hanging rollback running when it is closed."""

    def stop_resets(self) -> None:
        pass


@noticed_by("shutdown.a_drained_pool_waits_for_its_borrowers")
class AsyncDrainsNothing(AsyncEngine):
    """Interrupts its borrowers at once when it is closed with a drain."""

    async def drain(self, deadline: float | None) -> None:
        await super().drain(self._now())


@noticed_by("lost_loops.a_pool_of_a_stopped_loop_is_closed_at_once")
class AsyncLeavesConnectionsOfLostLoops(steadypool.AsyncConnectionPool):
    """Closes no connection if its event loop does not run."""

    def dispose(self) -> None:
        pass


@noticed_by("lost_loops.a_pool_of_a_running_loop_is_closed_there")
class AsyncIsClosedInItsOwnLoopOnly(steadypool.AsyncConnectionPool):
    """Refuses to be closed in another event loop."""

    async def close(self, drain: float | None = None) -> None:
        if self._loop is not None:
            self._check_caller()
        await super().close(drain)
