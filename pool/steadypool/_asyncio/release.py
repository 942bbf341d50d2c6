"""The slow path of a release in asyncio, and maintenance: resetting and closing connections.

Between two awaits no other task runs, so the event loop serves as the core's lock. A connection
that is being reset or closed stays reserved for the task that does so. The core records a release
before the first await, and cancelling `release` does not stop the reset task.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from steadypool._asyncio.connect import AsyncOpener
from steadypool._asyncio.tasks import Tasks, cancel
from steadypool._common.log import PoolLog
from steadypool._core.core import Core
from steadypool._core.entries import ConnectionState, PoolEntry
from steadypool._core.settings import Reset
from steadypool._drivers import async_dbapi as connections
from steadypool.events import CloseReason
from steadypool.protocols import AsyncClock, Waiter


class AsyncReleasing:
    """Resets and closes the connections of one core, on one event loop."""

    def __init__(self, core: Core, clock: AsyncClock, opener: AsyncOpener, log: PoolLog) -> None:
        self._core = core
        self._clock = clock
        self._now = clock.now
        self._opener = opener
        self._log = log
        self._tasks = Tasks(clock)
        self._resets: set[asyncio.Task[object]] = set()
        self._closes: dict[PoolEntry, asyncio.Task[None]] = {}

    # --- releasing -------------------------------------------------------------------------------

    async def finish_release(self, entry: PoolEntry, state: ConnectionState) -> None:
        """Reset or close a returned connection; its slot stays reserved until that is done."""
        if state is ConnectionState.CLOSED:
            self._core.distrust()
        elif state is ConnectionState.READ_ONLY:
            await self.leave_read_only(entry)
        if entry.returning:
            await self._tasks.finish(self._reset_or_discard(entry, state))
        if self._now() >= self._core.tidy_at:
            await self.tidy()

    async def _reset_or_discard(self, entry: PoolEntry, state: ConnectionState) -> None:
        try:
            if entry.reason is None:
                if await self._restored(entry, state):
                    self._core.reset(entry, self._now())
                else:
                    entry.reason = CloseReason.DIRTY
        finally:
            if entry.returning:
                entry.reason = entry.reason or CloseReason.DIRTY
                await self._discard(entry)

    async def _restored(self, entry: PoolEntry, state: ConnectionState) -> bool:
        task = asyncio.current_task()
        assert task is not None
        self._resets.add(task)
        try:
            reset = self._core.settings.reset
            if state is ConnectionState.RECONNECTED and self._opener.keeps(entry.connection):
                state = connections.state(entry.connection)
                if state is ConnectionState.CLEAN and reset is not Reset.SESSION:
                    return True
            if not await connections.restore(entry.connection, state, reset):
                return False
            if reset is Reset.SESSION:
                await self._opener.set_up(entry.connection)  # the reset undid its effect
            return True
        except (Exception, asyncio.CancelledError):  # from a hook, or pool or loop are closing
            return False
        finally:
            self._resets.discard(task)

    async def _discard(self, entry: PoolEntry) -> None:
        try:
            await self._tasks.ended(self._close(entry))
        except asyncio.CancelledError:  # of this task of the pool, which ends at once
            connections.abort(entry.connection)
        finally:
            self._core.freed(entry, self._now())

    def _close(self, entry: PoolEntry) -> asyncio.Task[None]:
        """Start closing a connection, unless its close is already running."""
        task = self._closes.get(entry)
        if task is None:
            task = self._closes[entry] = self._tasks.spawn(connections.close(entry.connection))
            task.add_done_callback(lambda _: self._closes.pop(entry))
        return task

    # --- the pool as a whole ---------------------------------------------------------------------

    async def change(self, apply: Callable[[list[PoolEntry], float], None]) -> None:
        """Apply a change to the core, then close the connections that it removed.

        Cancelling the caller does not stop the closing.
        """
        to_close: list[PoolEntry] = []
        apply(to_close, self._now())
        for task in [self._tasks.spawn(self._discard(entry)) for entry in to_close]:
            await self._tasks.ended(task)

    async def tidy(self) -> None:
        """Close idle connections that are dead, too old or unused for too long."""
        dead = [
            (entry, entry.since)
            for entry in self._core.idle
            if not connections.alive(entry.connection)
        ]
        await self.change(lambda to_close, now: self._core.tidy(dead, to_close, now))

    async def leave_read_only(self, entry: PoolEntry) -> None:
        """Close this connection when it returns, and the idle ones: their server is read-only."""
        emptied = False

        def leave(to_close: list[PoolEntry], now: float) -> None:
            nonlocal emptied
            emptied = self._core.leave_server(entry, to_close, now)

        await self.change(leave)
        if emptied:
            self._log.server_read_only()

    async def drain(self, deadline: float | None) -> None:
        """Wait until every connection is back; at the deadline, abort those still on loan."""
        waiter = self._clock.waiter()
        if self._core.drained(cast(Waiter, waiter)):  # the core only wakes it
            return
        if not await waiter.wait(deadline):
            for entry in self._core.in_use.values():
                connections.abort(entry.connection)

    def stop_resets(self) -> None:
        """Cancel the resets under way; their connections are closed."""
        cancel(self._resets)

    def report_leaks(self) -> None:
        """Log loans longer than `leak_after`, each once."""
        self._log.leaks_suspected(self._core.leaks(self._now()))
