"""What is done to a pool as a whole, in threads: sized, held, emptied, closed, looked after."""

import math
from abc import ABC
from typing import Any

from steadypool._common.deferred import DeferredInterrupts
from steadypool._common.log import PoolLog
from steadypool._common.options import check_limit, seconds
from steadypool._core.backoff import deadline_of
from steadypool._core.core import Core
from steadypool._core.entries import PoolEntry
from steadypool._threads.acquire import Engine
from steadypool.errors import ConnectionPoolError
from steadypool.health import Condition, Health, judge
from steadypool.loans import Loan
from steadypool.stats import PoolStats

_PROBE_LIMIT = 2.0
"""Seconds that a connect of a health check may take; none begins later than that."""


class Control(ABC):
    """The part of a pool that borrows nothing. Thread-safe, but not to be called by a listener."""

    _core: Core
    _engine: Engine
    _lock: Any
    _now: Any
    _log: PoolLog
    _interrupts: DeferredInterrupts

    # --- figures ---------------------------------------------------------------------------------

    def stats(self) -> PoolStats:
        """Return counters and gauges of this moment."""
        with self._lock:
            return self._core.stats()

    def get_stats(self) -> dict[str, int]:
        """Return the figures of `stats` by name."""
        return self.stats().as_dict()

    def loans(self) -> tuple[Loan, ...]:
        """Return what is on loan, the longest loan first.

        Who borrowed it, and where, is known to a pool with `leak_after`.
        """
        with self._lock:
            return tuple(self._core.loans(self._now()))

    @property
    def size(self) -> int:
        """How many idle connections are kept."""
        return self._core.settings.size

    @property
    def min_size(self) -> int:
        """How many connections are opened at start, and by `maintain` where they are missing."""
        return self._core.settings.min_size

    @property
    def max_size(self) -> int:
        """How many connections may be open at once; `sys.maxsize` for any number."""
        return self._core.settings.limit

    @property
    def gauges(self) -> tuple[int, int, int]:
        """How many connections are idle, acquires wait, connections are open; takes no lock."""
        return self._core.gauges()

    @property
    def closed(self) -> bool:
        """Whether the pool was closed for good."""
        return self._core.is_closed

    @property
    def suspended(self) -> bool:
        """Whether the pool hands out nothing for now."""
        return self._core.is_suspended

    def health(self) -> Health:
        """Do housekeeping, and say whether the pool can serve.

        Dead idle connections are found. While connects fail, one is tried (as often as the
        breaker's cooldown allows), for at most 2 s, to find out whether the server is back; so a
        pool that nobody asks because it is unhealthy recovers all the same. Where connections are
        missing, some are opened: for 4 s at most, be they many or slow, unless a `connect` callable
        takes longer.
        """
        self._maintain(_PROBE_LIMIT)
        with self._lock:
            core = self._core
            condition = Condition(
                min_size=core.minimum(),
                failures=core.breaker.failures,
                refusing=core.breaker.is_open,
                last_error=self._engine.last_error if core.breaker.failures else None,
                leaks=sum(entry.reported for entry in core.in_use.values()),
                suspended=core.is_suspended,
                closed=core.is_closed,
            )
            return judge(core.stats(), condition)

    # --- size and service ------------------------------------------------------------------------

    def resize(self, size: int | None = None, max_overflow: int | None = None) -> None:
        """Change either or both; None leaves it as it is. Raises PoolConfigError.

        A larger pool serves those who wait at once. Of a smaller one, surplus idle connections are
        closed now, surplus borrowed ones as they come back.
        """

        def resize(to_close: list[PoolEntry], now: float) -> None:
            settings = self._core.settings
            new_size = settings.size if size is None else size
            overflow = settings.max_overflow if max_overflow is None else max_overflow
            self._core.resize(new_size, check_limit(new_size, overflow), to_close, now)

        self._engine.change(resize)
        self._interrupts.go_on()

    def suspend(self) -> None:
        """Hand out nothing until `resume`: who acquires meanwhile waits, within his timeout.

        What is on loan stays so, and may come back.
        """
        self._engine.change(lambda to_close, now: self._core.suspend(now))
        self._interrupts.go_on()

    def resume(self) -> None:
        """Hand out connections again, first to those who wait."""
        self._engine.change(lambda to_close, now: self._core.resume(now))
        self._interrupts.go_on()

    # --- emptying and closing --------------------------------------------------------------------

    def clear(self) -> None:
        """Empty the pool: idle connections are closed now, borrowed ones when they come back.

        The pool stays usable and opens connections as they are asked for.
        """
        self._engine.change(self._core.clear)
        self._interrupts.go_on()

    def close_all(self) -> None:
        """Empty the pool; another name of `clear`."""
        self.clear()

    def close(self, drain: float | None = None) -> None:
        """Close the pool for good.

        Who waits gets PoolClosedError at once; idle connections are closed now, borrowed ones when
        they come back. With `drain`, wait so many seconds for them to come back; what has not by
        then is cut off from the server, so that its borrower gets an error from the driver (where
        the driver's connection has a socket to cut). Closing twice does no harm.
        """
        limit = None if drain is None else seconds("drain", drain)
        try:
            self._engine.change(self._core.close)
        except BaseException:  # interrupted: closed by half it would still serve who waits
            self._engine.change(self._core.close)
            raise
        if limit is not None:
            self._engine.drain(deadline_of(limit, self._now()))
        self._interrupts.go_on()

    # --- housekeeping ----------------------------------------------------------------------------

    def maintain(self) -> None:
        """Do one pass of housekeeping.

        Idle connections that are dead, too old, or unused for `max_idle_time` are closed; then
        connections are opened up to `min_size`, and long loans are reported. What fails is logged,
        not raised. Closing the unused also happens as a by-thing of releases; a pool without
        traffic, or with a minimum, needs somebody to call this: see `Housekeeper`.
        """
        self._maintain(math.inf)

    def _maintain(self, limit: float) -> None:
        self._engine.tidy()
        self._engine.report_leaks()
        until = self._now() + limit
        try:
            while self._now() < until and self._engine.grow(limit):
                pass
        except ConnectionPoolError:
            pass  # it is in the log, and in the next verdict
        except Exception as error:
            self._log.maintenance_failed(error)
        self._interrupts.go_on()
