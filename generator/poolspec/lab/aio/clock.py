"""What the lab needs of a clock that tasks wait on, and the real one.

The same rules as for threads hold: tasks wait only through their clock, and whoever starts one
calls `enter` first. All of it belongs to one event loop.
"""

import asyncio
from typing import Protocol

from poolspec.lab.threads.clock import ClockAbortedError


class AsyncWaiter(Protocol):
    """One wait of one task."""

    async def wait(self, deadline: float | None) -> bool:
        """Wait until woken (True) or until the clock reaches `deadline` (False)."""

    def wake(self) -> object:
        """End the wait, or keep it from blocking if it is still to come."""


class AsyncClock(Protocol):
    """Time as the tests see it, in seconds; its zero means nothing."""

    def now(self) -> float:
        """Return the time."""

    def waiter(self) -> AsyncWaiter:
        """Make a waiter for the running task."""

    async def sleep(self, seconds: float) -> None:
        """Let that time pass."""

    def enter(self, n: int = 1) -> None:
        """Announce `n` tasks that are about to run."""

    def leave(self, n: int = 1) -> None:
        """Take back `n` announcements."""

    def abort(self, reason: str) -> None:
        """Give up: every wait, now and later, raises an exception that says why."""


class RealAsyncWaiter:
    """A future that somebody completes."""

    def __init__(self, clock: "RealAsyncClock") -> None:
        self._clock = clock
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self, deadline: float | None) -> bool:
        """Wait until woken (True) or until the deadline has passed (False)."""
        left = None if deadline is None else max(0.0, deadline - self._clock.now())
        self._clock.register(self._future)
        try:
            done, _ = await asyncio.wait([self._future], timeout=left)
        finally:
            self._clock.forget(self._future)
        if done:
            self._future.result()
        return bool(done)

    def wake(self) -> None:
        """End the wait."""
        if not self._future.done():
            self._future.set_result(None)


class RealAsyncClock:
    """The event loop's clock."""

    is_real = True
    """Time passes as it does in the world."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._futures: set[asyncio.Future[None]] = set()
        self._reason: str | None = None

    def now(self) -> float:
        """Return seconds since some fixed moment."""
        return self._loop.time()

    def waiter(self) -> RealAsyncWaiter:
        """Make a waiter for the running task."""
        return RealAsyncWaiter(self)

    async def sleep(self, seconds: float) -> None:
        """Let that time pass."""
        await self.waiter().wait(self.now() + seconds)

    def enter(self, n: int = 1) -> None:
        """Do nothing: real time passes whoever takes part."""

    def leave(self, n: int = 1) -> None:
        """Do nothing: real time passes whoever takes part."""

    def abort(self, reason: str) -> None:
        """Make every wait raise ClockAbortedError, those under way included."""
        self._reason = reason
        for future in self._futures:
            self._fail(future)

    def register(self, future: "asyncio.Future[None]") -> None:
        """Note a wait, so that `abort` can end it."""
        self._futures.add(future)
        self._fail(future)

    def forget(self, future: "asyncio.Future[None]") -> None:
        """Note that a wait is over."""
        self._futures.discard(future)

    def _fail(self, future: "asyncio.Future[None]") -> None:
        if self._reason is not None and not future.done():
            future.set_exception(ClockAbortedError(self._reason))
