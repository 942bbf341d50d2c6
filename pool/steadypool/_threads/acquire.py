"""What an acquire costs when it is not free: waiting, and I/O.

The core says what is to be done, step by step; the engine does it, outside the lock, and reports
back. Whatever is raised meanwhile, by the driver, by a hook, by the clock or by a signal, what the
ticket owns is given back before the exception goes on.
"""

import math
import threading
from collections.abc import Callable
from typing import Any

from steadypool._common import callers
from steadypool._common.deferred import DeferredInterrupts
from steadypool._common.log import PoolLog
from steadypool._core.backoff import Backoff, deadline_of
from steadypool._core.core import Core
from steadypool._core.entries import OUT, WAIT, AcquireRequest, PoolEntry, Step
from steadypool._core.failures import reason_of
from steadypool._drivers import dbapi as driver
from steadypool._threads.connect import Opener
from steadypool._threads.release import Returns
from steadypool.errors import (
    ConnectionFailedError,
    ConnectionValidationError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.events import CloseReason, FailReason
from steadypool.protocols import Clock


class Engine(Returns):
    """Works for one core, whose lock it shares with the pool."""

    def __init__(
        self,
        core: Core,
        lock: threading.Lock,
        clock: Clock,
        opener: Opener,
        log: PoolLog,
        interrupts: DeferredInterrupts,
        random: Callable[[], float],
    ) -> None:
        super().__init__(core, lock, clock, opener, log)
        self._interrupts = interrupts
        self._kept = interrupts.kept
        self._random = random
        self._watches_loans = core.settings.leak_after != math.inf
        self.last_error: str | None = None
        """Why the last connect failed."""

    def acquire(self, timeout: float, started: float) -> Any:
        """Borrow a connection: wait, check, replace, open or rest, as the core asks."""
        request = AcquireRequest(self._waiter())
        if self._watches_loans:
            self.report_leaks()
        try:
            with self._lock:
                self._core.start(request, started)
            if self._kept:
                self._interrupts.go_on()
            if request.step is WAIT and not request.waiter.wait(deadline_of(timeout, started)):
                self._give_up(request, started)
            if request.step is not OUT:
                self._carry_out(request, Backoff.of(timeout, started))
            if self._kept:
                self._interrupts.go_on()
            entry = request.entry
            assert entry is not None
            return entry.connection
        except BaseException as error:
            try:
                self._withdraw(request, reason_of(error))
            except BaseException:  # interrupted in its turn: finish the work first
                self._withdraw(request, FailReason.INTERRUPTED)
                raise
            self._interrupts.go_on()
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
        """Open a connection that nobody asked for, if one is missing; False if none is.

        Raises like an acquire, but tries once only.
        """
        now = self._now()
        request = AcquireRequest(self._waiter())
        try:
            with self._lock:
                if not self._core.grow(request, now):
                    return False
            self._open(request, Backoff.once(timeout, now))
        finally:  # what was opened finds its place, what was not gives back its slot
            try:
                self._withdraw(request, FailReason.INTERRUPTED)
            except BaseException:  # interrupted: finish the work first
                self._withdraw(request, FailReason.INTERRUPTED)
                raise
        self._interrupts.go_on()
        return True

    # --- the steps -------------------------------------------------------------------------------

    def _carry_out(self, request: AcquireRequest, patience: Backoff) -> None:
        """Do what the core asks of this acquire, until the connection is out."""
        while (step := request.step) is not Step.OUT:
            if self._kept:
                self._interrupts.go_on()
            if step is Step.WAIT:
                if not request.waiter.wait(patience.deadline):
                    self._give_up(request, patience.started)
            elif step is Step.TAKE:
                self._take(request)
            elif step is Step.CHECK or step is Step.VALIDATE:
                self._look(request, patience)
            elif step is Step.REPLACE:
                self._replace(request)
            elif step is Step.OPEN:
                self._open(request, patience)
            elif step is Step.BACKOFF:
                self._rest(request)
            else:
                raise self._core.refusal(request)

    def _give_up(self, request: AcquireRequest, started: float) -> None:
        with self._lock:  # a turn that came at the very moment of the deadline still counts
            if request.step is Step.WAIT:
                now = self._now()
                error = self._core.timeout_error(now - started)
                self._core.withdraw(request, FailReason.TIMEOUT, now)
                raise error

    def _take(self, request: AcquireRequest) -> None:
        entry = request.entry
        assert entry is not None
        if self._core.settings.hooked:
            entry.reason = CloseReason.ERROR  # what the hook begins is for no other
            self._opener.prepare(entry.connection)
        if self._watches_loans:
            entry.holder, entry.where = callers.thread_name(), callers.whereabouts()
        with self._lock:
            self._core.checkout(request, self._now())

    def _look(self, request: AcquireRequest, patience: Backoff) -> None:
        assert request.entry is not None
        connection = request.entry.connection
        if request.step is Step.VALIDATE:
            good = driver.answers(connection, self._time_left(patience))
        else:
            good = driver.alive(connection)
        with self._lock:
            self._core.checked(request, good)
        if not good:
            self._log.connection_invalid()

    def _replace(self, request: AcquireRequest) -> None:
        assert request.entry is not None
        driver.close(request.entry.connection)
        waiter = self._waiter()
        with self._lock:
            request.waiter = waiter
            self._core.retired(request, self._now())

    def _open(self, request: AcquireRequest, patience: Backoff) -> None:
        limit = self._time_left(patience)
        began = self._now()
        try:
            connection = self._opener.open(limit)
        except Exception as error:
            self._connect_failed(request, patience, error)
            return
        request.entry = self._new_slot(connection, began)
        self._opener.set_up(connection)
        with self._lock:
            outage = self._core.opened(request, self._now())
        if outage is not None:
            self._log.server_recovered(outage)

    def _connect_failed(self, request: AcquireRequest, patience: Backoff, error: Exception) -> None:
        """Report a failed connect; raises unless it is to be tried again."""
        now = self._now()
        mends = driver.is_transient(error)
        until = patience.retry_at(request.attempts, self._random, now) if mends else None
        waiter = self._waiter()
        with self._lock:
            request.waiter = waiter
            given_up = self._core.failed(request, mends, until, now)
            failures = self._core.breaker.failures
        self.last_error = self._opener.explain(error)
        self._log.connect_failed(error, request.attempts)
        if given_up:
            self._log.server_unavailable(failures)
        if request.step is Step.BACKOFF:
            self._log.connect_retry(request.attempts + 1, request.until - now)
            return
        if patience.limit is not None and now >= patience.limit:
            raise self._too_late(patience) from error
        kind = ConnectionValidationError if request.broken else ConnectionFailedError
        raise kind(self._opener.explain(error)) from error

    def _rest(self, request: AcquireRequest) -> None:
        request.waiter.wait(request.until)  # cut short only when the pool is closed
        waiter = self._waiter()
        with self._lock:
            request.waiter = waiter
            self._core.backed_off(request, self._now())

    # --- parts -----------------------------------------------------------------------------------

    def _time_left(self, patience: Backoff) -> float | None:
        left = patience.left(self._now())
        if left is not None and left <= 0:
            raise self._too_late(patience)
        return left

    def _too_late(self, patience: Backoff) -> PoolTimeoutError:
        with self._lock:
            return self._core.timeout_error(self._now() - patience.started)

    def _new_slot(self, connection: Any, began: float) -> PoolEntry:
        now, settings = self._now(), self._core.settings
        recycle = settings.recycle
        if settings.recycle_jitter:
            recycle *= 1 - settings.recycle_jitter * self._random()
        return PoolEntry(connection, 0, now, recycle, now - began)

    def _withdraw(self, request: AcquireRequest, reason: FailReason) -> None:
        with self._lock:
            entry = self._core.withdraw(request, reason, self._now())
        if entry is not None:
            self._discard(entry)
