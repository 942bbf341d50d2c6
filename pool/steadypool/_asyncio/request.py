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

    def next_waiter(self) -> Waiter:
        """Create another waiter, with which the request may be queued again."""
        self._async_waiter = self._clock.waiter()
        return cast(Waiter, self._async_waiter)

    async def wait(self, deadline: float | None) -> bool:
        """Wait until woken (True) or until the deadline (False)."""
        return await self._async_waiter.wait(deadline)


def task_name() -> str | None:
    """Return the name of the running task."""
    task = asyncio.current_task()
    return None if task is None else task.get_name()
