"""Interrupts that strike in a listener, as Ctrl-C may, kept until the pool has done its work.

A listener is called in the midst of a transition. What is raised there must not cut short the work
of which the transition is a part; so it is kept, and goes on at the next place where nothing can be
lost: before the pool waits, and at the end of what it was asked for.
"""

from collections.abc import Callable

from steadypool._common.log import PoolLog


class DeferredInterrupts:
    """The interrupts of one pool, each for whoever it struck; `holder` tells who runs.

    Thread-safe: everybody looks for his own alone.
    """

    def __init__(self, log: PoolLog, holder: Callable[[], int]) -> None:
        self._log = log
        self._holder = holder
        self.kept: dict[int, BaseException] = {}
        """By whom they struck; of several the first. The hot path looks here without a call."""

    def listener_raised(self, error: BaseException) -> None:
        """Take what a listener has raised: an error is logged, an interrupt kept."""
        if isinstance(error, Exception):
            self._log.listener_failed(error)
        else:
            self.kept.setdefault(self._holder(), error)

    def go_on(self) -> None:
        """Raise what is kept for whoever runs, if anything is."""
        if self.kept:
            error = self.kept.pop(self._holder(), None)
            if error is not None:
                raise error
