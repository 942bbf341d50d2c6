"""The pool for threads: a lock around the core, and the I/O that the core asks for.

Rules of this shell:

* The lock is held for moves of the core only; connecting, checking, rolling back, closing and
  waiting happen outside it.
* Whatever is raised into an acquire or a release, by the driver, by the clock or by a signal, its
  reservation is given back before the exception goes on.
* Without listeners the usual case takes one turn of the lock and no waiter.
* A forked child begins with an empty pool. What it inherited it neither uses nor closes politely;
  giving such a connection back there does nothing.
"""

import logging
import math
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from steadypool import config as configuration
from steadypool import driver
from steadypool.clock import Clock, SystemClock
from steadypool.core import Core, Rules
from steadypool.driver import state as connection_state
from steadypool.errors import (
    ConnectionFailedError,
    PoolClosedError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.events import CloseReason, FailReason, Listener
from steadypool.options import check_rules, seconds, whole
from steadypool.states import ConnectionState, Slot, Step, Ticket
from steadypool.stats import PoolStats

_LOG = logging.getLogger("steadypool")
_CLEAN = ConnectionState.CLEAN
_IN_TRANSACTION = ConnectionState.IN_TRANSACTION


class ConnectionPool:
    """A fair, thread-safe pool of database connections.

    * `size`: idle connections that are kept; `max_overflow`: how many more may be open at once
      (-1: any number; 0: none). `size` may be 0: then nothing is kept.
    * `timeout`: seconds an acquire may take, waiting and connecting together; None: for ever.
    * `recycle`: age in seconds from which a connection is replaced before it is handed out;
      0 or None: never.
    * `config_name`: the database's name in the configuration file, and the pool's, unless `name`.
    * `min_size`: connections opened at start; None means `size`.
    * `config`: a `Config`, a URL, or a path; None: $STEADYPOOL_CONFIG, else ./config.yaml.
    * `connect`: any callable that opens a DB-API connection, in place of `config`. Its connects
      cannot be cut short by the acquire's timeout.
    * `check_after`: an idle connection unused for so many seconds is checked for being alive
      (without a round trip) before it is handed out; None: never.
    * `clock`: where time comes from. `listeners`: see `steadypool.events`.

    A connection comes back without open transaction (it is rolled back; uncommitted work is lost)
    and without unread result (else it is dropped). Other session state, such as variables,
    temporary tables and locks taken by name, is not reset.

    Raises PoolConfigError, and PoolInitializationError when the first connections cannot be opened.
    Every method may be called from any thread, but not from a listener.
    """

    def __init__(
        self,
        size: int = 5,
        max_overflow: int = 10,
        timeout: float | None = 30.0,
        recycle: float | None = 3600.0,
        config_name: str = "primary",
        *,
        min_size: int | None = None,
        config: configuration.Config | str | os.PathLike[str] | None = None,
        connect: Callable[[], Any] | None = None,
        check_after: float | None = 0.5,
        clock: Clock | None = None,
        listeners: Iterable[Listener] = (),
        name: str | None = None,
    ) -> None:
        self.name = name or config_name
        self._rules: Rules = check_rules(
            name=self.name,
            size=size,
            max_overflow=max_overflow,
            recycle=recycle,
            check_after=check_after,
        )
        self._timeout = seconds("timeout", timeout)
        first = size if min_size is None else whole("min_size", min_size, 0, size)
        self._connect = connect or driver.Connector(configuration.load(config, config_name))
        self._clock: Clock = clock or SystemClock()
        self._now = self._clock.now
        self._listeners = tuple(listeners)
        self._listener_complained = False
        self._loans = _Loans()
        self._inherited: dict[int, Any] = {}
        self._start_afresh()
        self._core.begin(self._now())
        self._fill(first)
        _POOLS.add(self)

    def __repr__(self) -> str:
        return f"<ConnectionPool {self.name!r} {self.stats()}>"

    # --- borrowing -------------------------------------------------------------------------------

    def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection; give it back with `release`.

        `timeout` in seconds covers waiting and connecting; None: the pool's own; 0: do not wait
        (a connection may still be opened). Raises PoolTimeoutError, PoolClosedError,
        ConnectionFailedError.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout)
        if not self._listeners:
            slot = None
            read_clock = self._now  # an attribute that is called in place costs twice as much
            now = read_clock()
            try:
                with self._lock:
                    slot = self._core.take(now)
            except BaseException:
                if slot is not None:
                    self.release(slot.connection)
                raise
            if slot is not None:
                return slot.connection
        return self._acquire(self._timeout if timeout is None else timeout)

    def release(self, connection: Any) -> None:
        """Give a connection back; None is ignored. Any thread may do so, not the borrower alone.

        Raises NotBorrowedError, and changes nothing, if the connection is not on loan (given back
        already, or another pool's). If it has been lent out again since, that cannot be seen: do
        not use or release a connection after its release.
        """
        if connection is None:
            return
        slot = None
        state = None
        try:
            state = connection_state(connection)
            read_clock = self._now
            now = read_clock()
            with self._lock:
                slot = self._core.in_use.get(id(connection))
                if slot is not None:
                    try:
                        more = self._core.check_in(slot, state is _CLEAN, now)
                    except BaseException:
                        self._core.salvage(slot, now)
                        raise
                    if not more:
                        return
            if slot is not None:
                self._put_right(slot, state)
        except BaseException:
            self._return_interrupted(connection, slot)
            raise
        if slot is None:
            self._refuse(connection)

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[Any]:
        """Borrow a connection for the length of a `with` block; `timeout` as for `acquire`."""
        connection = self.acquire(timeout)
        try:
            yield connection
        finally:
            self.release(connection)

    def __enter__(self) -> Any:
        connection = self.acquire()
        self._loans.stack().append(connection)
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release(self._loans.stack().pop())

    # --- the pool as a whole ---------------------------------------------------------------------

    def stats(self) -> PoolStats:
        """Return counters and gauges of this moment."""
        with self._lock:
            return self._core.stats()

    def get_stats(self) -> dict[str, int]:
        """Return the figures of `stats` by name."""
        return self.stats().as_dict()

    @property
    def closed(self) -> bool:
        """Whether the pool was closed for good."""
        return self._core.is_closed

    def close_all(self) -> None:
        """Empty the pool: idle connections are closed now, borrowed ones when they come back.

        The pool stays usable and opens connections as they are asked for.
        """
        with self._lock:
            doomed = self._core.clear(self._now())
        self._discard_all(doomed)

    def close(self) -> None:
        """Close the pool for good; does nothing the second time.

        Who waits gets PoolClosedError at once; idle connections are closed now, borrowed ones when
        they come back.
        """
        with self._lock:
            doomed = self._core.close(self._now())
        self._discard_all(doomed)

    # --- acquiring -------------------------------------------------------------------------------

    def _acquire(self, timeout: float) -> Any:
        started = self._now()
        deadline = None if timeout == math.inf else started + timeout
        ticket = Ticket(self._clock.waiter())
        try:
            with self._lock:
                self._core.start(ticket, started)
            if ticket.step is Step.WAIT:
                self._wait(ticket, started, deadline)
            self._carry_out(ticket, None if timeout == 0 else deadline, started)
            slot = ticket.slot
            assert slot is not None
            return slot.connection
        except BaseException as error:
            self._withdraw(ticket, _fail_reason(error))
            raise

    def _wait(self, ticket: Ticket, started: float, deadline: float | None) -> None:
        ticket.waiter.wait(deadline)
        with self._lock:  # a turn that came at the very moment of the deadline still counts
            if ticket.step is Step.WAIT:
                raise self._timeout_error(started)

    def _carry_out(self, ticket: Ticket, deadline: float | None, started: float) -> None:
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
            self._open(ticket, deadline, started)
        elif ticket.step is Step.TAKE:
            with self._lock:
                self._core.checkout(ticket, self._now())
        elif ticket.step is Step.REFUSED:
            raise self._core.closed_error()

    def _open(self, ticket: Ticket, deadline: float | None, started: float) -> None:
        remaining = None if deadline is None else deadline - self._now()
        if remaining is not None and remaining <= 0:
            with self._lock:
                raise self._timeout_error(started)
        try:
            ticket.slot = self._new_slot(remaining)
        except Exception as error:
            if deadline is not None and self._now() >= deadline:
                with self._lock:
                    raise self._timeout_error(started) from error
            raise ConnectionFailedError(self._cannot_connect(error)) from error
        with self._lock:
            self._core.opened(ticket, self._now())

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

    def _timeout_error(self, started: float) -> PoolTimeoutError:
        """Make the error; called with the lock held and the acquire still in the queue."""
        stats = self._core.stats()
        return PoolTimeoutError(
            name=self.name,
            limit=self._rules.limit,
            total=stats.total_connections,
            active=stats.in_use,
            idle=stats.pool_size,
            waiting=stats.waiting,
            waited=self._now() - started,
        )

    # --- giving back -----------------------------------------------------------------------------

    def _put_right(self, slot: Slot, state: ConnectionState | None) -> None:
        """Roll back or close a connection that came back; its slot is reserved meanwhile."""
        if slot.reason is None:
            if state is _IN_TRANSACTION and driver.rollback(slot.connection):
                with self._lock:
                    self._core.reset(slot, self._now())
            else:
                slot.reason = CloseReason.DIRTY
        if slot.returning:
            self._discard(slot)

    def _return_interrupted(self, connection: Any, slot: Slot | None) -> None:
        """Close what an interrupted release has left neither on loan nor in its place."""
        if slot is None:  # not even looked up: it is still this caller's
            with self._lock:
                slot = self._core.in_use.get(id(connection))
                if slot is not None:
                    self._core.check_in(slot, False, self._now())
        if slot is not None and slot.returning:
            slot.reason = slot.reason or CloseReason.DIRTY
            self._discard(slot)

    def _refuse(self, connection: Any) -> None:
        if self._inherited.pop(id(connection), None) is None:
            raise self._core.not_borrowed()

    def _discard(self, slot: Slot) -> None:
        try:
            driver.close(slot.connection)
        finally:
            with self._lock:
                self._core.freed(slot, self._now())

    def _discard_all(self, slots: list[Slot]) -> None:
        try:
            while slots:
                self._discard(slots.pop())
        finally:
            for slot in slots:  # interrupted: the rest is dropped without delay
                self._discard(slot)

    # --- opening ---------------------------------------------------------------------------------

    def _new_slot(self, limit: float | None = None) -> Slot:
        if isinstance(self._connect, driver.Connector):
            connection = self._connect(limit)
        else:
            connection = self._connect()
        return Slot(connection, self._core.generation, self._now(), self._rules.recycle)

    def _fill(self, count: int) -> None:
        try:
            for _ in range(count):
                slot = self._new_slot()
                with self._lock:
                    self._core.add_idle(slot, self._now())
        except BaseException as error:
            self.close()
            if not isinstance(error, Exception):
                raise
            raise PoolInitializationError(self._cannot_connect(error)) from error

    def _cannot_connect(self, error: Exception) -> str:
        where = ""
        if isinstance(self._connect, driver.Connector):
            at = self._connect
            where = f" to {at.address} as user {at.user!r}, database {at.database!r}"
        return (
            f"pool {self.name!r} could not open a connection{where}: "
            f"{type(error).__name__}: {error}. {driver.suggestion(error)}"
        )

    # --- listeners and forks ---------------------------------------------------------------------

    def _listener_failed(self, error: Exception) -> None:
        if not self._listener_complained:
            self._listener_complained = True
            _LOG.warning("a listener of the pool %r failed", self.name, exc_info=error)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._core = Core(self._rules, self._listeners, self._listener_failed)

    def _after_fork(self) -> None:
        """In the child: begin again, empty; the parent's connections are none of ours."""
        old = self._core
        self._start_afresh()
        for slot in [*old.idle, *old.in_use.values()]:
            driver.forget(slot.connection)
            # Kept for good: no finalizer may close it politely, and giving it back is no error.
            self._inherited[slot.key] = slot.connection
        if old.is_closed:
            self._core.close(self._now())


class _Loans(threading.local):
    """The connections that a thread has borrowed with `with pool`, the innermost last."""

    def __init__(self) -> None:
        self._stack: list[Any] = []

    def stack(self) -> list[Any]:
        return self._stack


def _fail_reason(error: BaseException) -> FailReason:
    if isinstance(error, PoolTimeoutError):
        return FailReason.TIMEOUT
    if isinstance(error, PoolClosedError):
        return FailReason.POOL_CLOSED
    if isinstance(error, ConnectionFailedError):
        return FailReason.CONNECTION_ERROR
    return FailReason.INTERRUPTED


_POOLS: "weakref.WeakSet[ConnectionPool]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_POOLS):
        pool._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
