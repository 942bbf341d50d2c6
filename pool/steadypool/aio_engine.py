"""What an acquire or a return costs in asyncio when it is not free: waiting, and I/O.

The core says what is to be done; the engine does it and reports back. Between two awaits nothing
else runs, so the event loop is the lock. Rules:

* **A cancelled task leaves at once.** It waits in one way only, on a waiter of the clock; whatever
  takes long runs in a task of the engine, which goes on or is cancelled by itself.
* **A reservation outlives whoever made it.** The slot of a connect that was given up is passed on
  when the connect has really ended, and a connection that it yields after all is closed. So the
  pool never counts less than the server may see, and a driver that swallows a cancellation
  changes nothing.
* **A return is booked before the first await**; to roll back and to close is a task's work, which
  a cancelled `release` does not stop.

The tasks are known, and `close` of the pool waits for them.
"""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, TypeVar

from steadypool import aio_connections as connections
from steadypool.aio_opener import AsyncOpener
from steadypool.core import Core
from steadypool.errors import (
    ConnectionFailedError,
    PoolClosedError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.events import CloseReason, FailReason
from steadypool.protocols import AsyncClock
from steadypool.states import ConnectionState, Slot, Step, Ticket

T = TypeVar("T")

_PATIENCE = 0.1
"""Seconds of the clock that a connect cut short by a timeout is waited for."""
_LAST_WAIT = 5.0
"""Seconds of the clock that the end of the engine's tasks is waited for."""


class AsyncEngine:
    """Works for one core, on one event loop."""

    def __init__(self, core: Core, clock: AsyncClock, opener: AsyncOpener) -> None:
        self._core = core
        self._clock = clock
        self._now = clock.now
        self._opener = opener
        self._tasks: set[asyncio.Task[Any]] = set()
        self._connects: dict[Ticket, asyncio.Task[Slot]] = {}
        self._resets: set[asyncio.Task[Any]] = set()
        self._closes: dict[Slot, asyncio.Task[None]] = {}

    # --- acquiring -------------------------------------------------------------------------------

    async def acquire(self, timeout: float) -> Any:
        """Borrow a connection: wait, check, replace or open, as the core asks."""
        started = self._now()
        deadline = None if timeout == math.inf else started + timeout
        waiter = self._clock.waiter()
        ticket = Ticket(waiter)  # type: ignore[arg-type]  # the core does no more than wake it
        try:
            self._core.start(ticket, started)
            if ticket.step is Step.WAIT:
                await waiter.wait(deadline)
                if ticket.step is Step.WAIT:
                    raise self._core.timeout_error(self._now() - started)
            await self._carry_out(ticket, started, None if timeout == 0 else deadline)
            assert ticket.slot is not None
            return ticket.slot.connection
        except BaseException as error:
            await self._give_up(ticket, error)
            raise

    async def _carry_out(self, ticket: Ticket, started: float, deadline: float | None) -> None:
        """Do what the core asks of this acquire, until the connection is out."""
        if ticket.step is Step.CHECK and ticket.slot is not None:
            self._core.checked(ticket, connections.alive(ticket.slot.connection), self._now())
        if ticket.step is Step.REPLACE and ticket.slot is not None:
            await self._ended(self._close(ticket.slot), None)
            self._core.retired(ticket, self._now())
        if ticket.step is Step.OPEN:
            await self._open(ticket, started, deadline)
        elif ticket.step is Step.TAKE:
            self._core.checkout(ticket, self._now())
        elif ticket.step is Step.REFUSED:
            raise self._core.closed_error()

    async def _open(self, ticket: Ticket, started: float, deadline: float | None) -> None:
        if deadline is not None and self._now() >= deadline:
            raise self._core.timeout_error(self._now() - started)
        task = self._connects[ticket] = self._spawn(self._new_slot())
        if not await self._ended(task, deadline):
            raise self._core.timeout_error(self._now() - started)
        ticket.slot = self._slot_of(task, ConnectionFailedError)
        del self._connects[ticket]
        self._core.opened(ticket, self._now())

    def _slot_of(self, task: asyncio.Task[Slot], failure: type[ConnectionFailedError]) -> Slot:
        """Return what a connect that has ended yields, or raise why it failed."""
        try:
            return task.result()
        except asyncio.CancelledError:
            if self._core.is_closed:  # it was the pool that cancelled it
                raise self._core.closed_error() from None
            raise
        except Exception as error:
            raise failure(self._opener.explain(error)) from error

    async def _give_up(self, ticket: Ticket, error: BaseException) -> None:
        """Return what the acquire owned; a connect under way keeps its slot until it has ended."""
        reason = _reason(error)
        connect = self._connects.pop(ticket, None)
        if connect is None:
            await self._withdraw(ticket, error, reason)
        elif connect.done():
            self._connect_ended(connect, ticket, reason)
        else:
            connect.add_done_callback(lambda task: self._connect_ended(task, ticket, reason))
            connect.cancel()
            if isinstance(error, Exception):
                await self._ended(connect, self._now() + _PATIENCE)

    async def _withdraw(self, ticket: Ticket, error: BaseException, reason: FailReason) -> None:
        slot = self._core.withdraw(ticket, reason, self._now())
        if slot is not None:
            task = self._spawn(self._discard(slot))
            if isinstance(error, Exception):
                await self._ended(task, None)

    def _connect_ended(self, task: asyncio.Task[Slot], ticket: Ticket, reason: FailReason) -> None:
        """Book the end of a connect that nobody waits for any more."""
        if not task.cancelled() and task.exception() is None:
            ticket.slot = task.result()
        slot = self._core.withdraw(ticket, reason, self._now())
        if slot is not None:
            self._spawn(self._discard(slot))

    # --- giving back -----------------------------------------------------------------------------

    async def put_right(self, slot: Slot, state: ConnectionState) -> None:
        """Roll back or close a connection that came back; its slot is reserved meanwhile.

        That goes on if the caller is cancelled.
        """
        await self._finished(self._spawn(self._put_right(slot, state)))

    def put_away(self, slot: Slot) -> None:
        """After a release that was cut short: close a connection that is nowhere."""
        if slot.returning:
            slot.reason = slot.reason or CloseReason.DIRTY
            self._spawn(self._discard(slot))

    async def discard(self, slots: list[Slot]) -> None:
        """Close connections that the core has given up; goes on if the caller is cancelled."""
        tasks = [self._spawn(self._discard(slot)) for slot in slots]
        for task in tasks:
            await self._finished(task)

    async def _put_right(self, slot: Slot, state: ConnectionState) -> None:
        if slot.reason is None:
            if state is ConnectionState.IN_TRANSACTION and await self._roll_back(slot):
                self._core.reset(slot, self._now())
            else:
                slot.reason = CloseReason.DIRTY
        if slot.returning:
            await self._discard(slot)

    async def _roll_back(self, slot: Slot) -> bool:
        task = asyncio.current_task()
        assert task is not None
        self._resets.add(task)
        try:
            return await connections.rollback(slot.connection)
        except asyncio.CancelledError:  # the pool is being closed, or the loop
            return False
        finally:
            self._resets.discard(task)

    async def _discard(self, slot: Slot) -> None:
        try:
            await self._ended(self._close(slot), None)
        finally:
            self._core.freed(slot, self._now())

    def _close(self, slot: Slot) -> asyncio.Task[None]:
        """Begin to close a connection, if that has not begun already."""
        task = self._closes.get(slot)
        if task is None:
            task = self._closes[slot] = self._spawn(connections.close(slot.connection))
            task.add_done_callback(lambda _: self._closes.pop(slot))
        return task

    # --- the pool as a whole ---------------------------------------------------------------------

    async def fill(self, count: int) -> None:
        """Open the first connections; raises PoolInitializationError."""
        for _ in range(count):
            task = self._spawn(self._new_slot())
            try:
                await self._ended(task, None)
            except BaseException:
                task.add_done_callback(self._drop)
                task.cancel()
                raise
            slot = self._slot_of(task, PoolInitializationError)
            self._core.add_idle(slot, self._now())

    async def settle(self) -> None:
        """Break off connects and resets, and wait for all tasks to end, a few seconds at most."""
        for task in [*self._connects.values(), *self._resets]:
            task.cancel()
        deadline = self._now() + _LAST_WAIT
        while self._now() < deadline:
            others = self._tasks - {asyncio.current_task()}
            if not others:
                return
            await self._ended(others.pop(), deadline)

    # --- tasks -----------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        self._clock.enter()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._left)
        return task

    def _left(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # Not before those who wait for it have been woken, or time could pass in between.
        asyncio.get_running_loop().call_soon(self._clock.leave)

    async def _ended(self, task: asyncio.Task[Any], deadline: float | None) -> bool:
        """Wait for a task, which goes on if the wait is cancelled; False at the deadline."""
        if not task.done():
            waiter = self._clock.waiter()
            task.add_done_callback(lambda _: waiter.wake())
            await waiter.wait(deadline)
        return task.done()

    async def _finished(self, task: asyncio.Task[T]) -> T:
        await self._ended(task, None)
        return task.result()

    async def _new_slot(self) -> Slot:
        began = self._now()
        connection = await self._opener.open()
        now = self._now()
        return Slot(connection, self._core.generation, now, self._core.rules.recycle, now - began)

    def _drop(self, task: asyncio.Task[Slot]) -> None:
        """Close what a connect yields after it was given up before the pool began."""
        if not task.cancelled() and task.exception() is None:
            self._spawn(connections.close(task.result().connection))


def _reason(error: BaseException) -> FailReason:
    if isinstance(error, PoolTimeoutError):
        return FailReason.TIMEOUT
    if isinstance(error, PoolClosedError):
        return FailReason.POOL_CLOSED
    if isinstance(error, ConnectionFailedError):
        return FailReason.CONNECTION_ERROR
    return FailReason.INTERRUPTED
