"""Pools that hand out connections that are too old, too young to replace, or dead."""

import math
from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._asyncio.request import AsyncAcquireRequest
from steadypool._core.backoff import Backoff
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry


@noticed_by("recycling.connection_recycling_by_age")
class NeverRecycles(Core):
    """Hands out connections of any age."""

    def _count_created(self, entry: PoolEntry) -> None:
        super()._count_created(entry)
        entry.expires = math.inf


@noticed_by("recycling.young_connection_not_recycled")
class RecyclesAtHalfTheAge(Core):
    """Replaces connections at half their age limit."""

    def _count_created(self, entry: PoolEntry) -> None:
        super()._count_created(entry)
        entry.expires -= self.settings.recycle / 2


@noticed_by("connection_faults.a_connection_that_fails_its_check_is_replaced")
class BelievesEveryCheck(Core):
    """Checks a connection, and hands it out although the check failed."""

    def checked(self, request: AcquireRequest, alive: bool, now: float) -> None:
        super().checked(request, True, now)


@noticed_by("recycling.the_default_age_is_an_hour")
class NeverRecyclesByDefault(steadypool.ConnectionPool):
    """Has no default age limit."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        super().__init__(size, max_overflow, **({"recycle": 0} | options))


@noticed_by("recycling.the_default_age_is_an_hour")
class AsyncNeverRecyclesByDefault(steadypool.AsyncConnectionPool):
    """Has no default age limit."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        super().__init__(size, max_overflow, **({"recycle": 0} | options))


@noticed_by("silent_lines.a_short_timeout_leaves_time_to_connect")
class AsyncChecksWithoutLimit(AsyncEngine):
    """Does not limit checks and replacements by the timeout of their acquire."""

    async def _check(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        await super()._check(request, Backoff.of(math.inf, self._now()))

    async def _replace(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        await super()._replace(request, Backoff.of(math.inf, self._now()))
