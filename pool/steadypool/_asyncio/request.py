"""The acquire request of a task: the core's request with a waiter to await."""

import asyncio
from typing import cast

from steadypool._core.entries import AcquireRequest
from steadypool.protocols import AsyncClock, AsyncWaiter, Waiter


class AsyncAcquireRequest(AcquireRequest):
    """An acquire request made by a task."""

    __slots__ = ("_async_waiter", "_clock")

    def __init__(self, clock: AsyncClock) -> None:
        self._clock = clock
        self._async_waiter: AsyncWaiter = clock.waiter()
        super().__init__(cast(Waiter, self._async_waiter))  # the core only wakes it

    def renew(self) -> None:
        """Create a new waiter, so that the request can be queued again."""
        self._async_waiter = self._clock.waiter()
        self.waiter = cast(Waiter, self._async_waiter)

    async def wait(self, deadline: float | None) -> bool:
        """Wait until woken (True) or until the deadline (False)."""
        return await self._async_waiter.wait(deadline)


def task_name() -> str | None:
    """Return the name of the running task."""
    task = asyncio.current_task()
    return None if task is None else task.get_name()
