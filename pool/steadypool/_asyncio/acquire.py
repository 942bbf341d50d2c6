"""The slow path of an acquire in asyncio: waiting and I/O.

The core names the next step of an acquire request; the engine performs it and reports the result.
If the driver, a hook, the clock or a cancellation raises, the engine first releases everything the
request owns and then lets the exception propagate. The acquire's timeout limits all I/O.
"""

import asyncio
import inspect
from typing import Any

from steadypool._asyncio.connect_tasks import AsyncConnecting
from steadypool._asyncio.request import AsyncAcquireRequest, task_name
from steadypool._common import callers
from steadypool._common.own_loans import name_own_loans, reference
from steadypool._core.backoff import Backoff, earliest
from steadypool._core.entries import Answer, PoolEntry, Step
from steadypool._drivers import async_dbapi as connections
from steadypool._drivers import session
from steadypool._drivers.silence import LONG_SILENCE, SHORTEST_SILENCE
from steadypool.events import CloseReason


class AsyncEngine(AsyncConnecting):
    """Performs the acquires of one core, on one event loop."""

    async def acquire(self, timeout: float) -> Any:
        """Borrow a connection: wait, check, replace, open or back off, as the core asks."""
        started = self._now()
        request = AsyncAcquireRequest(self._clock)
        request.waits = timeout > 0
        if self._watches_loans:
            self.report_leaks()
        try:
            self._run(self._core.start, request, started)
            await self._run_steps(request, Backoff.of(timeout, started))
            self._deferred.settle()
            assert request.entry is not None
            request.entry.borrower = reference(asyncio.current_task())
            return request.entry.connection
        except BaseException as error:
            await self._abandon(request, error)
            if not isinstance(error, asyncio.CancelledError):  # a cancellation takes precedence
                self._deferred.settle()
            raise

    # --- the steps -------------------------------------------------------------------------------

    async def _run_steps(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        """Perform the steps that the core asks for, until the connection is checked out."""
        while (step := request.step) is not Step.OUT:
            self._deferred.settle()
            if step is Step.WAIT:
                await self._wait(request, backoff)
            elif step is Step.TAKE:
                await self._take(request, backoff)
            elif step is Step.CHECK or step is Step.VALIDATE:
                await self._check(request, backoff)
            elif step is Step.REPLACE:
                await self._replace(request, backoff)
            elif step is Step.OPEN:
                await self._open(request, backoff)
            elif step is Step.BACKOFF:
                await self._back_off(request)
            else:
                raise self._core.refusal(request)

    async def _wait(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        deadline = earliest(backoff.deadline, request.watch)
        woken = await request.wait(deadline)
        if request.step is not Step.WAIT:  # a wake-up at the deadline itself still counts
            return
        if not woken and deadline == backoff.deadline:
            error = self._timeout_error(backoff)
            on_loan = list(self._core.in_use.values())
            name_own_loans(error, on_loan, asyncio.current_task())
            raise error
        self._run(self._core.looks_again, request, request.next_waiter(), self._now())

    async def _take(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        entry = request.entry
        assert entry is not None
        if self._core.settings.hooked:
            entry.reason = CloseReason.ERROR  # only this borrower may see the hook's transaction
            await self._run_hook(request, entry, backoff)
            if request.step is not Step.TAKE:
                return
        if self._watches_loans:
            entry.holder, entry.where = task_name(), callers.whereabouts()
        self._run(self._core.checkout, request, self._now())

    async def _run_hook(
        self, request: AsyncAcquireRequest, entry: PoolEntry, backoff: Backoff
    ) -> None:
        """Run the on_acquire hook; if the driver had to connect again, the connection was dead."""
        try:
            await self._prepare(entry.connection, backoff)
        except Exception as error:
            if session.shows_read_only(error):
                self.leave_read_only(entry)
            raise
        finally:
            self.note_loss(entry)
        if self._opener.is_lost_in_hook(entry):
            self._run(self._core.checked, request, False, self._now())
            self._log.connection_invalid()

    async def _prepare(self, connection: Any, backoff: Backoff) -> None:
        answer = self._opener.prepare(connection)
        if inspect.isawaitable(answer):
            await self._within(answer, backoff)

    async def _check(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        entry = request.entry
        assert entry is not None
        if request.step is Step.VALIDATE:
            now = self._now()
            if backoff.deadline is not None and now >= backoff.deadline:
                raise self._timeout_error(backoff)
            answer = await self._validate(entry, backoff.check_limit(now))
            usable = answer is Answer.ALIVE
        else:
            usable = connections.alive(entry.connection)
        self._run(self._core.checked, request, usable, self._now())
        if not usable:
            self._log.connection_invalid()

    async def _validate(self, entry: PoolEntry, limit: float | None) -> Answer:
        began = self._now()
        try:
            answer = await self.check(entry.connection, limit)
        except asyncio.CancelledError:
            if self._now() - began >= (SHORTEST_SILENCE if entry.unsure else LONG_SILENCE):
                self.doubt(entry, began)
            raise
        if answer is Answer.SILENT:
            self.doubt(entry, began)
        return answer

    async def _replace(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        assert request.entry is not None
        if not request.waits:
            waiter = request.next_waiter()
            entry = self._run(self._core.passed_over, request, waiter, self._now())
            self._tasks.spawn(self._discard(entry))
            return
        if not await self._tasks.ended(self._close(request.entry), backoff.deadline):
            raise self._timeout_error(backoff)
        self._run(self._core.retired, request, request.next_waiter(), self._now())

    async def _back_off(self, request: AsyncAcquireRequest) -> None:
        await request.wait(request.until)  # closing the pool ends it early, or a hand-over
        self._run(self._core.backed_off, request, request.next_waiter(), self._now())
