"""Work that must wait until the pool's own work is done: interrupts and re-entrant calls.

A listener may raise an interrupt, such as KeyboardInterrupt. And a signal handler or a finalizer
may call the pool in the middle of one of its transitions, in the same thread. Neither must stop the
work that the transition belongs to, nor see it half done. So both are deferred to the next point
where nothing can be lost: before the pool waits, and at the end of the call.
"""

from collections.abc import Callable

from steadypool._common.log import PoolLog


class Deferred:
    """The deferred work of one pool, by thread; `runner` returns the running one's identity.

    Thread-safe: every thread accesses only its own. Re-entrant.
    """

    def __init__(self, log: PoolLog, runner: Callable[[], int]) -> None:
        self._log = log
        self._runner = runner
        self._settling: set[int] = set()
        self.is_inside: Callable[[], bool] = bool
        """Whether the running thread is inside the pool's monitor, where nothing is settled."""
        self.pending: dict[int, list[Callable[[], object] | BaseException]] = {}
        """The work of each thread, in order. The hot path reads it without a call."""

    def defer(self, work: Callable[[], object] | BaseException) -> None:
        """Keep a call to make, or an interrupt to raise, for the running thread."""
        self.pending.setdefault(self._runner(), []).append(work)

    def settle(self) -> None:
        """Make the deferred calls of the running thread, then raise its first interrupt."""
        if self.pending and not self.is_inside():
            runner = self._runner()
            if runner in self.pending and runner not in self._settling:
                self._settle(runner, self.pending[runner])

    def _settle(self, runner: int, work: list[Callable[[], object] | BaseException]) -> None:
        interrupt: BaseException | None = None
        self._settling.add(runner)
        try:
            while work:
                item = work[0]
                del work[0]
                try:
                    if isinstance(item, BaseException):
                        raise item
                    item()
                except Exception as error:
                    self._log.deferred_call_failed(error)
                except BaseException as error:
                    interrupt = interrupt or error
            self.pending.pop(runner, None)
        finally:
            self._settling.discard(runner)
        if interrupt is not None:
            raise interrupt
