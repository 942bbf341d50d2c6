"""Time, and waiting for one's turn: the two things that a test wants to control.

The blocking primitive belongs to the clock, for only who knows which threads wait until when can
let time jump (see `steadypool.testing.VirtualClock`). A waiter serves one wait: made by who is
about to queue, waited on by the same thread, woken at most once by any other.
"""

from typing import Protocol


class Waiter(Protocol):
    """One thread's place to wait at, used once."""

    def wait(self, deadline: float | None) -> bool:
        """Block until woken (True) or until the clock shows `deadline` (False).

        A wake that came before makes it return True at once. None waits for ever.
        """

    def wake(self) -> object:
        """End the wait; never blocks. Thread-safe; called once at most."""


class Clock(Protocol):
    """What a pool asks of time. All methods are thread-safe."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def waiter(self) -> Waiter:
        """Make a waiter for one wait."""

    def sleep(self, seconds: float) -> None:
        """Block for so many seconds of this clock."""


class AsyncWaiter(Protocol):
    """One task's place to wait at, used once."""

    async def wait(self, deadline: float | None) -> bool:
        """Suspend until woken (True) or until the clock shows `deadline` (False).

        A wake that came before makes it return True at once. None waits for ever.
        """

    def wake(self) -> object:
        """End the wait; waking twice does nothing more."""


class AsyncClock(Protocol):
    """What a pool for asyncio asks of time; used from one event loop."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def waiter(self) -> AsyncWaiter:
        """Make a waiter for one wait."""

    async def sleep(self, seconds: float) -> None:
        """Suspend for so many seconds of this clock."""

    def enter(self) -> None:
        """Announce a task that is about to run: time that is not real must not pass without it."""

    def leave(self) -> None:
        """Say that such a task has ended."""
