"""What an acquire or a return costs when it is not free: waiting, and I/O.

The core says what is to be done; the engine does it, outside the lock, and reports back. Whatever
is raised meanwhile, by the driver, by the clock or by a signal, the reservation is given back
before the exception goes on.
"""

import math
import threading
from typing import Any

from steadypool import driver
from steadypool.core import Core
from steadypool.errors import (
    ConnectionFailedError,
    PoolClosedError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.events import CloseReason, FailReason
from steadypool.opener import Opener
from steadypool.protocols import Clock
from steadypool.states import ConnectionState, Slot, Step, Ticket


class Engine:
    """Works for one core, whose lock it shares with the pool."""

    def __init__(self, core: Core, lock: threading.Lock, clock: Clock, opener: Opener) -> None:
        self._core = core
        self._lock = lock
        self._clock = clock
        self._now = clock.now
        self._opener = opener

    # --- acquiring -------------------------------------------------------------------------------

    def acquire(self, timeout: float) -> Any:
        """Borrow a connection: wait, check, replace or open, as the core asks."""
        started = self._now()
        deadline = None if timeout == math.inf else started + timeout
        ticket = Ticket(self._clock.waiter())
        try:
            with self._lock:
                self._core.start(ticket, started)
            if ticket.step is Step.WAIT:
                self._wait(ticket, started, deadline)
            self._carry_out(ticket, started, None if timeout == 0 else deadline)
            assert ticket.slot is not None
            return ticket.slot.connection
        except BaseException as error:
            self._withdraw(ticket, _reason(error))
            raise

    def _wait(self, ticket: Ticket, started: float, deadline: float | None) -> None:
        ticket.waiter.wait(deadline)
        with self._lock:  # a turn that came at the very moment of the deadline still counts
            if ticket.step is Step.WAIT:
                raise self._core.timeout_error(self._now() - started)

    def _carry_out(self, ticket: Ticket, started: float, deadline: float | None) -> None:
        """Do what the core asks of this acquire, until the connection is out."""
        if ticket.step is Step.CHECK and ticket.slot is not None:
            alive = driver.alive(ticket.slot.connection)
            with self._lock:
                self._core.checked(ticket, alive, self._now())
        if ticket.step is Step.REPLACE and ticket.slot is not None:
            driver.close(ticket.slot.connection)
            with self._lock:
                self._core.retired(ticket, self._now())
        if ticket.step is Step.OPEN:
            self._open(ticket, started, deadline)
        elif ticket.step is Step.TAKE:
            with self._lock:
                self._core.checkout(ticket, self._now())
        elif ticket.step is Step.REFUSED:
            raise self._core.closed_error()

    def _open(self, ticket: Ticket, started: float, deadline: float | None) -> None:
        remaining = None if deadline is None else deadline - self._now()
        if remaining is not None and remaining <= 0:
            raise self._too_late(started)
        try:
            ticket.slot = self._new_slot(remaining)
        except Exception as error:
            if deadline is not None and self._now() >= deadline:
                raise self._too_late(started) from error
            raise ConnectionFailedError(self._opener.explain(error)) from error
        with self._lock:
            self._core.opened(ticket, self._now())

    def _too_late(self, started: float) -> PoolTimeoutError:
        with self._lock:
            return self._core.timeout_error(self._now() - started)

    def _withdraw(self, ticket: Ticket, reason: FailReason) -> None:
        try:
            self._withdraw_once(ticket, reason)
        except BaseException:  # interrupted in its turn: finish the work first
            self._withdraw_once(ticket, reason)
            raise

    def _withdraw_once(self, ticket: Ticket, reason: FailReason) -> None:
        with self._lock:
            slot = self._core.withdraw(ticket, reason, self._now())
        if slot is not None:
            self._discard(slot)

    # --- giving back -----------------------------------------------------------------------------

    def put_right(self, slot: Slot, state: ConnectionState | None) -> None:
        """Roll back or close a connection that came back; its slot is reserved meanwhile."""
        if slot.reason is None:
            if state is ConnectionState.IN_TRANSACTION and driver.rollback(slot.connection):
                with self._lock:
                    self._core.reset(slot, self._now())
            else:
                slot.reason = CloseReason.DIRTY
        if slot.returning:
            self._discard(slot)

    def rescue(self, connection: Any, slot: Slot | None) -> None:
        """After an interrupted release: close what is neither on loan nor in its place.

        `slot` is None if the connection was not looked up; it then is still the caller's.
        """
        if slot is None:
            with self._lock:
                slot = self._core.in_use.get(id(connection))
                if slot is not None:
                    self._core.check_in(slot, False, self._now())
        if slot is not None and slot.returning:
            slot.reason = slot.reason or CloseReason.DIRTY
            self._discard(slot)

    def discard(self, slots: list[Slot]) -> None:
        """Close connections that the core has given up."""
        try:
            for slot in slots:
                self._discard(slot)
        except BaseException:  # interrupted: finish the work first
            for slot in slots:
                if slot.returning:
                    self._discard(slot)
            raise

    def _discard(self, slot: Slot) -> None:
        try:
            driver.close(slot.connection)
        finally:
            with self._lock:
                self._core.freed(slot, self._now())

    # --- opening ---------------------------------------------------------------------------------

    def fill(self, count: int) -> None:
        """Open the first connections; raises PoolInitializationError."""
        try:
            for _ in range(count):
                slot = self._new_slot(None)
                with self._lock:
                    self._core.add_idle(slot, self._now())
        except Exception as error:
            raise PoolInitializationError(self._opener.explain(error)) from error

    def _new_slot(self, limit: float | None) -> Slot:
        began = self._now()
        connection = self._opener.open(limit)
        now = self._now()
        return Slot(connection, self._core.generation, now, self._core.rules.recycle, now - began)


def _reason(error: BaseException) -> FailReason:
    if isinstance(error, PoolTimeoutError):
        return FailReason.TIMEOUT
    if isinstance(error, PoolClosedError):
        return FailReason.POOL_CLOSED
    if isinstance(error, ConnectionFailedError):
        return FailReason.CONNECTION_ERROR
    return FailReason.INTERRUPTED
