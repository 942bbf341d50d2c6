"""Opens connections in tasks, and cleans up connects whose request is gone.

A reservation outlives the request that made it. The slot of an abandoned connect becomes free only
when the connect task has ended; if that task still yields a connection, the pool closes it. So the
pool never counts fewer connections than the server may see, even with a driver that swallows a
cancellation.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from steadypool._asyncio.connect import AsyncOpener
from steadypool._asyncio.disposal import give_up
from steadypool._asyncio.monitor import AsyncMonitor
from steadypool._asyncio.release import AsyncReleasing
from steadypool._asyncio.request import AsyncAcquireRequest
from steadypool._asyncio.tasks import OutOfTimeError, cancel, results_of
from steadypool._common.deferred import Deferred
from steadypool._common.log import PoolLog
from steadypool._core.backoff import Backoff
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry, Step
from steadypool._core.failures import reason_of
from steadypool._drivers.async_dbapi import abort, adopt
from steadypool._drivers.cutting import cut_off
from steadypool._drivers.refusals import is_full, is_transient
from steadypool._drivers.silence import SignsOfLife
from steadypool.errors import (
    ConnectionFailedError,
    ConnectionPoolError,
    ConnectionValidationError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.events import CloseReason, FailReason
from steadypool.protocols import AsyncClock

T = TypeVar("T")

_GRACE = 0.1
"""Clock seconds that a timed-out acquire still waits for its cancelled connect or its close."""
_LAST_WAIT = 5.0
"""Clock seconds that a closing pool waits for its tasks to end."""


class AsyncConnecting(AsyncReleasing):
    """Opens the connections of one core, on one event loop."""

    def __init__(
        self,
        core: Core,
        monitor: AsyncMonitor,
        clock: AsyncClock,
        opener: AsyncOpener,
        log: PoolLog,
        deferred: Deferred,
        random: Callable[[], float],
    ) -> None:
        super().__init__(core, monitor, clock, opener, log)
        self._deferred = deferred
        self.last_error: str | None = None
        """The explanation of the last failed connect."""
        self._random = random
        self._watches_loans = core.settings.leak_after != math.inf
        self._connects: dict[AcquireRequest, tuple[asyncio.Task[Any], float]] = {}

    async def fill(self) -> None:
        """Open the first connections; raises PoolInitializationError."""
        try:
            while await self.grow(math.inf):
                pass
        except ConnectionFailedError as error:
            raise PoolInitializationError(str(error)) from (error.__cause__ or error)
        except ConnectionPoolError:
            raise
        except Exception as error:
            raise PoolInitializationError(self._opener.explain(error)) from error

    async def grow(self, timeout: float) -> bool:
        """Open one connection if the pool is below its minimum; return False if it is not.

        Raises the same errors as an acquire, but makes a single attempt.
        """
        now = self._now()
        request = AsyncAcquireRequest(self._clock)
        if not self._run(self._core.grow, request, now):
            return False
        try:
            await self._open(request, Backoff.once(timeout, now))
        except BaseException as error:
            await self._abandon(request, error)
            raise
        await self._withdraw(request, FailReason.INTERRUPTED)  # the connection becomes idle
        self._deferred.settle()
        return True

    async def close(self) -> None:
        """Close the pool: fail all pending requests, then close the idle connections."""
        await self.change(self._close_core)

    def _close_core(self, to_close: list[PoolEntry], now: float) -> None:
        self._core.close(to_close, now)
        cancel(task for task, _ in self._connects.values())  # their requests then fail as well
        for entry in self._probed:
            abort(entry.connection)

    def abandon(self, ended: bool, now: float) -> None:
        """Cut off all connections and give up all work; `ended`: the event loop is closed."""
        for entry in list(self.live):
            cut_off(entry.connection, ended)
        if ended:
            self._core.waiters.clear()  # nothing can wake them
            self._core.backing_off.clear()
        self._run(self._core.abandon, now)
        for task in self._tasks.running():
            give_up(task, ended)

    async def settle(self) -> None:
        """Cancel resets under way, and wait up to 5 s until no task of the pool is left."""
        self.stop_resets()
        await self._tasks.settle(_LAST_WAIT)

    # --- connecting ------------------------------------------------------------------------------

    async def _open(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        began = self._now()
        if backoff.deadline is not None and began >= backoff.deadline:
            raise self._timeout_error(backoff)
        task = self._tasks.spawn(self._opener.open(backoff.left(began)))
        self._connects[request] = (task, began)
        if not await self._tasks.ended(task, backoff.deadline):
            raise self._timeout_error(backoff)
        try:
            connection = self._outcome(task)
        except Exception as error:
            self._connect_failed(request, backoff, error)
            return
        finally:
            del self._connects[request]
        request.entry = self._new_entry(connection, began)
        request.entry.session = adopt(connection)
        if self._opener.sets_up:
            await self._within(self._opener.set_up(request.entry), backoff)
        outage = self._run(self._core.opened, request, self._now())
        if outage is not None:
            self._log.server_recovered(outage)

    def _outcome(self, task: asyncio.Task[Any]) -> Any:
        try:
            return task.result()
        except asyncio.CancelledError:
            for connection in results_of(task):
                return connection
            if self._core.is_closed:  # closing the pool cancelled the task
                raise self._core.closed_error() from None
            raise

    def _connect_failed(
        self, request: AsyncAcquireRequest, backoff: Backoff, error: Exception
    ) -> None:
        """Record a failed connect; raise unless the request retries after its backoff."""
        if self._core.is_closed:
            raise self._core.closed_error() from error
        now = self._now()
        transient = is_transient(error)
        until = backoff.retry_at(request.attempts, self._random, now) if transient else None
        self._record_failure(request, error, transient, until)
        if request.step is Step.BACKOFF:
            self._log.connect_retry(request.attempts + 1, request.until - now)
        if request.step is not Step.FAILED:
            return
        if backoff.deadline is not None and now >= backoff.deadline:
            raise self._timeout_error(backoff) from error
        kind = ConnectionValidationError if request.broken else ConnectionFailedError
        raise kind(self.last_error) from error

    def _record_failure(
        self, request: AsyncAcquireRequest, error: Exception, counts: bool, until: float | None
    ) -> None:
        now, outage, refuses, waiter = self._now(), None, 0, request.next_waiter()
        if is_full(error):
            outage = self._run(self._core.refused, request, waiter, until, now)
        else:
            refuses = self._run(self._core.failed, request, waiter, counts, until, now)
        self.last_error = self._opener.explain(error)
        self._log.connect_failed(error, request.attempts)
        if refuses:
            self._log.server_unavailable(refuses)
        if outage is not None:
            self._log.server_recovered(outage)

    # --- abandoning ------------------------------------------------------------------------------

    async def _abandon(self, request: AsyncAcquireRequest, error: BaseException) -> None:
        """Release everything the request owns; a running connect keeps its slot until it ends."""
        reason = reason_of(error)
        waits = isinstance(error, Exception)  # a cancelled task returns without waiting
        connect, began = self._connects.pop(request, (None, 0.0))
        if connect is None:
            await self._withdraw(request, reason, waits)
            return
        connect.cancel()
        if connect.done():
            self._connect_ended(connect, began, request, reason)
            return
        connect.add_done_callback(lambda task: self._connect_ended(task, began, request, reason))
        if waits:
            await self._tasks.ended(connect, self._now() + _GRACE)

    async def _withdraw(
        self, request: AsyncAcquireRequest, reason: FailReason, waits: bool = True
    ) -> None:
        entry = self._run(self._core.withdraw, request, reason, self._now())
        if entry is not None:
            task = self._tasks.spawn(self._discard(entry))
            if waits:
                late = reason is FailReason.TIMEOUT
                await self._tasks.ended(task, self._now() + _GRACE if late else None)

    def _connect_ended(
        self,
        task: asyncio.Task[Any],
        began: float,
        request: AsyncAcquireRequest,
        reason: FailReason,
    ) -> None:
        """Record the end of a connect whose request was abandoned."""
        if results := results_of(task):
            request.entry = self._new_entry(results[0], began)
        elif reason is FailReason.TIMEOUT:
            error = TimeoutError("cancelled by the timeout of the acquire")
            self._record_failure(request, error, True, None)
        entry = self._run(self._core.withdraw, request, reason, self._now())
        if entry is not None:
            entry.reason = entry.reason or CloseReason.ERROR
            self._tasks.spawn(self._discard(entry))

    # --- parts -----------------------------------------------------------------------------------

    async def _within(self, work: Awaitable[T], backoff: Backoff) -> T:
        try:
            return await self._tasks.within(work, backoff.deadline)
        except OutOfTimeError:
            raise self._timeout_error(backoff) from None

    def _timeout_error(self, backoff: Backoff) -> PoolTimeoutError:
        return self._core.timeout_error(self._now() - backoff.started)

    def _new_entry(self, connection: Any, began: float) -> PoolEntry:
        now, settings = self._now(), self._core.settings
        recycle = settings.recycle
        if settings.recycle_jitter:
            recycle *= 1 - settings.recycle_jitter * self._random()
        entry = PoolEntry(connection, 0, now, recycle, now - began)
        if isinstance(connection, SignsOfLife):
            connection.keep_time(self._now)
            entry.reports_answers = True
        self.live.add(entry)
        return entry
