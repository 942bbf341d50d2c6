"""Cutting short what a task does, at every point where it suspends, one after the other.

The coroutine of the task is driven by hand, so that each of its suspensions is seen; at the chosen
one its task is cancelled, or the deadline around it passes. Both are asyncio's own doing.
"""

import asyncio
from collections.abc import Coroutine, Generator
from enum import Enum
from functools import partial
from typing import Any

from poolspec.vocabulary import Interruption

__tracebackhide__ = True  # a failure is shown where the test failed

_SHOWN = 4
"""How many of the coroutines that led to a point are told."""


class Moment(Enum):
    """When, at a point, a task is cut short."""

    WAITING = "while it waits"
    """What it waits for is cancelled too."""
    RESUMING = "as its wait ends"
    """What it waits for has just come true, as with a waiter at the moment of his grant."""
    EVER_AFTER = "while it waits, and in every later wait"
    """As a cancelled scope of anyio does."""


MOMENTS = {
    Interruption.INTERRUPT: tuple(Moment),
    Interruption.TIMEOUT: (Moment.WAITING,),
}
"""The moments that there are for a cancellation, and for a deadline."""


class AsyncCut:
    """An `async with` block that is cut short at its n-th suspension (from 1), if there is one."""

    def __init__(self, number: int, moment: Moment, by: Interruption) -> None:
        self._number = number
        self._moment = moment
        self._limit = asyncio.timeout(None) if by is Interruption.TIMEOUT else None
        self._task: asyncio.Task[Any] | None = None
        self._points = 0
        self.where = ""
        """The point at which it was cut short; empty if it was not."""

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
            raise AssertionError(f"a cancellation was swallowed: {self.where}")
        return bool(self.where) and isinstance(error, asyncio.CancelledError)

    def suspends(self, coroutine: Any, future: "asyncio.Future[Any] | None") -> None:
        """Be told of a suspension of the task: in this coroutine, for this future."""
        if self._task is None:
            return
        self._points += 1
        again = self._moment is Moment.EVER_AFTER and self._points > self._number
        if self._points == self._number or again:
            self.where = self.where or f"{self._moment.value} in {told(coroutine)}"
            self._strike(self._task, future)

    def _strike(self, task: asyncio.Task[Any], future: "asyncio.Future[Any] | None") -> None:
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())
        elif self._moment is Moment.RESUMING and future is not None:
            future.add_done_callback(lambda _: task.cancel())  # before the task is told
        else:
            task.cancel()


class Driven:
    """Awaits a coroutine, and tells a cut of each of its suspensions."""

    def __init__(self, work: Coroutine[Any, Any, None], cut: AsyncCut) -> None:
        self._work = work
        self._cut = cut

    def __await__(self) -> Generator[Any, Any, None]:
        step = partial(self._work.send, None)
        while True:
            try:
                future = step()
            except StopIteration:
                return
            self._cut.suspends(self._work, future)
            try:
                value = yield future
            except BaseException as error:
                step = partial(self._work.throw, error)
            else:
                step = partial(self._work.send, value)


def told(coroutine: Any) -> str:
    """Return where a coroutine is suspended, the innermost first."""
    names: list[str] = []
    while hasattr(coroutine, "cr_await"):
        names.insert(0, coroutine.__qualname__)
        coroutine = coroutine.cr_await
    return " in ".join(names[:_SHOWN])
