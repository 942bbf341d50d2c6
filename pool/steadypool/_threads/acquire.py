"""The slow path of an acquire: waiting and I/O.

The core names the next step of an acquire request; the engine performs it outside the monitor and
reports the result. If the driver, a hook, the clock or a signal raises, the engine first frees
everything the request owns and then lets the exception propagate.
"""

import math
import threading
from collections.abc import Callable
from typing import Any

from steadypool._common import callers
from steadypool._common.deferred import Deferred
from steadypool._common.log import PoolLog
from steadypool._common.own_loans import name_own_loans, reference
from steadypool._core.backoff import Backoff, deadline_of, earliest
from steadypool._core.core import Core
from steadypool._core.entries import OUT, WAIT, AcquireRequest, Answer, PoolEntry, Step
from steadypool._core.failures import reason_of
from steadypool._drivers import dbapi as driver
from steadypool._drivers import round_trips, session
from steadypool._drivers.refusals import is_full, is_transient
from steadypool._drivers.silence import SignsOfLife
from steadypool._threads.connect import Opener
from steadypool._threads.monitor import Monitor
from steadypool._threads.release import Releasing
from steadypool.errors import (
    ConnectionFailedError,
    ConnectionValidationError,
    PoolInitializationError,
    PoolTimeoutError,
    ReentrantCallError,
)
from steadypool.events import CloseReason, FailReason
from steadypool.protocols import Clock


class Engine(Releasing):
    """Performs the acquires of one core, whose monitor it shares with the pool."""

    def __init__(
        self,
        core: Core,
        monitor: Monitor,
        clock: Clock,
        opener: Opener,
        log: PoolLog,
        deferred: Deferred,
        random: Callable[[], float],
    ) -> None:
        super().__init__(core, monitor, clock, opener, log)
        self._is_inside = monitor.is_inside
        self._deferred = deferred
        self._pending = deferred.pending
        self._random = random
        self._watches_loans = core.settings.leak_after != math.inf
        self.last_error: str | None = None
        """The explanation of the last failed connect."""

    def acquire(self, timeout: float, started: float) -> Any:
        """Borrow a connection: wait, check, replace, open or back off, as the core asks.

        Raises ReentrantCallError inside the monitor, where the acquire could wait for itself.
        """
        if self._is_inside():
            raise ReentrantCallError(self._core.settings.name)
        request = AcquireRequest(self._waiter())
        request.waits = timeout > 0
        try:
            if self._watches_loans:
                self.report_leaks()
            self._run(self._core.start, request, started)
            if self._pending:
                self._deferred.settle(midway=True)
            if (
                request.step is WAIT
                and request.watch == math.inf
                and not request.waiter.wait(deadline_of(timeout, started))
            ):
                self._give_up(request, started)
            if request.step is not OUT:
                self._run_steps(request, Backoff.of(timeout, started))
            if self._pending:
                self._deferred.settle(midway=True)
            entry = request.entry
            assert entry is not None
            entry.borrower = reference(threading.current_thread())
            return entry.connection
        except BaseException as error:
            try:
                self._withdraw(request, reason_of(error))
            except BaseException:  # interrupted again: finish the work first
                self._withdraw(request, FailReason.INTERRUPTED)
                raise
            self._deferred.settle()
            raise

    def fill(self) -> None:
        """Open the first connections; raises PoolInitializationError."""
        try:
            while self.grow(math.inf):
                pass
        except ConnectionFailedError as error:
            raise PoolInitializationError(str(error)) from (error.__cause__ or error)
        except Exception as error:
            raise PoolInitializationError(self._opener.explain(error)) from error

    def grow(self, timeout: float) -> bool:
        """Open one connection if the pool is below its minimum; return False if it is not.

        Raises the same errors as an acquire, but makes a single attempt.
        """
        now = self._now()
        request = AcquireRequest(self._waiter())
        try:
            if not self._run(self._core.grow, request, now):
                return False
            self._open(request, Backoff.once(timeout, now))
        finally:  # an open connection is placed, an unused slot freed
            try:
                self._withdraw(request, FailReason.INTERRUPTED)
            except BaseException:  # interrupted: finish the work first
                self._withdraw(request, FailReason.INTERRUPTED)
                raise
        self._deferred.settle()
        return True

    def is_at_work_here(self) -> bool:
        """Return whether the running thread is in the middle of an acquire or a release.

        A signal handler, a finalizer, a hook or a listener may be called there.
        """
        return callers.is_within(_OWNING, self)

    # --- the steps -------------------------------------------------------------------------------

    def _run_steps(self, request: AcquireRequest, backoff: Backoff) -> None:
        """Perform the steps that the core asks for, until the connection is checked out."""
        while (step := request.step) is not Step.OUT:
            if self._pending:
                self._deferred.settle(midway=True)
            if step is Step.WAIT:
                self._wait(request, backoff)
            elif step is Step.TAKE:
                self._take(request)
            elif step is Step.CHECK or step is Step.VALIDATE:
                self._check(request, backoff)
            elif step is Step.REPLACE:
                self._replace(request)
            elif step is Step.OPEN:
                self._open(request, backoff)
            elif step is Step.BACKOFF:
                self._back_off(request)
            else:
                raise self._core.refusal(request)

    def _wait(self, request: AcquireRequest, backoff: Backoff) -> None:
        deadline = earliest(backoff.deadline, request.watch)
        if not request.waiter.wait(deadline) and deadline == backoff.deadline:
            self._give_up(request, backoff.started)
        elif request.step is Step.WAIT:
            self._run(self._core.looks_again, request, self._waiter(), self._now())

    def _give_up(self, request: AcquireRequest, started: float) -> None:
        now = self._now()
        on_loan = list(self._core.in_use.values())
        error = self._run(self._core.expire, request, now - started, now)
        if error is not None:  # otherwise a wake-up came at the deadline itself, and counts
            name_own_loans(error, on_loan)
            raise error

    def _take(self, request: AcquireRequest) -> None:
        entry = request.entry
        assert entry is not None
        if self._core.settings.hooked:
            entry.reason = CloseReason.ERROR  # only this borrower may see the hook's transaction
            self._run_hook(request, entry)
            if request.step is not Step.TAKE:
                return
        if self._watches_loans:
            entry.holder, entry.where = callers.thread_name(), callers.whereabouts()
        self._run(self._core.checkout, request, self._now())

    def _run_hook(self, request: AcquireRequest, entry: PoolEntry) -> None:
        """Run the on_acquire hook; if the driver had to connect again, the connection was dead."""
        try:
            self._opener.prepare(entry.connection)
        except Exception as error:
            if session.shows_read_only(error):
                self.leave_read_only(entry)
            raise
        finally:
            self.note_loss(entry)
        if self._opener.is_lost_in_hook(entry):
            self._run(self._core.checked, request, False, self._now())
            self._log.connection_invalid()

    def _check(self, request: AcquireRequest, backoff: Backoff) -> None:
        entry = request.entry
        assert entry is not None
        if request.step is Step.VALIDATE:
            self._time_left(backoff)
            now = self._now()
            answer = round_trips.check(entry.connection, backoff.check_limit(now), self._now)
            if answer is Answer.SILENT:
                self.doubt(entry, now)
            usable = answer is Answer.ALIVE
        else:
            usable = driver.alive(entry.connection)
        self._run(self._core.checked, request, usable, self._now())
        if not usable:
            self._log.connection_invalid()

    def _replace(self, request: AcquireRequest) -> None:
        assert request.entry is not None
        driver.close(request.entry.connection, silent=request.entry.silent)
        self._run(self._core.retired, request, self._waiter(), self._now())

    def _open(self, request: AcquireRequest, backoff: Backoff) -> None:
        limit = self._time_left(backoff)
        began = self._now()
        try:
            connection = self._opener.open(limit)
        except Exception as error:
            self._connect_failed(request, backoff, error)
            return
        request.entry = self._new_entry(connection, began)
        request.entry.session = driver.adopt(connection)
        self._opener.set_up(request.entry)
        outage = self._run(self._core.opened, request, self._now())
        if outage is not None:
            self._log.server_recovered(outage)

    def _connect_failed(self, request: AcquireRequest, backoff: Backoff, error: Exception) -> None:
        """Record a failed connect; raise unless the request retries after its backoff."""
        now = self._now()
        self._record_failure(request, backoff, error, now)
        if request.step is Step.BACKOFF:
            self._log.connect_retry(request.attempts + 1, request.until - now)
        if request.step is not Step.FAILED:
            return
        if backoff.deadline is not None and now >= backoff.deadline:
            raise self._timeout_error(backoff) from error
        kind = ConnectionValidationError if request.broken else ConnectionFailedError
        raise kind(self._opener.explain(error)) from error

    def _record_failure(
        self, request: AcquireRequest, backoff: Backoff, error: Exception, now: float
    ) -> None:
        transient, outage, refuses, waiter = is_transient(error), None, 0, self._waiter()
        until = backoff.retry_at(request.attempts, self._random, now) if transient else None
        if is_full(error):
            outage = self._run(self._core.refused, request, waiter, until, now)
        else:
            refuses = self._run(self._core.failed, request, waiter, transient, until, now)
        self.last_error = self._opener.explain(error)
        self._log.connect_failed(error, request.attempts)
        if refuses:
            self._log.server_unavailable(refuses)
        if outage is not None:
            self._log.server_recovered(outage)

    def _back_off(self, request: AcquireRequest) -> None:
        request.waiter.wait(request.until)  # closing the pool ends it early, or a hand-over
        self._run(self._core.backed_off, request, self._waiter(), self._now())

    # --- parts -----------------------------------------------------------------------------------

    def _time_left(self, backoff: Backoff) -> float | None:
        left = backoff.left(self._now())
        if left is not None and left <= 0:
            raise self._timeout_error(backoff)
        return left

    def _timeout_error(self, backoff: Backoff) -> PoolTimeoutError:
        return self._run(self._core.timeout_error, self._now() - backoff.started)

    def _new_entry(self, connection: Any, began: float) -> PoolEntry:
        now, settings = self._now(), self._core.settings
        recycle = settings.recycle
        if settings.recycle_jitter:
            recycle *= 1 - settings.recycle_jitter * self._random()
        entry = PoolEntry(connection, 0, now, recycle, now - began)
        if isinstance(connection, SignsOfLife):
            connection.keep_time(self._now)
            entry.reports_answers = True
        return entry

    def _withdraw(self, request: AcquireRequest, reason: FailReason) -> None:
        entry = self._run(self._core.withdraw, request, reason, self._now())
        if entry is not None:
            self._discard(entry)


_OWNING = {method.__code__ for method in (Engine.acquire, Engine.grow, Engine.finish_release)}
"""The methods that own a connection or a slot of the pool while they run."""
