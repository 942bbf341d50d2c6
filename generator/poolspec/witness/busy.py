"""A clock for the lab's code inside a call of the pool: while it waits, the call is busy."""

import inspect
from typing import Any, Generic, TypeVar

from poolspec.witness.calls import Calls

C = TypeVar("C", bound=Any)


class BusyClock(Generic[C]):
    """The test's clock, in either mode, for hooks, listeners and scripted connections."""

    def __init__(self, clock: C) -> None:
        self.clock = clock
        """The test's clock itself."""
        self.calls = Calls()
        """The calls that are under way in the test's pools."""

    def now(self) -> float:
        """Return the time in seconds."""
        return float(self.clock.now())

    def sleep(self, seconds: float) -> Any:
        """Let that much time pass; in asyncio, return an awaitable that does."""
        with self.calls.busy():
            done = self.clock.sleep(seconds)
        return self._awaited(done) if inspect.isawaitable(done) else done

    def waiter(self) -> "_BusyWaiter":
        """Make a waiter for the calling thread or task."""
        return _BusyWaiter(self.clock.waiter(), self)

    def enter(self, n: int = 1) -> None:
        """Announce `n` threads or tasks that are about to run."""
        self.clock.enter(n)

    def leave(self, n: int = 1) -> None:
        """Take back `n` announcements."""
        self.clock.leave(n)

    def abort(self, reason: str) -> None:
        """Make every wait, now and later, raise an exception with this reason."""
        self.clock.abort(reason)

    def wait(self, waiter: Any, deadline: float | None) -> Any:
        """Let a waiter wait; in asyncio, return an awaitable that does."""
        with self.calls.busy():
            done = waiter.wait(deadline)
        return self._awaited(done) if inspect.isawaitable(done) else done

    async def _awaited(self, done: Any) -> Any:
        with self.calls.busy():
            return await done


class _BusyWaiter:
    def __init__(self, waiter: Any, clock: "BusyClock[Any]") -> None:
        self._waiter = waiter
        self._clock = clock

    def wait(self, deadline: float | None) -> Any:
        return self._clock.wait(self._waiter, deadline)

    def wake(self) -> Any:
        return self._waiter.wake()
