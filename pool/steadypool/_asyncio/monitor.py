"""The monitor of a pool for asyncio: it runs one transition of the core at a time.

Between two awaits no other task runs, so the event loop serves as the lock. But a signal handler or
a finalizer may call the pool in the middle of a transition. Such a call finds the fast path shut
and `is_inside` true: see `steadypool._common.deferred`.
"""

from collections.abc import Callable
from typing import TypeVar

from steadypool._common.deferred import Deferred
from steadypool._common.delivery import Delivery
from steadypool._core.core import Core
from steadypool.errors import ReentrantCallError

T = TypeVar("T")


class AsyncMonitor:
    """Runs the transitions of one core, then delivers their events."""

    def __init__(self, core: Core, delivery: Delivery, deferred: Deferred) -> None:
        self._core = core
        self._events = core.events
        self._delivery = delivery
        self._is_busy = False
        deferred.is_inside = self.is_inside

    def is_inside(self) -> bool:
        """Return whether a transition is under way, so that this call is re-entrant."""
        return self._is_busy

    def run(self, transition: Callable[..., T], *arguments: object) -> T:
        """Run one transition. If it is interrupted, it may be incomplete, complete or not begun.

        Raises ReentrantCallError in the middle of another one.
        """
        if self._is_busy:
            raise ReentrantCallError(self._core.settings.name)
        core = self._core
        try:
            self._is_busy = True
            core.fast_generation = -1
            try:
                return transition(*arguments)
            finally:
                core.fast_generation = core.resting_generation
                self._is_busy = False
        finally:
            if self._events:
                self._delivery.deliver()
