"""What a return costs in asyncio when it is not free, and housekeeping: resetting and closing.

Between two awaits nothing else runs, so the event loop is the core's lock. A connection that is
being reset or closed is a reservation of the task that does so. A return is booked before the first
await, and a cancelled `release` does not stop its task.
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


class AsyncReturns:
    """Works for one core, on one event loop."""

    def __init__(self, core: Core, clock: AsyncClock, opener: AsyncOpener, log: PoolLog) -> None:
        self._core = core
        self._clock = clock
        self._now = clock.now
        self._opener = opener
        self._log = log
        self._tasks = Tasks(clock)
        self._resets: set[asyncio.Task[object]] = set()
        self._closes: dict[PoolEntry, asyncio.Task[None]] = {}

    # --- giving back -----------------------------------------------------------------------------

    async def put_right(self, entry: PoolEntry, state: ConnectionState) -> None:
        """Reset or close a connection that came back; its slot is reserved meanwhile."""
        if state is ConnectionState.CLOSED:
            self._core.distrust()
        if entry.returning:
            await self._tasks.finish(self._put_right(entry, state))
        if self._now() >= self._core.tidy_at:
            await self.tidy()

    async def _put_right(self, entry: PoolEntry, state: ConnectionState) -> None:
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
            if not await connections.restore(entry.connection, state, reset):
                return False
            if reset is Reset.SESSION:
                await self._opener.set_up(entry.connection)  # whose work the reset has undone
            return True
        except (Exception, asyncio.CancelledError):  # a hook's; or pool or loop are being closed
            return False
        finally:
            self._resets.discard(task)

    async def _discard(self, entry: PoolEntry) -> None:
        try:
            await self._tasks.ended(self._close(entry))
        except asyncio.CancelledError:  # of this task, which is the pool's: it ends at once anyway
            connections.abort(entry.connection)
        finally:
            self._core.freed(entry, self._now())

    def _close(self, entry: PoolEntry) -> asyncio.Task[None]:
        """Begin to close a connection, if that has not begun already."""
        task = self._closes.get(entry)
        if task is None:
            task = self._closes[entry] = self._tasks.spawn(connections.close(entry.connection))
            task.add_done_callback(lambda _: self._closes.pop(entry))
        return task

    # --- the pool as a whole ---------------------------------------------------------------------

    async def change(self, move: Callable[[list[PoolEntry], float], None]) -> None:
        """Make a move of the core that dooms connections, and close those.

        That goes on if the caller is cancelled.
        """
        doomed: list[PoolEntry] = []
        move(doomed, self._now())
        for task in [self._tasks.spawn(self._discard(entry)) for entry in doomed]:
            await self._tasks.ended(task)

    async def tidy(self) -> None:
        """Close idle connections that are dead, too old, or unused for too long."""
        dead = [
            (entry, entry.since)
            for entry in self._core.idle
            if not connections.alive(entry.connection)
        ]
        await self.change(lambda doomed, now: self._core.tidy(dead, doomed, now))

    async def drain(self, deadline: float | None) -> None:
        """Wait until all is back in the closed pool; cut off what is on loan at the deadline."""
        waiter = self._clock.waiter()
        if self._core.drained(cast(Waiter, waiter)):  # the core does no more than wake it
            return
        if not await waiter.wait(deadline):
            for entry in self._core.in_use.values():
                connections.abort(entry.connection)

    def stop_resets(self) -> None:
        """Break off the resets under way; their connections are closed."""
        cancel(self._resets)

    def report_leaks(self) -> None:
        """Log loans that last too long, each once."""
        self._log.leaks_suspected(self._core.leaks(self._now()))
