"""Interruption points of tasks: every place where a task suspends.

The lab drives the task's coroutine by hand, so it sees each suspension. At the chosen one it
cancels the task, or lets the deadline around it pass; asyncio does the rest.
"""

import asyncio
from collections.abc import Coroutine, Generator
from enum import Enum
from functools import partial
from typing import Any

from poolspec.invariants.defects import Defect, Finding, broken
from poolspec.vocabulary import Interruption

__tracebackhide__ = True  # a failure is shown where the test failed

_SHOWN = 4
"""How many of the coroutines that led to a point are named."""


class Moment(Enum):
    """When, at a point, a task is interrupted."""

    WAITING = "while it waits"
    """The future that it waits for is cancelled too."""
    RESUMING = "as its wait ends"
    """The future that it waits for has just completed, as when a waiter is granted a connection."""
    EVER_AFTER = "while it waits, and in every later wait"
    """Like a cancelled scope of anyio."""


MOMENTS = {
    Interruption.INTERRUPT: tuple(Moment),
    Interruption.TIMEOUT: (Moment.WAITING,),
}
"""The moments for a cancellation, and for a deadline."""


class AsyncPoint:
    """An `async with` block that is interrupted at its n-th suspension (from 1), if any."""

    def __init__(self, number: int, moment: Moment, by: Interruption) -> None:
        self._number = number
        self._moment = moment
        self._limit = asyncio.timeout(None) if by is Interruption.TIMEOUT else None
        self._task: asyncio.Task[Any] | None = None
        self._points = 0
        self.where = ""
        """The point at which it was interrupted; empty if it was not."""

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        if self._limit is not None:
            await self._limit.__aenter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        task, self._task = self._task, None
        assert task is not None
        try:
            return await self._leave(task, kind, error, traceback)
        except TimeoutError:
            return bool(self.where)

    async def _leave(
        self, task: asyncio.Task[Any], kind: Any, error: BaseException | None, traceback: Any
    ) -> bool:
        if self._limit is not None:
            await self._limit.__aexit__(kind, error, traceback)
        else:
            while task.cancelling():
                task.uncancel()
        if self.where and error is None:
            text = f"a cancellation was swallowed: {self.where}"
            broken([Finding(Defect.SWALLOWED_INTERRUPT, text)])
        return bool(self.where) and isinstance(error, asyncio.CancelledError)

    def suspends(self, coroutine: Any, future: "asyncio.Future[Any] | None") -> None:
        """Take a suspension of the task: in this coroutine, for this future."""
        if self._task is None:
            return
        self._points += 1
        again = self._moment is Moment.EVER_AFTER and self._points > self._number
        if self._points == self._number or again:
            self.where = self.where or f"{self._moment.value} in {await_path(coroutine)}"
            self._strike(self._task, future)

    def _strike(self, task: asyncio.Task[Any], future: "asyncio.Future[Any] | None") -> None:
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())
        elif self._moment is Moment.RESUMING and future is not None:
            future.add_done_callback(lambda _: task.cancel())  # runs before the task's own callback
        else:
            task.cancel()


class Driven:
    """Awaits a coroutine, and reports each of its suspensions to a point."""

    def __init__(self, work: Coroutine[Any, Any, None], point: AsyncPoint) -> None:
        self._work = work
        self._point = point

    def __await__(self) -> Generator[Any, Any, None]:
        step = partial(self._work.send, None)
        while True:
            try:
                future = step()
            except StopIteration:
                return
            self._point.suspends(self._work, future)
            try:
                value = yield future
            except BaseException as error:
                step = partial(self._work.throw, error)
            else:
                step = partial(self._work.send, value)


def await_path(coroutine: Any) -> str:
    """Return where a coroutine is suspended, the innermost coroutine first."""
    names: list[str] = []
    while hasattr(coroutine, "cr_await"):
        names.insert(0, coroutine.__qualname__)
        coroutine = coroutine.cr_await
    return " in ".join(names[:_SHOWN])
