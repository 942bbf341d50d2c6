"""Pools that open, keep or hand out too many connections."""

from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry


@noticed_by("limits.pool_size_limit")
class OpensOneTooMany(Core):
    """Opens one connection more than its limit."""

    def _has_room(self, now: float) -> bool:
        return self._used_slots() <= self.settings.limit


@noticed_by("limits.overflow_connection_closed_on_release")
class KeepsOverflowOpen(Core):
    """Keeps overflow connections idle when they are released."""

    def _place(self, entry: PoolEntry, now: float) -> None:
        size, self._size = self._size, self.settings.limit
        super()._place(entry, now)
        self._size = size


@noticed_by("basics.acquire_release_multiple")
class HandsOutTwice(Core):
    """Leaves a connection idle when it hands it out."""

    def _reserve_idle(self, request: AcquireRequest, now: float) -> None:
        super()._reserve_idle(request, now)
        if request.entry is not None:
            self.idle.append(request.entry)


@noticed_by("limits.unlimited_overflow")
class TakesUnlimitedForNone(steadypool.ConnectionPool):
    """Reads max_overflow=-1 as zero."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        super().__init__(size, max(0, max_overflow), **options)


@noticed_by("limits.unlimited_overflow")
class AsyncTakesUnlimitedForNone(steadypool.AsyncConnectionPool):
    """Reads max_overflow=-1 as zero."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        super().__init__(size, max(0, max_overflow), **options)
