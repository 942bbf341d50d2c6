"""What a return costs in asyncio when it is not free, and housekeeping: resetting and closing.

Between two awaits nothing else runs, so the event loop is the core's lock. A connection that is
being reset or closed is a reservation of the task that does so. A return is booked before the first
await, and a cancelled `release` does not stop its task.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from steadypool import aio_connections as connections
from steadypool.aio_opener import AsyncOpener
from steadypool.aio_tasks import Tasks, cancel
from steadypool.core import Core
from steadypool.events import CloseReason
from steadypool.journal import Journal
from steadypool.protocols import AsyncClock, Waiter
from steadypool.rules import Reset
from steadypool.states import ConnectionState, Slot


class AsyncReturns:
    """Works for one core, on one event loop."""

    def __init__(
        self, core: Core, clock: AsyncClock, opener: AsyncOpener, journal: Journal
    ) -> None:
        self._core = core
        self._clock = clock
        self._now = clock.now
        self._opener = opener
        self._journal = journal
        self._tasks = Tasks(clock)
        self._resets: set[asyncio.Task[object]] = set()
        self._closes: dict[Slot, asyncio.Task[None]] = {}

    # --- giving back -----------------------------------------------------------------------------

    async def put_right(self, slot: Slot, state: ConnectionState) -> None:
        """Reset or close a connection that came back; its slot is reserved meanwhile."""
        if state is ConnectionState.CLOSED:
            self._core.distrust()
        if slot.returning:
            await self._tasks.finish(self._put_right(slot, state))
        if self._now() >= self._core.tidy_at:
            await self.tidy()

    async def _put_right(self, slot: Slot, state: ConnectionState) -> None:
        try:
            if slot.reason is None:
                if await self._restored(slot, state):
                    self._core.reset(slot, self._now())
                else:
                    slot.reason = CloseReason.DIRTY
        finally:
            if slot.returning:
                slot.reason = slot.reason or CloseReason.DIRTY
                await self._discard(slot)

    async def _restored(self, slot: Slot, state: ConnectionState) -> bool:
        task = asyncio.current_task()
        assert task is not None
        self._resets.add(task)
        try:
            reset = self._core.rules.reset
            if not await connections.restore(slot.connection, state, reset):
                return False
            if reset is Reset.SESSION:
                await self._opener.set_up(slot.connection)  # whose work the reset has undone
            return True
        except (Exception, asyncio.CancelledError):  # a hook's; or pool or loop are being closed
            return False
        finally:
            self._resets.discard(task)

    async def _discard(self, slot: Slot) -> None:
        try:
            await self._tasks.ended(self._close(slot))
        except asyncio.CancelledError:  # of this task, which is the pool's: it ends at once anyway
            connections.abort(slot.connection)
        finally:
            self._core.freed(slot, self._now())

    def _close(self, slot: Slot) -> asyncio.Task[None]:
        """Begin to close a connection, if that has not begun already."""
        task = self._closes.get(slot)
        if task is None:
            task = self._closes[slot] = self._tasks.spawn(connections.close(slot.connection))
            task.add_done_callback(lambda _: self._closes.pop(slot))
        return task

    # --- the pool as a whole ---------------------------------------------------------------------

    async def change(self, move: Callable[[list[Slot], float], None]) -> None:
        """Make a move of the core that dooms connections, and close those.

        That goes on if the caller is cancelled.
        """
        doomed: list[Slot] = []
        move(doomed, self._now())
        for task in [self._tasks.spawn(self._discard(slot)) for slot in doomed]:
            await self._tasks.ended(task)

    async def tidy(self) -> None:
        """Close idle connections that are dead, too old, or unused for too long."""
        dead = [
            (slot, slot.since) for slot in self._core.idle if not connections.alive(slot.connection)
        ]
        await self.change(lambda doomed, now: self._core.tidy(dead, doomed, now))

    async def drain(self, deadline: float | None) -> None:
        """Wait until all is back in the closed pool; cut off what is on loan at the deadline."""
        waiter = self._clock.waiter()
        if self._core.drained(cast(Waiter, waiter)):  # the core does no more than wake it
            return
        if not await waiter.wait(deadline):
            for slot in self._core.in_use.values():
                connections.abort(slot.connection)

    def stop_resets(self) -> None:
        """Break off the resets under way; their connections are closed."""
        cancel(self._resets)

    def report_leaks(self) -> None:
        """Log loans that last too long, each once."""
        self._journal.leaks_suspected(self._core.leaks(self._now()))
