"""Deferred interrupts: exceptions such as KeyboardInterrupt that were raised in a listener.

A listener runs during a transition. An interrupt there must not stop the work that the transition
belongs to. So the pool keeps it, and raises it at the next point where nothing can be lost: before
the pool waits, and at the end of the call.
"""

from collections.abc import Callable

from steadypool._common.log import PoolLog


class DeferredInterrupts:
    """The deferred interrupts of one pool, by thread; `runner` returns the running one's identity.

    Thread-safe: every thread accesses only its own.
    """

    def __init__(self, log: PoolLog, runner: Callable[[], int]) -> None:
        self._log = log
        self._runner = runner
        self.pending: dict[int, BaseException] = {}
        """The first of each thread, by thread. The hot path reads it without a call."""

    def listener_raised(self, error: BaseException) -> None:
        """Take an exception of a listener: log an error, keep an interrupt."""
        if isinstance(error, Exception):
            self._log.listener_failed(error)
        else:
            self.pending.setdefault(self._runner(), error)

    def raise_deferred(self) -> None:
        """Raise the deferred interrupt of the running thread, if there is one."""
        if self.pending:
            error = self.pending.pop(self._runner(), None)
            if error is not None:
                raise error
