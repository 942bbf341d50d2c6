"""The monitor of a pool for threads: it runs one transition of the core at a time.

The lock is re-entrant, because a signal handler or a finalizer may call the pool while its own
thread holds the lock. Such a call finds the fast paths shut and `is_inside` true. It must neither
wait nor change the core: see `steadypool._common.deferred`.

After C. A. R. Hoare, "Monitors: an operating system structuring concept", CACM 17(10), 1974.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

from steadypool._common.deferred import Deferred
from steadypool._common.delivery import Delivery
from steadypool._core.core import Core

T = TypeVar("T")


class Monitor:
    """Runs the transitions of one core, then delivers their events outside the lock."""

    def __init__(self, core: Core, delivery: Delivery, deferred: Deferred) -> None:
        self._core = core
        self._deferred = deferred
        self._events = core.events
        self._delivery = delivery
        self.lock = threading.RLock()
        self.is_inside: Callable[[], bool] = self.lock._is_owned  # type: ignore[attr-defined]
        """Whether the running thread is inside the monitor, so that this call is re-entrant.

        `threading.Condition` uses the same method, so every re-entrant lock has it.
        """
        deferred.is_inside = self.is_inside

    def run(self, transition: Callable[..., T], *arguments: object) -> T:
        """Run one transition. If it is interrupted, it may be incomplete, complete or not begun."""
        core = self._core
        try:
            with self.lock:
                core.fast_generation = -1
                try:
                    return transition(*arguments)
                finally:
                    core.fast_generation = core.resting_generation
        finally:
            if self._events:
                self._delivery.deliver()

    def defer(self, work: Callable[[], object]) -> None:
        """Keep the work of a call that comes from inside the monitor.

        If that call interrupted a fast path before it changed anything, the fast path now gives up.
        The slow path settles the deferred work.
        """
        self._core.fast_generation = -1
        self._deferred.defer(work)
