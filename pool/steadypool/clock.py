"""Time, and waiting for one's turn: the two things that a test wants to control.

The blocking primitive belongs to the clock, for only who knows which threads wait until when can
let time jump (see `steadypool.testing.VirtualClock`). A waiter serves one wait: made by who is
about to queue, waited on by the same thread, woken at most once by any other.
"""

import threading
import time
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


class SystemWaiter:
    """A raw lock, held from the start; waking releases it.

    `wake` is the lock's own method: no Python frame in which a signal could lose the wake-up.
    """

    __slots__ = ("_lock", "wake")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.wake = self._lock.release

    def wait(self, deadline: float | None) -> bool:
        """Block until woken, or until `time.monotonic()` reaches the deadline."""
        if deadline is None:
            return self._lock.acquire()
        remaining = deadline - time.monotonic()
        return self._lock.acquire(True, min(max(remaining, 0.0), threading.TIMEOUT_MAX))


class SystemClock:
    """The real, monotonic time."""

    now = staticmethod(time.monotonic)
    waiter = staticmethod(SystemWaiter)
    sleep = staticmethod(time.sleep)
