"""Opening connections for asyncio, and what becomes of a connect that nobody waits for any more.

A reservation outlives whoever made it: the slot of a connect that was given up is passed on when
the connect has really ended, and a connection that it yields after all is closed. So the pool never
counts less than the server may see, and a driver that swallows a cancellation changes nothing.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from steadypool._asyncio.connect import AsyncOpener
from steadypool._asyncio.release import AsyncReturns
from steadypool._asyncio.request import AsyncAcquireRequest
from steadypool._asyncio.tasks import OutOfTimeError, cancel
from steadypool._common.deferred import DeferredInterrupts
from steadypool._common.log import PoolLog
from steadypool._core.backoff import Backoff
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry, Step
from steadypool._core.failures import reason_of
from steadypool._drivers.dbapi import may_mend
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
"""Seconds of the clock that a timeout waits for: for a connect cut short, or for a close."""
_LAST_WAIT = 5.0
"""Seconds of the clock that a closing pool waits for its tasks."""


class AsyncConnects(AsyncReturns):
    """Works for one core, on one event loop."""

    def __init__(
        self,
        core: Core,
        clock: AsyncClock,
        opener: AsyncOpener,
        log: PoolLog,
        interrupts: DeferredInterrupts,
        random: Callable[[], float],
    ) -> None:
        super().__init__(core, clock, opener, log)
        self._interrupts = interrupts
        self.last_error: str | None = None
        """Why the last failed connect did."""
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
        """Open a connection that nobody asked for, if one is missing; False if none is.

        Raises like an acquire, but tries once only.
        """
        now = self._now()
        request = AsyncAcquireRequest(self._clock)
        if not self._core.grow(request, now):
            return False
        try:
            await self._open(request, Backoff.once(timeout, now))
        except BaseException as error:
            await self._give_up(request, error)
            raise
        await self._withdraw(request, FailReason.INTERRUPTED)  # it finds its place
        self._interrupts.go_on()
        return True

    async def shut(self) -> None:
        """Close the pool: refuse who waits or connects, then take leave of what is idle."""
        await self.change(self._shut)

    def _shut(self, doomed: list[PoolEntry], now: float) -> None:
        self._core.close(doomed, now)
        cancel(task for task, _ in self._connects.values())  # who waits for one is refused

    async def settle(self) -> None:
        """Break off resets, and wait until no task is left, some seconds at most."""
        self.stop_resets()
        await self._tasks.settle(_LAST_WAIT)

    # --- connecting ------------------------------------------------------------------------------

    async def _open(self, request: AsyncAcquireRequest, patience: Backoff) -> None:
        began = self._now()
        if patience.limit is not None and began >= patience.limit:
            raise self._too_late(patience)
        task = self._tasks.spawn(self._opener.open())
        self._connects[request] = (task, began)
        if not await self._tasks.ended(task, patience.limit):
            raise self._too_late(patience)
        try:
            connection = self._outcome(task)
        except Exception as error:
            self._connect_failed(request, patience, error)
            return
        finally:
            del self._connects[request]
        request.entry = self._new_slot(connection, began)
        if self._opener.sets_up:
            await self._within(self._opener.set_up(connection), patience)
        outage = self._core.opened(request, self._now())
        if outage is not None:
            self._log.server_recovered(outage)

    def _outcome(self, task: asyncio.Task[Any]) -> Any:
        try:
            return task.result()
        except asyncio.CancelledError:
            if self._core.is_closed:  # it was the pool that cancelled it
                raise self._core.closed_error() from None
            raise

    def _connect_failed(
        self, request: AsyncAcquireRequest, patience: Backoff, error: Exception
    ) -> None:
        """Report a failed connect; raises unless it is to be tried again."""
        if self._core.is_closed:
            raise self._core.closed_error() from error
        now = self._now()
        mends = may_mend(error)
        until = patience.retry_at(request.attempts, self._random, now) if mends else None
        request.renew()
        self._book_failure(request, error, mends, until)
        if request.step is Step.REST:
            self._log.connect_retry(request.attempts + 1, request.until - now)
            return
        if patience.limit is not None and now >= patience.limit:
            raise self._too_late(patience) from error
        kind = ConnectionValidationError if request.broken else ConnectionFailedError
        raise kind(self.last_error) from error

    def _book_failure(
        self, request: AcquireRequest, error: Exception, counts: bool, until: float | None
    ) -> None:
        given_up = self._core.failed(request, counts, until, self._now())
        self.last_error = self._opener.explain(error)
        self._log.connect_failed(error, request.attempts)
        if given_up:
            self._log.server_unavailable(self._core.breaker.failures)

    # --- giving up -------------------------------------------------------------------------------

    async def _give_up(self, request: AsyncAcquireRequest, error: BaseException) -> None:
        """Return what the acquire owned; a connect under way keeps its slot until it has ended."""
        reason = reason_of(error)
        waits = isinstance(error, Exception)  # a cancelled task leaves at once
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
        entry = self._core.withdraw(request, reason, self._now())
        if entry is not None:
            task = self._tasks.spawn(self._discard(entry))
            if waits:
                late = reason is FailReason.TIMEOUT
                await self._tasks.ended(task, self._now() + _GRACE if late else None)

    def _connect_ended(
        self, task: asyncio.Task[Any], began: float, request: AcquireRequest, reason: FailReason
    ) -> None:
        """Book the end of a connect that nobody waits for any more."""
        if not task.cancelled() and task.exception() is None:
            request.entry = self._new_slot(task.result(), began)
        elif reason is FailReason.TIMEOUT:
            error = TimeoutError("cut short by the timeout of the acquire")
            self._book_failure(request, error, True, None)
        entry = self._core.withdraw(request, reason, self._now())
        if entry is not None:
            entry.reason = entry.reason or CloseReason.ERROR
            self._tasks.spawn(self._discard(entry))

    # --- parts -----------------------------------------------------------------------------------

    async def _within(self, work: Awaitable[T], patience: Backoff) -> T:
        try:
            return await self._tasks.within(work, patience.limit)
        except OutOfTimeError:
            raise self._too_late(patience) from None

    def _too_late(self, patience: Backoff) -> PoolTimeoutError:
        return self._core.timeout_error(self._now() - patience.started)

    def _new_slot(self, connection: Any, began: float) -> PoolEntry:
        now, settings = self._now(), self._core.settings
        recycle = settings.recycle
        if settings.recycle_jitter:
            recycle *= 1 - settings.recycle_jitter * self._random()
        return PoolEntry(connection, 0, now, recycle, now - began)
