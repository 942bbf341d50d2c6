"""The real clock; `steadypool.protocols` defines the interface of a clock."""

import time
from threading import TIMEOUT_MAX, Lock
from time import monotonic


class SystemWaiter:
    """A raw lock that is held from the start; waking releases it.

    `wake` is the lock's own method, so there is no Python frame in which a signal could lose the
    wake-up.
    """

    __slots__ = ("_lock", "wake")

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()
        self.wake = self._lock.release

    def wait(self, deadline: float | None) -> bool:
        """Block until woken, or until `time.monotonic()` reaches the deadline."""
        if deadline is None:
            return self._lock.acquire()
        remaining = deadline - monotonic()
        if remaining < 0:
            remaining = 0.0
        elif remaining > TIMEOUT_MAX:
            remaining = TIMEOUT_MAX
        return self._lock.acquire(True, remaining)


class SystemClock:
    """The real, monotonic time."""

    now = staticmethod(monotonic)
    waiter = staticmethod(SystemWaiter)
    sleep = staticmethod(time.sleep)
