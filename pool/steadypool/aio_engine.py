"""What an acquire costs in asyncio when it is not free: waiting, and I/O.

The core says what is to be done, step by step; the engine does it and reports back. Whatever is
raised meanwhile, by the driver, by a hook, by the clock or by a cancellation, what the ticket owns
is given back before the exception goes on. All I/O is cut short by the acquire's timeout.
"""

import asyncio
import inspect
from typing import Any

from steadypool import aio_connections as connections
from steadypool import callers
from steadypool.aio_connects import AsyncConnects
from steadypool.aio_ticket import AsyncTicket, task_name
from steadypool.events import CloseReason
from steadypool.patience import Patience
from steadypool.states import Step


class AsyncEngine(AsyncConnects):
    """Works for one core, on one event loop."""

    async def acquire(self, timeout: float) -> Any:
        """Borrow a connection: wait, check, replace, open or rest, as the core asks."""
        started = self._now()
        ticket = AsyncTicket(self._clock)
        if self._watches_loans:
            self.report_leaks()
        try:
            self._core.start(ticket, started)
            await self._carry_out(ticket, Patience.of(timeout, started))
            self._interrupts.go_on()
            assert ticket.slot is not None
            return ticket.slot.connection
        except BaseException as error:
            await self._give_up(ticket, error)
            if not isinstance(error, asyncio.CancelledError):  # which goes on before all else
                self._interrupts.go_on()
            raise

    # --- the steps -------------------------------------------------------------------------------

    async def _carry_out(self, ticket: AsyncTicket, patience: Patience) -> None:
        """Do what the core asks of this acquire, until the connection is out."""
        while (step := ticket.step) is not Step.OUT:
            self._interrupts.go_on()
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
            slot.reason = CloseReason.ERROR  # until it is out: what the hook begins is for no other
            await self._prepare(slot.connection, patience)
        if self._watches_loans:
            slot.holder, slot.where = task_name(), callers.whereabouts()
        self._core.checkout(ticket, self._now())

    async def _prepare(self, connection: Any, patience: Patience) -> None:
        answer = self._opener.prepare(connection)
        if inspect.isawaitable(answer):
            await self._within(answer, patience)

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

    async def _rest(self, ticket: AsyncTicket) -> None:
        await ticket.wait(ticket.until)  # cut short only when the pool is closed
        ticket.renew()
        self._core.rested(ticket, self._now())
