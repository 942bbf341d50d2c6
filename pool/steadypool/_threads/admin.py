"""The administration of a pool for threads: health, size, suspension, closing, maintenance."""

import math
from collections.abc import Callable

from steadypool._common.admin import PROBE_LIMIT, BasePool, drain_limit
from steadypool._common.deferred import AtEnd
from steadypool._core.backoff import deadline_of
from steadypool._core.entries import PoolEntry
from steadypool._threads.acquire import Engine
from steadypool._threads.monitor import Monitor
from steadypool.errors import ConnectionPoolError
from steadypool.health import Health


class PoolAdmin(BasePool):
    """All of a pool except for acquire and release. Thread-safe and re-entrant.

    Inside one of the pool's own transitions, a change is deferred until the transition is complete.
    """

    _engine: Engine
    _monitor: Monitor

    def health(self) -> Health:
        """Run maintenance and report whether the pool can serve acquires.

        Maintenance finds dead and silent idle connections. While connects fail, it also opens a
        probe, at most one per `breaker_cooldown`, for at most 2 s. So an unhealthy pool recovers
        even without acquires. It waits at most 1 s for the answer of an idle connection, and takes
        at most 4 s in total, unless a `connect` callable takes longer. Inside one of the pool's own
        transitions there is no maintenance.
        """
        if not self._is_inside():
            self._do(lambda: self._maintain(PROBE_LIMIT))
        return self._assess(self._engine.last_error)

    # --- size and suspension ---------------------------------------------------------------------

    def resize(self, size: int | None = None, max_overflow: int | None = None) -> None:
        """Change either or both; None keeps a value. Raises PoolConfigError.

        A larger pool serves its waiters at once. A smaller pool closes surplus idle connections
        now, and surplus connections on loan when they return.
        """

        def resize(to_close: list[PoolEntry], now: float) -> None:
            new_size, limit = self._resized(size, max_overflow)
            self._core.resize(new_size, limit, to_close, now)

        self._resized(size, max_overflow)  # a deferred call would report a wrong value too late
        self._do(lambda: self._engine.change(resize))

    def suspend(self) -> None:
        """Hand out nothing until `resume`. Acquires wait meanwhile, up to their timeout.

        Connections on loan stay on loan and may be released.
        """
        self._do(lambda: self._engine.change(lambda to_close, now: self._core.suspend(now)))

    def resume(self) -> None:
        """Hand out connections again, first to the waiters."""
        self._do(lambda: self._engine.change(lambda to_close, now: self._core.resume(now)))

    # --- emptying and closing --------------------------------------------------------------------

    def clear(self) -> None:
        """Close idle connections now, and connections on loan when they return.

        The pool stays usable and opens new connections on demand.
        """
        self._do(lambda: self._engine.change(self._core.clear))

    def close_all(self) -> None:
        """Empty the pool; another name for `clear`."""
        self.clear()

    def close(self, drain: float | None = None) -> None:
        """Close the pool for good.

        Waiters get PoolClosedError at once. Idle connections are closed now, connections on loan
        when they return. With `drain`, wait up to this many seconds for them to return. Then cut
        the remaining ones off from the server, so that their borrowers get an error from the driver
        (if the driver's connection has a socket to cut). Closing twice does nothing more. Raises
        PoolConfigError for a bad `drain`.
        """
        limit = drain_limit(drain)
        self._do(self._close)
        if limit is None:
            return
        drain_it = AtEnd(lambda: self._drain(limit))
        if self._engine.is_at_work_here():  # in the thread that has what the drain waits for
            self._deferred.defer(drain_it)
        else:
            self._do(drain_it)

    def _close(self) -> None:
        try:
            self._engine.change(self._core.close)
        except BaseException:  # interrupted: a half-closed pool would still serve waiters
            self._engine.change(self._core.close)
            raise

    def _drain(self, limit: float) -> None:
        self._engine.drain(deadline_of(limit, self._now()))

    # --- maintenance -----------------------------------------------------------------------------

    def maintain(self) -> None:
        """Run one pass of maintenance.

        It closes idle connections that are dead, too old, or unused for `max_idle_time`, opens
        connections up to `min_size`, and reports long loans. It makes a round trip on idle
        connections that have not answered for `check_after`, and closes those that are silent.
        Failures are logged, not raised.
        Releases close unused connections too, but a pool without traffic or with a minimum needs
        regular calls: see `Housekeeper`.
        """
        self._do(lambda: self._maintain(math.inf))

    def _maintain(self, limit: float) -> None:
        until = self._now() + limit
        self._engine.tidy()
        self._engine.probe(limit)
        self._engine.report_leaks()
        try:
            while self._now() < until and self._engine.grow(limit):
                pass
        except ConnectionPoolError:
            pass  # the log and the next health report show it
        except Exception as error:
            self._log.maintenance_failed(error)
        self._deferred.settle()

    def _do(self, work: Callable[[], None]) -> None:
        """Do the work of a method now, or after the transition that this call is inside of."""
        if self._is_inside():
            self._monitor.defer(work)
            return
        try:
            work()
        finally:
            self._deferred.settle()
