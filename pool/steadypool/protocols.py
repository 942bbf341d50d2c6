"""The interfaces of clocks and waiters, which tests replace.

The blocking primitive belongs to the clock: a virtual clock can let time jump only if it knows all
waits and their deadlines (see `steadypool.testing.VirtualClock`). A waiter serves one wait. The
thread that is about to wait creates it; another thread wakes it at most once.
"""

from typing import Protocol


class Waiter(Protocol):
    """The wait of one thread; used once."""

    def wait(self, deadline: float | None) -> bool:
        """Block until woken (True) or until the clock shows `deadline` (False).

        An earlier wake-up makes it return True at once. None: no deadline.
        """

    def wake(self) -> object:
        """End the wait; never blocks. Thread-safe; called at most once."""


class Clock(Protocol):
    """The source of time of a pool. All methods are thread-safe."""

    def now(self) -> float:
        """Return the seconds since a fixed moment; the value never decreases."""

    def waiter(self) -> Waiter:
        """Create a waiter for one wait."""

    def sleep(self, seconds: float) -> None:
        """Block for this many seconds of this clock."""


class AsyncWaiter(Protocol):
    """The wait of one task; used once."""

    async def wait(self, deadline: float | None) -> bool:
        """Suspend until woken (True) or until the clock shows `deadline` (False).

        An earlier wake-up makes it return True at once. None: no deadline.
        """

    def wake(self) -> object:
        """End the wait; a second call does nothing."""


class AsyncClock(Protocol):
    """The source of time of a pool for asyncio; used in one event loop."""

    def now(self) -> float:
        """Return the seconds since a fixed moment; the value never decreases."""

    def waiter(self) -> AsyncWaiter:
        """Create a waiter for one wait."""

    async def sleep(self, seconds: float) -> None:
        """Suspend for this many seconds of this clock."""

    def enter(self) -> None:
        """Count a task that is about to run, so that virtual time waits for it."""

    def leave(self) -> None:
        """Stop counting a task that has ended."""
