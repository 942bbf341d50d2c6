"""The clock that the lab needs for tasks, and the real one.

The rules for threads hold: tasks wait only through their clock, and `enter` is called before a task
starts. A clock belongs to one event loop.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from poolspec.drivers import contract
from poolspec.lab.threads.clock import ClockAbortedError


class AsyncClock(contract.AsyncClock, Protocol):
    """The time of a test, in seconds from an arbitrary zero."""

    def enter(self, n: int = 1) -> None:
        """Announce `n` tasks that are about to run."""

    def leave(self, n: int = 1) -> None:
        """Take back `n` announcements."""

    def abort(self, reason: str) -> None:
        """Make every wait, now and later, raise an exception with this reason."""


class RealAsyncWaiter:
    """One wait of one task, on a future."""

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
    """Time passes without the lab."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._futures: set[asyncio.Future[None]] = set()
        self._reason: str | None = None

    @property
    def at_rest(self) -> Callable[[], object] | None:
        """Called each time that every task waits; only a `LabLoop` notices that."""
        return getattr(self._loop, "at_rest", None)

    @at_rest.setter
    def at_rest(self, call: Callable[[], object] | None) -> None:
        self._loop.at_rest = call  # type: ignore[attr-defined]

    def now(self) -> float:
        """Return the time in seconds."""
        return self._loop.time()

    def waiter(self) -> RealAsyncWaiter:
        """Make a waiter for the running task."""
        return RealAsyncWaiter(self)

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        await self.waiter().wait(self.now() + seconds)

    def enter(self, n: int = 1) -> None:
        """Do nothing: real time passes anyway."""

    def leave(self, n: int = 1) -> None:
        """Do nothing: real time passes anyway."""

    def abort(self, reason: str) -> None:
        """Make every wait raise ClockAbortedError, including the current ones."""
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
