"""What an acquire costs in asyncio when it is not free: waiting, and I/O.

The core says what is to be done, step by step; the engine does it and reports back. Whatever is
raised meanwhile, by the driver, by a hook, by the clock or by a cancellation, what the ticket owns
is given back before the exception goes on. All I/O is cut short by the acquire's timeout.
"""

import asyncio
import inspect
from typing import Any

from steadypool._asyncio.connect_tasks import AsyncConnects
from steadypool._asyncio.request import AsyncAcquireRequest, task_name
from steadypool._common import callers
from steadypool._core.backoff import Backoff
from steadypool._core.entries import Step
from steadypool._drivers import async_dbapi as connections
from steadypool.events import CloseReason


class AsyncEngine(AsyncConnects):
    """Works for one core, on one event loop."""

    async def acquire(self, timeout: float) -> Any:
        """Borrow a connection: wait, check, replace, open or rest, as the core asks."""
        started = self._now()
        request = AsyncAcquireRequest(self._clock)
        if self._watches_loans:
            self.report_leaks()
        try:
            self._core.start(request, started)
            await self._carry_out(request, Backoff.of(timeout, started))
            self._interrupts.go_on()
            assert request.entry is not None
            return request.entry.connection
        except BaseException as error:
            await self._give_up(request, error)
            if not isinstance(error, asyncio.CancelledError):  # which goes on before all else
                self._interrupts.go_on()
            raise

    # --- the steps -------------------------------------------------------------------------------

    async def _carry_out(self, request: AsyncAcquireRequest, patience: Backoff) -> None:
        """Do what the core asks of this acquire, until the connection is out."""
        while (step := request.step) is not Step.OUT:
            self._interrupts.go_on()
            if step is Step.WAIT:
                await self._wait(request, patience)
            elif step is Step.TAKE:
                await self._take(request, patience)
            elif step is Step.CHECK or step is Step.VALIDATE:
                await self._look(request, patience)
            elif step is Step.REPLACE:
                await self._replace(request, patience)
            elif step is Step.OPEN:
                await self._open(request, patience)
            elif step is Step.REST:
                await self._rest(request)
            else:
                raise self._core.refusal(request)

    async def _wait(self, request: AsyncAcquireRequest, patience: Backoff) -> None:
        await request.wait(patience.deadline)
        if request.step is Step.WAIT:  # a turn that came at the very moment of the deadline counts
            raise self._too_late(patience)

    async def _take(self, request: AsyncAcquireRequest, patience: Backoff) -> None:
        entry = request.entry
        assert entry is not None
        if self._core.settings.hooked:
            entry.reason = CloseReason.ERROR  # what the hook begins is for no other
            await self._prepare(entry.connection, patience)
        if self._watches_loans:
            entry.holder, entry.where = task_name(), callers.whereabouts()
        self._core.checkout(request, self._now())

    async def _prepare(self, connection: Any, patience: Backoff) -> None:
        answer = self._opener.prepare(connection)
        if inspect.isawaitable(answer):
            await self._within(answer, patience)

    async def _look(self, request: AsyncAcquireRequest, patience: Backoff) -> None:
        assert request.entry is not None
        connection = request.entry.connection
        if request.step is Step.VALIDATE:
            good = await self._within(connections.answers(connection), patience)
        else:
            good = connections.alive(connection)
        self._core.checked(request, good)
        if not good:
            self._log.connection_invalid()

    async def _replace(self, request: AsyncAcquireRequest, patience: Backoff) -> None:
        assert request.entry is not None
        if not await self._tasks.ended(self._close(request.entry), patience.limit):
            raise self._too_late(patience)
        request.renew()
        self._core.retired(request, self._now())

    async def _rest(self, request: AsyncAcquireRequest) -> None:
        await request.wait(request.until)  # cut short only when the pool is closed
        request.renew()
        self._core.rested(request, self._now())
