"""The pool for threads: a monitor around the core, and the fast paths through it.

Rules:

* The pool holds the monitor's lock only for transitions of the core. It connects, checks, rolls
  back, closes, waits, logs and calls listeners and hooks without it.
* The usual acquire and the usual release take the lock once and do nothing else, as long as the
  pool has no listener, `on_acquire`, `on_release`, `max_uses`, `max_idle_time`, `leak_after`,
  `Order.FIFO` or session reset.
* Any method may be called from anywhere in a thread, even from a signal handler or a finalizer that
  interrupts the pool's own work. In the middle of a transition the pool's figures are those of the
  moment, an acquire raises ReentrantCallError, and any other call is deferred until the transition
  is complete; see `steadypool._common.deferred`.
* A forked child starts with an empty pool. It neither uses inherited connections nor closes them
  with a message to the server; releasing one there does nothing.
"""

import threading
from functools import partial
from typing import Any, Unpack

from steadypool._common import forks
from steadypool._common.checks import seconds
from steadypool._common.deferred import Deferred
from steadypool._common.delivery import Delivery
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
from steadypool._threads.monitor import Monitor
from steadypool.protocols import Clock

_CLEAN = ConnectionState.CLEAN


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
    Any thread may call any method, also from a listener, a hook, a log handler, a signal handler or
    a finalizer (`__del__`, a `weakref` callback). See ReentrantCallError for the one exception.
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
        hooks = Hooks(options["setup"], options["on_acquire"], options["on_release"])
        self._opener = Opener(self.name, connect, hooks)
        self._log = PoolLog(self.name, self._opener.address)
        self._deferred = Deferred(self._log, threading.get_ident)
        self._pending = self._deferred.pending
        self._clock: Clock = options["clock"] or SystemClock()
        self._now = self._clock.now
        self._inherited: dict[int, Any] = {}
        self._make_engine()
        self._monitor.run(self._core.begin, self._now())
        try:
            self._engine.fill()
            self._deferred.settle()
        except BaseException:
            self.close()
            raise
        forks.watch(self)

    def __repr__(self) -> str:
        return f"<ConnectionPool {self.name!r} {self.stats()}>"

    # --- borrowing -------------------------------------------------------------------------------

    def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection; return it with `release`.

        `timeout` in seconds covers waiting and connecting; None: the pool's own; 0: take an idle
        connection or fail, without waiting and without connecting. Raises PoolTimeoutError,
        PoolExhaustedError, PoolClosedError, ConnectionFailedError (ConnectionValidationError,
        ServerUnavailableError), ReentrantCallError, and any exception of a hook.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout, "the pool's own")
        entry = None
        read_clock = self._now  # calling an attribute in place costs twice as much
        now = read_clock()
        try:
            with self._lock:
                entry = self._core.take(now)
        except BaseException:
            if entry is not None:
                self.release(entry.connection)
            self._deferred.settle()
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
        is_done = False
        number = 0
        core = self._core
        try:
            state = connection_state(connection)
            if state is _CLEAN:
                read_clock = self._now
                now = read_clock()
                with self._lock:
                    entry = core.in_use.get(id(connection))
                    if entry is not None:
                        try:
                            is_done = core.put_back(entry, now)
                        except KeyError:  # a call in between, from a signal handler, released it
                            entry, is_done = None, True
                        except BaseException:  # still under the lock, so no thread has it again
                            is_done = core.in_use.get(entry.key) is not entry
                            raise
                        if is_done and not self._pending:
                            return
            if not is_done:
                entry = core.in_use.get(id(connection))
                if entry is None:
                    pass
                elif self._is_inside():
                    self._monitor.defer(partial(self.release, connection))
                elif number := core.claim(entry):
                    self._engine.finish_release(entry, number, state)
                else:
                    entry = None  # another release was quicker
        except BaseException:
            if not is_done:
                self._engine.rescue(connection, entry, number)
            self._deferred.settle()
            raise
        if self._pending:
            self._deferred.settle()
        if entry is None and id(connection) not in self._inherited:
            raise core.not_borrowed()

    def _note(self, connection: Any, error: BaseException) -> None:
        if driver.shows_read_only(connection, error):
            entry = self._core.in_use.get(id(connection))
            if entry is not None:
                self._do(partial(self._engine.leave_read_only, entry))

    def _note_borrower(self, connection: Any) -> None:
        """Record that this thread borrowed a connection."""
        entry = self._core.in_use.get(id(connection))
        if entry is not None:
            entry.borrower = reference(threading.current_thread())

    # --- start, and restart in a forked child ----------------------------------------------------

    def _make_engine(self) -> None:
        self._core = self._make_core()
        delivery = Delivery(
            self._core.events, self._listeners, self._deferred, self._log, hands_over=True
        )
        self._monitor = Monitor(self._core, delivery, self._deferred)
        self._lock = self._monitor.lock
        self._is_inside = self._monitor.is_inside
        self._engine = Engine(
            self._core,
            self._monitor,
            self._clock,
            self._opener,
            self._log,
            self._deferred,
            self._random,
        )

    def _make_core(self) -> Core:
        return Core(self._settings, threading.get_ident if self._listeners else None)

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
            self._monitor.run(self._core.close, [], self._now())
        if old.is_suspended:
            self._monitor.run(self._core.suspend, self._now())
