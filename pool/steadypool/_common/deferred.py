"""Work that must wait until the pool's own work is done: interrupts and re-entrant calls.

A listener may raise an interrupt, such as KeyboardInterrupt. A signal handler or a finalizer may
call the pool in the middle of one of its transitions, in the same thread. The interrupt must not
stop the pool's work, and the call must not change a half-done transition. So both are deferred to
the next point at which nothing can be lost: before the pool waits, or the end of the call.
"""

from collections.abc import Callable
from functools import partial

from steadypool._common.log import PoolLog


class AtEnd:
    """A call that waits for the connections of all threads, so it is made at the end of a call."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work

    def __call__(self) -> None:
        """Make the call."""
        self.work()


def _raise(interrupt: BaseException) -> None:
    raise interrupt


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
        self.pending: dict[int, list[Callable[[], object]]] = {}
        """The work of each thread, in order. The hot path reads it without a call."""

    def defer(self, work: Callable[[], object] | BaseException) -> None:
        """Keep a call to make, or an interrupt to raise, for the running thread."""
        call = partial(_raise, work) if isinstance(work, BaseException) else work
        self.pending.setdefault(self._runner(), []).append(call)

    def settle(self, *, midway: bool = False) -> None:
        """Make the deferred calls of the running thread, then raise its first interrupt.

        `midway`: the interrupted call still owns a connection or a slot, so a call that `AtEnd`
        marks stays deferred.
        """
        if self.pending and not self.is_inside():
            runner = self._runner()
            if runner in self.pending and runner not in self._settling:
                self._settle(runner, self.pending[runner], midway)

    def _settle(self, runner: int, work: list[Callable[[], object]], midway: bool) -> None:
        interrupt: BaseException | None = None
        kept = 0
        self._settling.add(runner)
        try:
            while len(work) > kept:
                item = work[kept]
                if midway and isinstance(item, AtEnd):
                    kept += 1
                    continue
                del work[kept]  # no signal can come between this and the call
                try:
                    item()
                except Exception as error:
                    self._log.deferred_call_failed(error)
                except BaseException as error:
                    interrupt = interrupt or error
            if not kept:
                self.pending.pop(runner, None)
        finally:
            self._settling.discard(runner)
        if interrupt is not None:
            raise interrupt
