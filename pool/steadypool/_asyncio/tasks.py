"""The background tasks of a pool for asyncio.

A caller waits for a task only through a waiter of the clock, so a cancelled caller returns at once.
The task itself either continues or is cancelled explicitly. The pool keeps track of all its tasks
and waits for them when it is closed.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator, Iterable
from typing import Any, TypeVar

from steadypool.protocols import AsyncClock

T = TypeVar("T")


class OutOfTimeError(Exception):
    """The deadline passed before the work was done."""


class Tasks:
    """The tasks of one pool; each is a participant of the pool's clock while it runs."""

    def __init__(self, clock: AsyncClock) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task. An exception that is never retrieved causes no warning."""
        self._clock.enter()
        try:
            task = asyncio.create_task(_StartedWork(work))
        except RuntimeError:  # the event loop has ended
            self._clock.leave()
            work.close()
            raise
        self._running.add(task)
        task.add_done_callback(self._task_ended)
        return task

    def running(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that have not ended."""
        return list(self._running)

    async def ended(self, task: asyncio.Task[Any], deadline: float | None = None) -> bool:
        """Wait for a task; False at the deadline. Cancelling the wait does not cancel the task."""
        if not task.done():
            waiter = self._clock.waiter()
            task.add_done_callback(lambda _: waiter.wake())
            await waiter.wait(deadline)
        return task.done()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do work that continues even if the caller is cancelled."""
        task = self.spawn(work)
        await self.ended(task)
        return task.result()

    async def within(self, work: Awaitable[T], deadline: float | None) -> T:
        """Do work that is cancelled with the caller; at the deadline, raise OutOfTimeError."""
        task = self.spawn(_done(work))
        try:
            if not await self.ended(task, deadline):
                raise OutOfTimeError
        finally:
            task.cancel()
        return task.result()

    async def settle(self, seconds: float) -> None:
        """Wait for all tasks to end, for at most this many seconds."""
        deadline = self._clock.now() + seconds
        while self._clock.now() < deadline:
            others = self._running - {asyncio.current_task()}
            if not others:
                return
            if not await self.ended(others.pop(), deadline):
                return
            await asyncio.sleep(0)  # lets the callbacks of its end run

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved here: a caller that left raises its own
        # Only after the task's waiters have been woken; otherwise time could pass in between.
        asyncio.get_running_loop().call_soon(self._clock.leave)


class _StartedWork(Coroutine[Any, Any, T]):
    """Work that starts even if its task is cancelled before its first turn.

    The cancellation is then raised at the work's first await, so that its `finally` clauses run
    and release everything the work holds.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._has_started = False
        self.results: list[T] = []
        """The result, once there is one."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)  # name and frame, for printing the task

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()

    def send(self, value: Any) -> Any:
        """Start the work, or resume it at its await."""
        self._has_started = True
        try:
            return self._work.send(value)
        except StopIteration as end:
            self.results.append(end.value)
            raise

    def throw(self, error: Any, *details: Any) -> Any:
        """Raise in the work, after starting it if necessary."""
        if not self._has_started:
            self.send(None)
        try:
            return self._work.throw(error, *details)
        except StopIteration as end:
            self.results.append(end.value)
            raise

    def close(self) -> None:
        """Close the work's coroutine."""
        self._work.close()


async def _done(work: Awaitable[T]) -> T:
    return await work


def results_of(task: asyncio.Task[T]) -> list[T]:
    """Return the result of a task that has ended; none if it failed or was cancelled in time.

    asyncio drops the result of a task that is cancelled in its last step. Code that re-enters the
    pool in that step can do so.
    """
    work = task.get_coro()
    return work.results if isinstance(work, _StartedWork) else []


def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel all these tasks."""
    for task in tasks:
        task.cancel()
