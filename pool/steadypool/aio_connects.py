"""Opening connections for asyncio, and what becomes of a connect that nobody waits for any more.

A reservation outlives whoever made it: the slot of a connect that was given up is passed on when
the connect has really ended, and a connection that it yields after all is closed. So the pool never
counts less than the server may see, and a driver that swallows a cancellation changes nothing.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from steadypool.aio_opener import AsyncOpener
from steadypool.aio_returns import AsyncReturns
from steadypool.aio_tasks import OutOfTimeError, cancel
from steadypool.aio_ticket import AsyncTicket
from steadypool.core import Core
from steadypool.driver import may_mend
from steadypool.engine import reason_of
from steadypool.errors import (
    ConnectionFailedError,
    ConnectionPoolError,
    ConnectionValidationError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.events import CloseReason, FailReason
from steadypool.interrupts import Interrupts
from steadypool.journal import Journal
from steadypool.patience import Patience
from steadypool.protocols import AsyncClock
from steadypool.states import Slot, Step, Ticket

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
        journal: Journal,
        interrupts: Interrupts,
        random: Callable[[], float],
    ) -> None:
        super().__init__(core, clock, opener, journal)
        self._interrupts = interrupts
        self.last_error: str | None = None
        """Why the last failed connect did."""
        self._random = random
        self._watches_loans = core.rules.leak_after != math.inf
        self._connects: dict[Ticket, tuple[asyncio.Task[Any], float]] = {}

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
        ticket = AsyncTicket(self._clock)
        if not self._core.grow(ticket, now):
            return False
        try:
            await self._open(ticket, Patience.once(timeout, now))
        except BaseException as error:
            await self._give_up(ticket, error)
            raise
        await self._withdraw(ticket, FailReason.INTERRUPTED)  # it finds its place
        self._interrupts.go_on()
        return True

    async def shut(self) -> None:
        """Close the pool: refuse who waits or connects, then take leave of what is idle."""
        await self.change(self._shut)

    def _shut(self, doomed: list[Slot], now: float) -> None:
        self._core.close(doomed, now)
        cancel(task for task, _ in self._connects.values())  # who waits for one is refused

    async def settle(self) -> None:
        """Break off resets, and wait until no task is left, some seconds at most."""
        self.stop_resets()
        await self._tasks.settle(_LAST_WAIT)

    # --- connecting ------------------------------------------------------------------------------

    async def _open(self, ticket: AsyncTicket, patience: Patience) -> None:
        began = self._now()
        if patience.limit is not None and began >= patience.limit:
            raise self._too_late(patience)
        task = self._tasks.spawn(self._opener.open())
        self._connects[ticket] = (task, began)
        if not await self._tasks.ended(task, patience.limit):
            raise self._too_late(patience)
        try:
            connection = self._outcome(task)
        except Exception as error:
            self._connect_failed(ticket, patience, error)
            return
        finally:
            del self._connects[ticket]
        ticket.slot = self._new_slot(connection, began)
        if self._opener.sets_up:
            await self._within(self._opener.set_up(connection), patience)
        outage = self._core.opened(ticket, self._now())
        if outage is not None:
            self._journal.server_recovered(outage)

    def _outcome(self, task: asyncio.Task[Any]) -> Any:
        try:
            return task.result()
        except asyncio.CancelledError:
            if self._core.is_closed:  # it was the pool that cancelled it
                raise self._core.closed_error() from None
            raise

    def _connect_failed(self, ticket: AsyncTicket, patience: Patience, error: Exception) -> None:
        """Report a failed connect; raises unless it is to be tried again."""
        if self._core.is_closed:
            raise self._core.closed_error() from error
        now = self._now()
        mends = may_mend(error)
        until = patience.retry_at(ticket.attempts, self._random, now) if mends else None
        ticket.renew()
        self._book_failure(ticket, error, mends, until)
        if ticket.step is Step.REST:
            self._journal.connect_retry(ticket.attempts + 1, ticket.until - now)
            return
        if patience.limit is not None and now >= patience.limit:
            raise self._too_late(patience) from error
        kind = ConnectionValidationError if ticket.broken else ConnectionFailedError
        raise kind(self.last_error) from error

    def _book_failure(
        self, ticket: Ticket, error: Exception, counts: bool, until: float | None
    ) -> None:
        given_up = self._core.failed(ticket, counts, until, self._now())
        self.last_error = self._opener.explain(error)
        self._journal.connect_failed(error, ticket.attempts)
        if given_up:
            self._journal.server_unavailable(self._core.breaker.failures)

    # --- giving up -------------------------------------------------------------------------------

    async def _give_up(self, ticket: AsyncTicket, error: BaseException) -> None:
        """Return what the acquire owned; a connect under way keeps its slot until it has ended."""
        reason = reason_of(error)
        waits = isinstance(error, Exception)  # a cancelled task leaves at once
        connect, began = self._connects.pop(ticket, (None, 0.0))
        if connect is None:
            await self._withdraw(ticket, reason, waits)
            return
        connect.cancel()
        if connect.done():
            self._connect_ended(connect, began, ticket, reason)
            return
        connect.add_done_callback(lambda task: self._connect_ended(task, began, ticket, reason))
        if waits:
            await self._tasks.ended(connect, self._now() + _GRACE)

    async def _withdraw(self, ticket: AsyncTicket, reason: FailReason, waits: bool = True) -> None:
        slot = self._core.withdraw(ticket, reason, self._now())
        if slot is not None:
            task = self._tasks.spawn(self._discard(slot))
            if waits:
                late = reason is FailReason.TIMEOUT
                await self._tasks.ended(task, self._now() + _GRACE if late else None)

    def _connect_ended(
        self, task: asyncio.Task[Any], began: float, ticket: Ticket, reason: FailReason
    ) -> None:
        """Book the end of a connect that nobody waits for any more."""
        if not task.cancelled() and task.exception() is None:
            ticket.slot = self._new_slot(task.result(), began)
        elif reason is FailReason.TIMEOUT:
            error = TimeoutError("cut short by the timeout of the acquire")
            self._book_failure(ticket, error, True, None)
        slot = self._core.withdraw(ticket, reason, self._now())
        if slot is not None:
            slot.reason = slot.reason or CloseReason.ERROR
            self._tasks.spawn(self._discard(slot))

    # --- parts -----------------------------------------------------------------------------------

    async def _within(self, work: Awaitable[T], patience: Patience) -> T:
        try:
            return await self._tasks.within(work, patience.limit)
        except OutOfTimeError:
            raise self._too_late(patience) from None

    def _too_late(self, patience: Patience) -> PoolTimeoutError:
        return self._core.timeout_error(self._now() - patience.started)

    def _new_slot(self, connection: Any, began: float) -> Slot:
        now, rules = self._now(), self._core.rules
        recycle = rules.recycle
        if rules.recycle_jitter:
            recycle *= 1 - rules.recycle_jitter * self._random()
        return Slot(connection, 0, now, recycle, now - began)
