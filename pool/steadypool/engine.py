"""What an acquire costs when it is not free: waiting, and I/O.

The core says what is to be done, step by step; the engine does it, outside the lock, and reports
back. Whatever is raised meanwhile, by the driver, by a hook, by the clock or by a signal, what the
ticket owns is given back before the exception goes on.
"""

import math
import threading
from collections.abc import Callable
from typing import Any

from steadypool import callers, driver
from steadypool.core import Core
from steadypool.errors import (
    ConnectionFailedError,
    ConnectionValidationError,
    PoolClosedError,
    PoolExhaustedError,
    PoolInitializationError,
    PoolTimeoutError,
    ServerUnavailableError,
)
from steadypool.events import CloseReason, FailReason
from steadypool.interrupts import Interrupts
from steadypool.journal import Journal
from steadypool.opener import Opener
from steadypool.patience import Patience, deadline_of
from steadypool.protocols import Clock
from steadypool.returns import Returns
from steadypool.states import OUT, WAIT, Slot, Step, Ticket


class Engine(Returns):
    """Works for one core, whose lock it shares with the pool."""

    def __init__(
        self,
        core: Core,
        lock: threading.Lock,
        clock: Clock,
        opener: Opener,
        journal: Journal,
        interrupts: Interrupts,
        random: Callable[[], float],
    ) -> None:
        super().__init__(core, lock, clock, opener, journal)
        self._interrupts = interrupts
        self._kept = interrupts.kept
        self._random = random
        self._watches_loans = core.rules.leak_after != math.inf
        self.last_error: str | None = None
        """Why the last connect failed."""

    def acquire(self, timeout: float, started: float) -> Any:
        """Borrow a connection: wait, check, replace, open or rest, as the core asks."""
        ticket = Ticket(self._waiter())
        if self._watches_loans:
            self.report_leaks()
        try:
            with self._lock:
                self._core.start(ticket, started)
            if self._kept:
                self._interrupts.go_on()
            if ticket.step is WAIT and not ticket.waiter.wait(deadline_of(timeout, started)):
                self._give_up(ticket, started)
            if ticket.step is not OUT:
                self._carry_out(ticket, Patience.of(timeout, started))
            if self._kept:
                self._interrupts.go_on()
            slot = ticket.slot
            assert slot is not None
            return slot.connection
        except BaseException as error:
            try:
                self._withdraw(ticket, reason_of(error))
            except BaseException:  # interrupted in its turn: finish the work first
                self._withdraw(ticket, FailReason.INTERRUPTED)
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
        ticket = Ticket(self._waiter())
        try:
            with self._lock:
                if not self._core.grow(ticket, now):
                    return False
            self._open(ticket, Patience.once(timeout, now))
        finally:  # what was opened finds its place, what was not gives back its slot
            try:
                self._withdraw(ticket, FailReason.INTERRUPTED)
            except BaseException:  # interrupted: finish the work first
                self._withdraw(ticket, FailReason.INTERRUPTED)
                raise
        self._interrupts.go_on()
        return True

    # --- the steps -------------------------------------------------------------------------------

    def _carry_out(self, ticket: Ticket, patience: Patience) -> None:
        """Do what the core asks of this acquire, until the connection is out."""
        while (step := ticket.step) is not Step.OUT:
            if self._kept:
                self._interrupts.go_on()
            if step is Step.WAIT:
                if not ticket.waiter.wait(patience.deadline):
                    self._give_up(ticket, patience.started)
            elif step is Step.TAKE:
                self._take(ticket)
            elif step is Step.CHECK or step is Step.VALIDATE:
                self._look(ticket, patience)
            elif step is Step.REPLACE:
                self._replace(ticket)
            elif step is Step.OPEN:
                self._open(ticket, patience)
            elif step is Step.REST:
                self._rest(ticket)
            else:
                raise self._core.refusal(ticket)

    def _give_up(self, ticket: Ticket, started: float) -> None:
        with self._lock:  # a turn that came at the very moment of the deadline still counts
            if ticket.step is Step.WAIT:
                now = self._now()
                error = self._core.timeout_error(now - started)
                self._core.withdraw(ticket, FailReason.TIMEOUT, now)  # now, lest its turn comes yet
                raise error

    def _take(self, ticket: Ticket) -> None:
        slot = ticket.slot
        assert slot is not None
        if self._core.rules.hooked:
            slot.reason = CloseReason.ERROR  # until it is out: what the hook begins is for no other
            self._opener.prepare(slot.connection)
        if self._watches_loans:
            slot.holder, slot.where = callers.thread_name(), callers.whereabouts()
        with self._lock:
            self._core.checkout(ticket, self._now())

    def _look(self, ticket: Ticket, patience: Patience) -> None:
        assert ticket.slot is not None
        connection = ticket.slot.connection
        if ticket.step is Step.VALIDATE:
            good = driver.answers(connection, self._time_left(patience))
        else:
            good = driver.alive(connection)
        with self._lock:
            self._core.checked(ticket, good)
        if not good:
            self._journal.connection_invalid()

    def _replace(self, ticket: Ticket) -> None:
        assert ticket.slot is not None
        driver.close(ticket.slot.connection)
        waiter = self._waiter()
        with self._lock:
            ticket.waiter = waiter
            self._core.retired(ticket, self._now())

    def _open(self, ticket: Ticket, patience: Patience) -> None:
        limit = self._time_left(patience)
        began = self._now()
        try:
            connection = self._opener.open(limit)
        except Exception as error:
            self._connect_failed(ticket, patience, error)
            return
        ticket.slot = self._new_slot(connection, began)
        self._opener.set_up(connection)
        with self._lock:
            outage = self._core.opened(ticket, self._now())
        if outage is not None:
            self._journal.server_recovered(outage)

    def _connect_failed(self, ticket: Ticket, patience: Patience, error: Exception) -> None:
        """Report a failed connect; raises unless it is to be tried again."""
        now = self._now()
        mends = driver.may_mend(error)
        until = patience.retry_at(ticket.attempts, self._random, now) if mends else None
        waiter = self._waiter()
        with self._lock:
            ticket.waiter = waiter
            given_up = self._core.failed(ticket, mends, until, now)
            failures = self._core.breaker.failures
        self.last_error = self._opener.explain(error)
        self._journal.connect_failed(error, ticket.attempts)
        if given_up:
            self._journal.server_unavailable(failures)
        if ticket.step is Step.REST:
            self._journal.connect_retry(ticket.attempts + 1, ticket.until - now)
            return
        if patience.limit is not None and now >= patience.limit:
            raise self._too_late(patience) from error
        kind = ConnectionValidationError if ticket.broken else ConnectionFailedError
        raise kind(self._opener.explain(error)) from error

    def _rest(self, ticket: Ticket) -> None:
        ticket.waiter.wait(ticket.until)  # cut short only when the pool is closed
        waiter = self._waiter()
        with self._lock:
            ticket.waiter = waiter
            self._core.rested(ticket, self._now())

    # --- parts -----------------------------------------------------------------------------------

    def _time_left(self, patience: Patience) -> float | None:
        left = patience.left(self._now())
        if left is not None and left <= 0:
            raise self._too_late(patience)
        return left

    def _too_late(self, patience: Patience) -> PoolTimeoutError:
        with self._lock:
            return self._core.timeout_error(self._now() - patience.started)

    def _new_slot(self, connection: Any, began: float) -> Slot:
        now, rules = self._now(), self._core.rules
        recycle = rules.recycle
        if rules.recycle_jitter:
            recycle *= 1 - rules.recycle_jitter * self._random()
        return Slot(connection, 0, now, recycle, now - began)

    def _withdraw(self, ticket: Ticket, reason: FailReason) -> None:
        with self._lock:
            slot = self._core.withdraw(ticket, reason, self._now())
        if slot is not None:
            self._discard(slot)


_REASONS: tuple[tuple[type[BaseException], FailReason], ...] = (
    (PoolTimeoutError, FailReason.TIMEOUT),
    (PoolClosedError, FailReason.POOL_CLOSED),
    (PoolExhaustedError, FailReason.EXHAUSTED),
    (ServerUnavailableError, FailReason.UNAVAILABLE),
    (ConnectionFailedError, FailReason.CONNECTION_ERROR),
)


def reason_of(error: BaseException) -> FailReason:
    """Say why an acquire failed that raised this."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return FailReason.INTERRUPTED
