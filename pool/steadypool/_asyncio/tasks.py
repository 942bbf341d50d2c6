"""The tasks in which a pool for asyncio does what takes long.

A cancelled caller leaves at once: it waits in one way only, on a waiter of the clock. What it
waited for is a task, which goes on or is cancelled by itself. All tasks are known, so that the
pool can wait for them when it is closed.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator, Iterable
from typing import Any, TypeVar

from steadypool.protocols import AsyncClock

T = TypeVar("T")


class OutOfTimeError(Exception):
    """The deadline came first."""


class Tasks:
    """The tasks of one pool, which take part in its clock's time."""

    def __init__(self, clock: AsyncClock) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task. What it raises need not be looked at."""
        self._clock.enter()
        task = asyncio.create_task(_Begun(work))
        self._running.add(task)
        task.add_done_callback(self._left)
        return task

    async def ended(self, task: asyncio.Task[Any], deadline: float | None = None) -> bool:
        """Wait for a task, which goes on if the wait is cancelled; False at the deadline."""
        if not task.done():
            waiter = self._clock.waiter()
            task.add_done_callback(lambda _: waiter.wake())
            await waiter.wait(deadline)
        return task.done()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work that goes on if the caller is cancelled."""
        task = self.spawn(work)
        await self.ended(task)
        return task.result()

    async def within(self, work: Awaitable[T], deadline: float | None) -> T:
        """Do work that is cancelled with the caller, or at the deadline: then OutOfTimeError."""
        task = self.spawn(_done(work))
        try:
            if not await self.ended(task, deadline):
                raise OutOfTimeError
        finally:
            task.cancel()
        return task.result()

    async def settle(self, seconds: float) -> None:
        """Wait for all tasks to end, but no longer than that."""
        deadline = self._clock.now() + seconds
        while self._clock.now() < deadline:
            others = self._running - {asyncio.current_task()}
            if not others:
                return
            if not await self.ended(others.pop(), deadline):
                return
            await asyncio.sleep(0)  # for what its end brings about

    def _left(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # who does not wait for it any more has another one to raise
        # Not before those who wait for it have been woken, or time could pass in between.
        asyncio.get_running_loop().call_soon(self._clock.leave)


class _Begun(Coroutine[Any, Any, T]):
    """Work that begins, even if its task is cancelled before it has had its first turn.

    The cancellation then strikes where the work first waits, so that what it has to give back at
    its end it does give back.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._has_begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)  # its name and its frame, for who prints the task

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()

    def send(self, value: Any) -> Any:
        """Go on, from the beginning or from where it waits."""
        self._has_begun = True
        return self._work.send(value)

    def throw(self, error: Any, *details: Any) -> Any:
        """Raise in it, once it has begun."""
        if not self._has_begun:
            self.send(None)
        return self._work.throw(error, *details)

    def close(self) -> None:
        """End it where it is."""
        self._work.close()


async def _done(work: Awaitable[T]) -> T:
    return await work


def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel them all."""
    for task in tasks:
        task.cancel()
