"""The administration of an asyncio pool: health, size, suspension, closing, maintenance."""

import asyncio
import math
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from steadypool._asyncio.acquire import AsyncEngine
from steadypool._asyncio.disposal import done_there, is_elsewhere
from steadypool._asyncio.monitor import AsyncMonitor
from steadypool._common.admin import PROBE_LIMIT, BasePool, drain_limit
from steadypool._core.backoff import deadline_of
from steadypool.errors import ConnectionPoolError, WrongLoopError
from steadypool.health import Health


class AsyncPoolAdmin(BasePool):
    """All of a pool except for acquire and release, for the pool's event loop only.

    Inside one of the pool's own transitions, `suspend` and `resume` are deferred until the
    transition is complete.
    """

    _engine: AsyncEngine
    _monitor: AsyncMonitor
    _loop: object
    _cut_off: dict[int, Any]
    """Connections on loan when the pool was disposed of, by identity; kept for good."""

    @abstractmethod
    def _make_engine(self) -> None:
        """Make a core and its engine."""

    @abstractmethod
    def _check_caller(self) -> None:
        """Raise WrongLoopError unless the running loop is the pool's."""

    async def health(self) -> Health:
        """Run maintenance and report whether the pool can serve acquires.

        Maintenance finds dead and silent idle connections. While connects fail, it also opens a
        probe, at most one per `breaker_cooldown`, for at most 2 s. So an unhealthy pool recovers
        even without acquires. It waits at most 1 s for the answer of an idle connection, and takes
        at most 4 s in total.
        """
        self._check_caller()
        await self._maintain(PROBE_LIMIT)
        return self._assess(self._engine.last_error)

    # --- size and suspension ---------------------------------------------------------------------

    async def resize(self, size: int | None = None, max_overflow: int | None = None) -> None:
        """Change either or both; None keeps a value. Raises PoolConfigError.

        A larger pool serves its waiters at once. A smaller pool closes surplus idle connections
        now, and surplus connections on loan when they return.
        """
        self._check_caller()
        new_size, limit = self._resized(size, max_overflow)
        await self._engine.change(
            lambda to_close, now: self._core.resize(new_size, limit, to_close, now)
        )
        self._deferred.settle()

    def suspend(self) -> None:
        """Hand out nothing until `resume`. Acquires wait meanwhile, up to their timeout.

        Connections on loan stay on loan and may be released.
        """
        self._check_caller()
        self._do(self._core.suspend)

    def resume(self) -> None:
        """Hand out connections again, first to the waiters."""
        self._check_caller()
        self._do(self._core.resume)

    # --- emptying and closing --------------------------------------------------------------------

    async def clear(self) -> None:
        """Close idle connections now, and connections on loan when they return.

        The pool stays usable and opens new connections on demand.
        """
        self._check_caller()
        await self._engine.change(self._core.clear)
        self._deferred.settle()

    async def close_all(self) -> None:
        """Empty the pool; another name for `clear`."""
        await self.clear()

    async def close(self, drain: float | None = None) -> None:
        """Close the pool for good.

        Waiters and connecting tasks get PoolClosedError at once. Idle connections are closed now,
        connections on loan when they return. With `drain`, wait up to this many seconds for them to
        return. Then cut the remaining ones off from the server, so that their borrowers get an
        error from the driver. Returns when no task of the pool is running, after some seconds at
        most. Closing twice does nothing more. Raises PoolConfigError for a bad `drain`.

        May be called in any event loop. If the pool's own loop runs in another thread, the pool is
        closed there, as described. If it has ended or does not run, `dispose` closes the pool.
        """
        limit = drain_limit(drain)
        loop = self._loop
        if loop is None or loop is asyncio.get_running_loop():
            await self._close_here(limit)
        elif not isinstance(loop, asyncio.AbstractEventLoop):
            self._check_caller()
        elif not (is_elsewhere(loop) and await done_there(loop, lambda: self.close(drain))):
            self.dispose()

    def dispose(self) -> None:
        """Close the pool for good, at once and without its event loop; may be called anywhere.

        For a pool whose loop was closed or does not run. All connections are cut off from the
        server, also those on loan; returning one later does nothing. Raises WrongLoopError while
        the loop runs in another thread, where only `close` can end the pool, and in a forked child.
        """
        if self._is_inside():
            self._deferred.defer(self.dispose)
            return
        loop = self._loop
        ended = False
        if isinstance(loop, asyncio.AbstractEventLoop):
            if is_elsewhere(loop):
                raise WrongLoopError(
                    f"the event loop of the pool {self.name!r} runs in another thread: await "
                    "close(), which closes the pool there"
                )
            ended = loop.is_closed()
        elif loop is not None:
            self._check_caller()
        self._dispose(ended, time.monotonic())
        self._deferred.settle()

    def _dispose(self, ended: bool, now: float) -> None:
        """Let a closed core take over, then give up the old one."""
        core, engine = self._core, self._engine
        self._settings = core.settings
        self._cut_off |= {key: entry.connection for key, entry in list(core.in_use.items())}
        self._make_engine()
        self._monitor.run(self._core.take_over, core, now)
        engine.abandon(ended, now)

    async def _close_here(self, limit: float | None) -> None:
        self._loop = self._loop or asyncio.get_running_loop()
        await self._engine.close()
        if limit is not None:
            await self._engine.drain(deadline_of(limit, self._now()))
        await self._engine.settle()
        self._deferred.settle()

    # --- maintenance -----------------------------------------------------------------------------

    async def maintain(self) -> None:
        """Run one pass of maintenance.

        It closes idle connections that are dead, too old, or unused for `max_idle_time`, opens
        connections up to `min_size`, and reports long loans. It makes a round trip on idle
        connections that have not answered for `check_after`, and closes those that are silent.
        Failures are logged, not raised.
        Releases close unused connections too, but a pool without traffic or with a minimum needs
        regular calls: see `AsyncHousekeeper`.
        """
        self._check_caller()
        await self._maintain(math.inf)

    async def _maintain(self, limit: float) -> None:
        until = self._now() + limit
        await self._engine.tidy()
        await self._engine.probe(limit)
        self._engine.report_leaks()
        try:
            while self._now() < until and await self._engine.grow(limit):
                pass
        except ConnectionPoolError:
            pass  # the log and the next health report show it
        except Exception as error:
            self._log.maintenance_failed(error)
        self._deferred.settle()

    def _do(self, transition: Callable[[float], None]) -> None:
        """Run a transition now, or after the one that this call is inside of."""
        if self._is_inside():
            self._deferred.defer(lambda: self._do(transition))
            return
        try:
            self._monitor.run(transition, self._now())
        finally:
            self._deferred.settle()
