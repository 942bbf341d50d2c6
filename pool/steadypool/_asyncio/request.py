"""An acquire of a task: the core's ticket, with a waiter to await."""

import asyncio
from typing import cast

from steadypool._core.entries import AcquireRequest
from steadypool.protocols import AsyncClock, AsyncWaiter, Waiter


class AsyncAcquireRequest(AcquireRequest):
    """A ticket whose holder is a task."""

    __slots__ = ("_clock", "_place")

    def __init__(self, clock: AsyncClock) -> None:
        self._clock = clock
        self._place: AsyncWaiter = clock.waiter()
        super().__init__(cast(Waiter, self._place))  # the core does no more than wake it

    def renew(self) -> None:
        """Take another waiter, before the ticket may be queued again."""
        self._place = self._clock.waiter()
        self.waiter = cast(Waiter, self._place)

    async def wait(self, deadline: float | None) -> bool:
        """Wait to be woken, until the deadline at most."""
        return await self._place.wait(deadline)


def task_name() -> str | None:
    """Return the name of the running task."""
    task = asyncio.current_task()
    return None if task is None else task.get_name()
