"""What an acquire costs in asyncio when it is not free: waiting, and I/O.

The core says what is to be done, step by step; the engine does it and reports back. Whatever is
raised meanwhile, by the driver, by a hook, by the clock or by a cancellation, what the ticket owns
is given back before the exception goes on.

A reservation outlives whoever made it: the slot of a connect that was given up is passed on when
the connect has really ended, and a connection that it yields after all is closed. So the pool never
counts less than the server may see, and a driver that swallows a cancellation changes nothing.
"""

import asyncio
import inspect
import math
from collections.abc import Callable
from typing import Any, cast

from steadypool import aio_connections as connections
from steadypool import callers
from steadypool.aio_opener import AsyncOpener
from steadypool.aio_returns import AsyncReturns
from steadypool.aio_tasks import cancel
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
from steadypool.journal import Journal
from steadypool.patience import Patience
from steadypool.protocols import AsyncClock, AsyncWaiter, Waiter
from steadypool.states import Slot, Step, Ticket

_GRACE = 0.1
"""Seconds of the clock that a connect cut short by a timeout is waited for."""
_LAST_WAIT = 5.0
"""Seconds of the clock that a closing pool waits for its tasks."""


class AsyncTicket(Ticket):
    """A ticket whose holder is a task."""

    __slots__ = ("_clock", "_place")

    def __init__(self, clock: AsyncClock) -> None:
        self._clock = clock
        self._place: AsyncWaiter = clock.waiter()
        super().__init__(cast(Waiter, self._place))  # the core does no more than wake it

    def renew(self) -> None:
        """Take another waiter, before the ticket may be queued again."""
        self._place = self._clock.waiter()
        self.waiter = cast(Waiter, self._place)

    async def wait(self, deadline: float | None) -> bool:
        """Wait to be woken, until the deadline at most."""
        return await self._place.wait(deadline)


class AsyncEngine(AsyncReturns):
    """Works for one core, on one event loop."""

    def __init__(
        self,
        core: Core,
        clock: AsyncClock,
        opener: AsyncOpener,
        journal: Journal,
        random: Callable[[], float],
    ) -> None:
        super().__init__(core, clock, opener, journal)
        self.last_error: str | None = None
        """Why the last failed connect did."""
        self._random = random
        self._watches_loans = core.rules.leak_after != math.inf
        self._connects: dict[Ticket, tuple[asyncio.Task[Any], float]] = {}

    async def acquire(self, timeout: float) -> Any:
        """Borrow a connection: wait, check, replace, open or rest, as the core asks."""
        started = self._now()
        ticket = AsyncTicket(self._clock)
        if self._watches_loans:
            self.report_leaks()
        try:
            self._core.start(ticket, started)
            await self._carry_out(ticket, Patience.of(timeout, started))
            assert ticket.slot is not None
            return ticket.slot.connection
        except BaseException as error:
            await self._give_up(ticket, error)
            raise

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
        return True

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

    def stop_connects(self) -> None:
        """Break off the connects under way; whoever waits for one is refused by the closed pool."""
        cancel(task for task, _ in self._connects.values())

    async def settle(self) -> None:
        """Break off resets, and wait until no task is left, some seconds at most."""
        self.stop_resets()
        await self._tasks.settle(_LAST_WAIT)

    # --- the steps -------------------------------------------------------------------------------

    async def _carry_out(self, ticket: AsyncTicket, patience: Patience) -> None:
        """Do what the core asks of this acquire, until the connection is out."""
        while (step := ticket.step) is not Step.OUT:
            if step is Step.WAIT:
                await self._wait(ticket, patience)
            elif step is Step.TAKE:
                await self._take(ticket, patience)
            elif step is Step.CHECK or step is Step.VALIDATE:
                await self._look(ticket, patience)
            elif step is Step.REPLACE:
                await self._replace(ticket, patience)
            elif step is Step.OPEN:
                await self._open(ticket, patience)
            elif step is Step.REST:
                await self._rest(ticket)
            else:
                raise self._core.refusal(ticket)

    async def _wait(self, ticket: AsyncTicket, patience: Patience) -> None:
        await ticket.wait(patience.deadline)
        if ticket.step is Step.WAIT:  # a turn that came at the very moment of the deadline counts
            raise self._too_late(patience)

    async def _take(self, ticket: AsyncTicket, patience: Patience) -> None:
        slot = ticket.slot
        assert slot is not None
        if self._core.rules.hooked:
            slot.reason = CloseReason.ERROR  # until the hook has gone well
            await self._prepare(slot.connection, patience)
            slot.reason = None
        if self._watches_loans:
            slot.holder, slot.where = _task_name(), callers.whereabouts()
        self._core.checkout(ticket, self._now())

    async def _prepare(self, connection: Any, patience: Patience) -> None:
        answer = self._opener.prepare(connection)
        if inspect.isawaitable(answer):
            await self._within(_awaited(answer), patience)

    async def _look(self, ticket: AsyncTicket, patience: Patience) -> None:
        assert ticket.slot is not None
        connection = ticket.slot.connection
        if ticket.step is Step.VALIDATE:
            good = await self._within(connections.answers(connection), patience)
        else:
            good = connections.alive(connection)
        self._core.checked(ticket, good)
        if not good:
            self._journal.connection_invalid()

    async def _replace(self, ticket: AsyncTicket, patience: Patience) -> None:
        assert ticket.slot is not None
        if not await self._tasks.ended(self._close(ticket.slot), patience.limit):
            raise self._too_late(patience)
        ticket.renew()
        self._core.retired(ticket, self._now())

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
        given_up = self._core.failed(ticket, mends, until, now)
        self.last_error = self._opener.explain(error)
        self._journal.connect_failed(error, ticket.attempts)
        if given_up:
            self._journal.server_unavailable(self._core.breaker.failures)
        if ticket.step is Step.REST:
            self._journal.connect_retry(ticket.attempts + 1, ticket.until - now)
            return
        if patience.limit is not None and now >= patience.limit:
            raise self._too_late(patience) from error
        kind = ConnectionValidationError if ticket.broken else ConnectionFailedError
        raise kind(self.last_error) from error

    async def _rest(self, ticket: AsyncTicket) -> None:
        await ticket.wait(ticket.until)  # cut short only when the pool is closed
        ticket.renew()
        self._core.rested(ticket, self._now())

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
                await self._tasks.ended(task)

    def _connect_ended(
        self, task: asyncio.Task[Any], began: float, ticket: Ticket, reason: FailReason
    ) -> None:
        """Book the end of a connect that nobody waits for any more."""
        if not task.cancelled() and task.exception() is None:
            ticket.slot = self._new_slot(task.result(), began)
        slot = self._core.withdraw(ticket, reason, self._now())
        if slot is not None:
            slot.reason = slot.reason or CloseReason.ERROR
            self._tasks.spawn(self._discard(slot))

    # --- parts -----------------------------------------------------------------------------------

    async def _within(self, work: Any, patience: Patience) -> Any:
        try:
            return await self._tasks.within(work, patience.limit)
        except TimeoutError:
            raise self._too_late(patience) from None

    def _too_late(self, patience: Patience) -> PoolTimeoutError:
        return self._core.timeout_error(self._now() - patience.started)

    def _new_slot(self, connection: Any, began: float) -> Slot:
        now, rules = self._now(), self._core.rules
        recycle = rules.recycle
        if rules.recycle_jitter:
            recycle *= 1 - rules.recycle_jitter * self._random()
        return Slot(connection, 0, now, recycle, now - began)


async def _awaited(answer: Any) -> Any:
    return await answer


def _task_name() -> str | None:
    task = asyncio.current_task()
    return None if task is None else task.get_name()
