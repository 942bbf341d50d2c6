"""The parts of a pool that are the same for threads and for asyncio: figures, and the constructor.

A pool for threads runs the transitions of its core under a lock. A pool for asyncio needs none and
has a null context in its place.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from steadypool._common.checks import check_limit, seconds
from steadypool._common.deferred import Deferred
from steadypool._common.log import PoolLog
from steadypool._common.options import CommonOptions, make_settings
from steadypool._core.core import Core
from steadypool._core.settings import Settings
from steadypool.health import Condition, Health, assess
from steadypool.loans import Loan
from steadypool.stats import PoolStats

PROBE_LIMIT = 2.0
"""The seconds that a connect of a health check may take; no connect begins later than that."""


class BasePool:
    """Settings, figures and condition of a pool."""

    name: str
    _core: Core
    _lock: AbstractContextManager[Any]
    _now: Callable[[], float]
    _log: PoolLog
    _deferred: Deferred
    _is_inside: Callable[[], bool]
    """Whether this call comes from inside a transition of the pool, in the same thread."""

    def _configure(
        self,
        size: int,
        max_overflow: int,
        timeout: float | None,
        recycle: float | None,
        config_name: str,
        options: CommonOptions,
    ) -> None:
        """Check and keep the options; raises PoolConfigError."""
        self.name = options["name"] or config_name
        self._settings: Settings = make_settings(self.name, size, max_overflow, recycle, options)
        self._timeout = seconds("timeout", timeout)
        self._random = options["random"]
        self._listeners = tuple(options["listeners"])

    def _check_caller(self) -> None:
        """Raise if this caller may not use the pool."""

    # --- figures ---------------------------------------------------------------------------------

    def stats(self) -> PoolStats:
        """Return counters and gauges of this moment."""
        try:
            with self._lock:
                return self._core.stats()
        finally:
            self._deferred.settle()

    def get_stats(self) -> dict[str, int]:
        """Return the figures of `stats` by name."""
        return self.stats().as_dict()

    def loans(self) -> tuple[Loan, ...]:
        """Return all connections on loan, the longest loan first.

        Only a pool with `leak_after` knows the borrower and the place of the acquire.
        """
        self._check_caller()
        try:
            with self._lock:
                return tuple(self._core.loans(self._now()))
        finally:
            self._deferred.settle()

    @property
    def size(self) -> int:
        """The number of idle connections that the pool keeps."""
        return self._core.settings.size

    @property
    def min_size(self) -> int:
        """The number of connections opened at the start and restored by `maintain`."""
        return self._core.settings.min_size

    @property
    def max_size(self) -> int:
        """The maximum number of open connections; `sys.maxsize` means no limit."""
        return self._core.settings.limit

    @property
    def gauges(self) -> tuple[int, int, int]:
        """The numbers of idle connections, waiting acquires and open connections; takes no lock."""
        return self._core.gauges()

    @property
    def closed(self) -> bool:
        """Whether the pool is closed for good."""
        return self._core.is_closed

    @property
    def suspended(self) -> bool:
        """Whether the pool is suspended."""
        return self._core.is_suspended

    # --- parts -----------------------------------------------------------------------------------

    def _assess(self, last_error: str | None) -> Health:
        try:
            with self._lock:
                return assess(self._core.stats(), self._condition(last_error))
        finally:
            self._deferred.settle()

    def _condition(self, last_error: str | None) -> Condition:
        core = self._core
        full = core.ceiling.is_set and not core.idle
        return Condition(
            min_size=core.minimum(),
            failures=core.breaker.failures,
            refusing=core.breaker.is_open,
            last_error=last_error if core.breaker.failures or full else None,
            leaks=sum(entry.reported for entry in list(core.in_use.values())),
            suspended=core.is_suspended,
            closed=core.is_closed,
            full=full,
        )

    def _resized(self, size: int | None, max_overflow: int | None) -> tuple[int, int]:
        """Return the size and limit after a resize; None keeps a value. Raises PoolConfigError."""
        settings = self._core.settings
        new_size = settings.size if size is None else size
        overflow = settings.max_overflow if max_overflow is None else max_overflow
        return new_size, check_limit(new_size, overflow)


def drain_limit(drain: float | None) -> float | None:
    """Return the seconds a close waits for loans, None for no wait; raises PoolConfigError."""
    return None if drain is None else seconds("drain", drain)
