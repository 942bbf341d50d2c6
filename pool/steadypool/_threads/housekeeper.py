"""A thread that runs maintenance for any number of pools, for programs that want one.

    with Housekeeper(interval=10) as keeper:
        keeper.watch(pool)
        ...

A pool works without a housekeeper: it finds old and dead connections before it hands them out. With
one, idle connections are closed on time and the minimum is restored even without traffic.

The thread maintains one pool at a time. A pass opens missing connections one after the other and
ends at the first failure. A server that hangs blocks the thread for one `query_timeout` and one
`connect_timeout` per round (with a `connect` callable, as long as that takes), and `stop` waits for
it. So give pools of servers that may hang a housekeeper each.
"""

import threading
import weakref
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType

from steadypool._common.checks import check_interval
from steadypool._threads.admin import PoolAdmin
from steadypool.errors import HousekeeperStoppedError


class Housekeeper:
    """Calls `maintain` of every watched pool, every `interval` seconds of real time.

    References to pools are weak, and closed pools are dropped. Thread-safe and re-entrant. The
    thread is a daemon.
    A forked child does not inherit it: create a housekeeper after the fork. Raises PoolConfigError
    unless `interval` is above 0.
    """

    def __init__(self, interval: float = 10.0) -> None:
        self._interval = check_interval(interval)
        self._new: SimpleQueue[weakref.ref[PoolAdmin]] = SimpleQueue()
        """Pools to watch from the next round on; its `put` is re-entrant."""
        self._pools: weakref.WeakSet[PoolAdmin] = weakref.WeakSet()
        """The watched pools; used by the thread alone."""
        self._has_stopped = False
        self._wake_ups: SimpleQueue[None] = SimpleQueue()
        """Ends the wait between two rounds. An Event's lock is not re-entrant."""
        self._joining: set[int] = set()
        """The threads that wait for the end of this one; a nested join would wait forever."""
        self._thread = threading.Thread(
            target=self._run, name="steadypool housekeeper", daemon=True
        )
        self._thread.start()

    def watch(self, pool: PoolAdmin) -> None:
        """Maintain this pool too, from the next round on.

        Raises HousekeeperStoppedError after `stop` and in a forked child, and TypeError for a pool
        that is not for threads.
        """
        if not isinstance(pool, PoolAdmin):
            raise TypeError("a Housekeeper maintains ConnectionPools only; use AsyncHousekeeper")
        if self._has_stopped or not self._thread.is_alive():
            raise HousekeeperStoppedError(
                "this Housekeeper has ended, by stop() or by a fork; create another one"
            )
        self._new.put(weakref.ref(pool))

    def stop(self) -> None:
        """End the thread; waits until the running pass is over.

        A call from the pass, or from a signal handler or finalizer that interrupts another `stop`
        of the same thread, does not wait.
        """
        self._has_stopped = True
        self._wake_ups.put(None)
        caller = threading.get_ident()
        if caller != self._thread.ident and caller not in self._joining:
            self._joining.add(caller)
            try:
                self._thread.join()
            finally:
                self._joining.discard(caller)

    def __enter__(self) -> "Housekeeper":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while True:
            with suppress(Empty):
                self._wake_ups.get(timeout=min(self._interval, threading.TIMEOUT_MAX))
            if self._has_stopped:
                return
            self._make_round()

    def _make_round(self) -> None:
        # A separate frame: between two rounds no local variable keeps a pool alive.
        for _ in range(self._new.qsize()):
            pool = self._new.get()()
            if pool is not None:
                self._pools.add(pool)
        for pool in list(self._pools):
            self._maintain(pool)

    def _maintain(self, pool: PoolAdmin) -> None:
        if pool.closed:
            self._pools.discard(pool)
        elif not self._has_stopped:
            try:
                pool.maintain()
            except BaseException as error:  # from a hook; it would end the thread silently
                pool._log.maintenance_failed(error)
