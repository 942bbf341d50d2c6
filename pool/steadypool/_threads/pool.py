"""The pool for threads: a lock around the core, and the fast path through it.

Rules:

* The pool holds the lock only for transitions of the core. The engine connects, checks, rolls back,
  closes and waits without it.
* The usual acquire and the usual release take the lock once and do nothing else, as long as the
  pool has no listener, `on_acquire`, `max_uses`, `max_idle_time`, `leak_after` or session reset.
* A forked child starts with an empty pool. It neither uses inherited connections nor closes them
  with a message to the server; releasing one there does nothing.
"""

import threading
from typing import Any, Unpack

from steadypool._common import forks
from steadypool._common.checks import seconds
from steadypool._common.deferred import DeferredInterrupts
from steadypool._common.hooks import Hooks
from steadypool._common.log import PoolLog
from steadypool._common.options import PoolOptions, complete, takes
from steadypool._common.own_loans import reference
from steadypool._core.core import Core
from steadypool._core.entries import ConnectionState
from steadypool._drivers import configuration
from steadypool._drivers import dbapi as driver
from steadypool._drivers.connector import Connector
from steadypool._drivers.dbapi import state as connection_state
from steadypool._threads.acquire import Engine
from steadypool._threads.admin import PoolAdmin
from steadypool._threads.clock import SystemClock
from steadypool._threads.connect import Opener
from steadypool._threads.contexts import Borrowing
from steadypool.protocols import Clock

_CLEAN = ConnectionState.CLEAN
_OPEN = ConnectionState.IN_TRANSACTION


class ConnectionPool(PoolAdmin, Borrowing):
    """A fair, thread-safe pool of database connections.

    * `size`: the number of idle connections that the pool keeps; 0: none.
    * `max_overflow`: how many more may be open at once; 0: none; -1: any number.
    * `timeout`: the seconds that an acquire may take, waiting and connecting together; None: no
      limit.
    * `recycle`: the age in seconds from which a connection is replaced before it is handed out; 0
      or None: never.
    * `config_name`: the database's name in the configuration file, and the pool's name unless
      `name` is given.

    `PoolOptions` describes the keyword options.

    A released connection is rolled back if it has an open transaction, so uncommitted work is lost.
    It is closed if it has an unread result. Other session state, such as variables, temporary
    tables and named locks, stays unless `reset` is `Reset.SESSION`.

    Raises PoolConfigError, and PoolInitializationError if the first connections cannot be opened.
    Any thread may call any method. A listener or a finalizer (`__del__`, a `weakref` callback) must
    not, because it may run during the pool's own work.
    """

    @takes(PoolOptions)
    def __init__(
        self,
        size: int = 5,
        max_overflow: int = 10,
        timeout: float | None = 30.0,
        recycle: float | None = 3600.0,
        config_name: str = "primary",
        **given: Unpack[PoolOptions],
    ) -> None:
        Borrowing.__init__(self)
        options = complete(PoolOptions, given)
        self._configure(size, max_overflow, timeout, recycle, config_name, options)
        connect = options["connect"]
        if connect is None:
            connect = Connector(configuration.load(options["config"], config_name))
        self._opener = Opener(self.name, connect, Hooks(options["setup"], options["on_acquire"]))
        self._log = PoolLog(self.name, self._opener.address)
        self._interrupts = DeferredInterrupts(self._log, threading.get_ident)
        self._deferred = self._interrupts.pending
        self._clock: Clock = options["clock"] or SystemClock()
        self._now = self._clock.now
        self._inherited: dict[int, Any] = {}
        self._make_engine()
        self._core.begin(self._now())
        try:
            self._engine.fill()
            self._interrupts.raise_deferred()
        except BaseException:
            self.close()
            raise
        forks.watch(self)

    def __repr__(self) -> str:
        return f"<ConnectionPool {self.name!r} {self.stats()}>"

    # --- borrowing -------------------------------------------------------------------------------

    def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection; return it with `release`.

        `timeout` in seconds covers waiting and connecting; None: the pool's own; 0: do not wait
        (but a single attempt to connect is allowed). Raises PoolTimeoutError, PoolExhaustedError,
        PoolClosedError, ConnectionFailedError (ConnectionValidationError, ServerUnavailableError),
        and any exception of a hook.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout, "the pool's own")
        entry = None
        read_clock = self._now  # calling an attribute in place costs twice as much
        now = read_clock()
        try:
            if self._core.idle:  # read without the lock; a wrong answer leads to the slow path
                with self._lock:
                    entry = self._core.take(now)
        except BaseException:
            if entry is not None:
                self.release(entry.connection)
            raise
        if entry is not None:
            return entry.connection
        return self._engine.acquire(self._timeout if timeout is None else timeout, now)

    def release(self, connection: Any) -> None:
        """Return a connection; None is ignored. Any thread may release it, not only the borrower.

        Raises NotBorrowedError, and changes nothing, if the connection is not on loan: it was
        released already, or belongs to another pool. The pool cannot detect a second release if the
        connection is on loan again by then: do not use or release a connection after its release.
        """
        if connection is None:
            return
        entry = None
        more = False
        number = 0
        try:
            state = connection_state(connection)
            read_clock = self._now
            now = read_clock()
            with self._lock:
                entry = self._core.in_use.get(id(connection))
                if entry is not None:
                    try:
                        clean = state is _CLEAN or (self._keeps_open and state is _OPEN)
                        more = self._core.check_in(entry, clean, now)
                    except BaseException:
                        try:
                            self._core.salvage(entry, now)
                        finally:
                            number = entry.returning
                        raise
                    if more:
                        number = entry.returning  # under the same lock: this checkin's, or 0
                    elif not self._deferred:
                        return
            if entry is not None and more:
                self._engine.finish_release(entry, number, state)
        except BaseException:
            self._engine.rescue(connection, entry, number)
            raise
        self._interrupts.raise_deferred()
        if entry is None and id(connection) not in self._inherited:
            raise self._core.not_borrowed()

    def _note(self, connection: Any, error: BaseException) -> None:
        if driver.shows_read_only(connection, error):
            with self._lock:
                entry = self._core.in_use.get(id(connection))
            if entry is not None:
                self._engine.leave_read_only(entry)

    def _note_borrower(self, connection: Any) -> None:
        """Record that this thread borrowed a connection."""
        entry = self._core.in_use.get(id(connection))
        if entry is not None:
            entry.borrower = reference(threading.current_thread())

    # --- start, and restart in a forked child ----------------------------------------------------

    def _make_engine(self) -> None:
        self._lock = threading.Lock()
        self._core = self._make_core()
        self._engine = Engine(
            self._core,
            self._lock,
            self._clock,
            self._opener,
            self._log,
            self._interrupts,
            self._random,
        )

    def _make_core(self) -> Core:
        return Core(self._settings, self._listeners, self._interrupts.listener_raised)

    def _after_fork(self) -> None:
        """In the child: start empty; inherited connections belong to the parent."""
        old = self._core
        self._settings = old.settings
        self._make_engine()
        self._core.tidy_at = old.tidy_at
        for entry in [*old.idle, *old.in_use.values()]:
            driver.forget(entry.connection)
            # Kept for good: no finalizer may send a goodbye, and releasing it is no error.
            self._inherited[entry.key] = entry.connection
        if old.is_closed:
            self._core.close([], self._now())
        if old.is_suspended:
            self._core.suspend(self._now())
