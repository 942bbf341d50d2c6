"""One thread that looks after any number of pools; for programs that want it.

    with Housekeeper(interval=10) as keeper:
        keeper.watch(pool)
        ...

A pool without one works: what is old or dead is found before it is handed out. With one, idle
connections go when their time has come, and the minimum is restored, even while nobody asks.

The thread looks after one pool at a time. A pass opens what is missing, one connect after the
other, and ends at the first that fails: a server that hangs holds the thread up for one
`connect_timeout` in each round (with a `connect` callable, for as long as that takes), and `stop`
waits for it. So pools of servers that may hang are given a housekeeper each.
"""

import threading
import weakref
from types import TracebackType

from steadypool._common.options import check_interval
from steadypool._threads.admin import Control
from steadypool.errors import HousekeeperStoppedError


class Housekeeper:
    """Calls `maintain` of every pool that it watches, each `interval` seconds of real time.

    Pools are held weakly, and forgotten once closed. Thread-safe. The thread is a daemon, and is
    not inherited by a forked child: make it after the fork.
    """

    def __init__(self, interval: float = 10.0) -> None:
        self._interval = check_interval(interval)
        self._lock = threading.Lock()
        self._pools: weakref.WeakSet[Control] = weakref.WeakSet()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="steadypool housekeeper", daemon=True
        )
        self._thread.start()

    def watch(self, pool: Control) -> None:
        """Look after this pool too, from the next round on.

        Raises HousekeeperStoppedError after `stop`, and in a forked child; TypeError for a pool
        that is not for threads.
        """
        if not isinstance(pool, Control):
            raise TypeError("a Housekeeper looks after ConnectionPools; use AsyncHousekeeper")
        if self._stopped.is_set() or not self._thread.is_alive():
            raise HousekeeperStoppedError(
                "this Housekeeper has ended, by stop() or by a fork; make another"
            )
        with self._lock:
            self._pools.add(pool)

    def stop(self) -> None:
        """End the thread, after the pass that it is in; waits for that."""
        self._stopped.set()
        self._thread.join()

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
        while not self._stopped.wait(min(self._interval, threading.TIMEOUT_MAX)):
            self._make_round()

    def _make_round(self) -> None:
        # In a frame of its own: between two rounds nothing here keeps a pool alive.
        with self._lock:
            pools = list(self._pools)
        for pool in pools:
            self._look_after(pool)

    def _look_after(self, pool: Control) -> None:
        if pool.closed:
            with self._lock:
                self._pools.discard(pool)
        elif not self._stopped.is_set():
            try:
                pool.maintain()
            except BaseException as error:  # a hook's: it would end the thread without a word
                pool._log.maintenance_failed(error)
