"""The pool for threads: a lock around the core, and the short way through it.

Rules of this shell:

* The lock is held for moves of the core only; connecting, checking, rolling back, closing and
  waiting happen outside it, in the engine.
* The usual acquire and the usual release take one turn of the lock each, and nothing else - if
  there is nothing else to do: no listener, no `on_acquire`, no `max_uses`, no `max_idle_time`, no
  `leak_after`, no session reset.
* A forked child begins with an empty pool. What it inherited it neither uses nor closes politely;
  giving such a connection back there does nothing.
"""

import os
import random as chance
import threading
from collections.abc import Callable, Iterable
from typing import Any

from steadypool._common import forks
from steadypool._common.deferred import DeferredInterrupts
from steadypool._common.hooks import Hook, Hooks
from steadypool._common.log import PoolLog
from steadypool._common.options import check_settings, seconds
from steadypool._core.core import Core
from steadypool._core.entries import ConnectionState
from steadypool._core.settings import Order, Reset, Settings
from steadypool._drivers import configuration
from steadypool._drivers import dbapi as driver
from steadypool._drivers.dbapi import state as connection_state
from steadypool._drivers.mysql import Connector
from steadypool._threads.acquire import Engine
from steadypool._threads.clock import SystemClock
from steadypool._threads.connect import Opener
from steadypool._threads.contexts import Borrowing
from steadypool.events import Listener
from steadypool.protocols import Clock

_CLEAN = ConnectionState.CLEAN
_OPEN = ConnectionState.IN_TRANSACTION


class ConnectionPool(Borrowing):
    """A fair, thread-safe pool of database connections.

    How many, for how long, and who waits:

    * `size`: idle connections that are kept; `max_overflow`: how many more may be open at once
      (-1: any number; 0: none). `size` may be 0: then nothing is kept.
    * `min_size`: connections opened at start, and kept by `maintain`; None means `size`.
    * `max_idle_time`: an idle connection above `min_size` unused for so many seconds is closed.
    * `recycle`: age in seconds from which a connection is replaced before it is handed out; 0 or
      None: never. `recycle_jitter`: share of it (0 to 1) by which each connection's own limit is
      shortened at random, lest all be replaced together.
    * `max_uses`: a connection is closed when it comes back from so many loans.
    * `timeout`: seconds an acquire may take, waiting and connecting together; None: for ever.
    * `max_waiting`: length of the queue; who comes then gets PoolExhaustedError at once.
    * `order`: which idle connection is handed out (see `Order`).

    How to connect:

    * `config_name`: the database's name in the configuration file, and the pool's, unless `name`.
    * `config`: a `Config`, a URL, or a path; None: $STEADYPOOL_CONFIG, else ./config.yaml.
    * `connect`: any callable that opens a DB-API connection, in place of `config`. Its connects
      cannot be cut short by the acquire's timeout.
    * `max_connecting`: connects under way at once; None: as many as connections may be open.
    * `connect_attempts`: connects tried for one acquire, with growing rests in between, as far as
      its timeout allows. Not tried again is what time does not mend, such as a wrong password.
    * `breaker_failures`: after so many failed connects in a row, acquires that need a connect get
      ServerUnavailableError at once, save for one every `breaker_cooldown` seconds that finds out
      whether the server is back; None: never.

    What is done to connections:

    * `setup(connection)`: once for every new one (and after a session reset). A transaction that it
      leaves open is rolled back. `on_acquire(connection)`: at every acquire; what it begins is the
      borrower's. If one raises, the connection is closed and the exception goes to the borrower.
    * `check_after`: an idle connection unused for so many seconds is checked for being alive,
      without a round trip, before it is handed out; `validate_after`: with one. None: never.
    * `reset`: what is done when it comes back (see `Reset`).
    * `leak_after`: a loan that lasts longer, in seconds, is reported once: in the log, and as an
      event. The pool then notes who borrows and where, which costs some microseconds.
    * `listeners`: see `steadypool.events`. `clock`: where time comes from; `random`: numbers from
      0 to 1; both for tests.

    A connection comes back without open transaction (it is rolled back; uncommitted work is lost)
    and without unread result (else it is dropped). Other session state, such as variables,
    temporary tables and locks taken by name, is reset by `Reset.SESSION` only.

    Raises PoolConfigError, and PoolInitializationError when the first connections cannot be opened.
    Every method may be called from any thread, but not from a listener, nor from a finalizer
    (`__del__`, a `weakref` callback): those may run in the midst of the pool's own work.
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
        validate_after: float | None = None,
        recycle_jitter: float = 0.0,
        max_uses: int | None = None,
        max_idle_time: float | None = None,
        max_waiting: int | None = None,
        max_connecting: int | None = None,
        connect_attempts: int = 3,
        breaker_failures: int | None = 5,
        breaker_cooldown: float = 1.0,
        setup: Hook | None = None,
        on_acquire: Hook | None = None,
        reset: Reset = Reset.ROLLBACK,
        order: Order = Order.LIFO,
        leak_after: float | None = None,
        clock: Clock | None = None,
        random: Callable[[], float] = chance.random,
        listeners: Iterable[Listener] = (),
        name: str | None = None,
    ) -> None:
        super().__init__()
        self.name = name or config_name
        self._settings: Settings = check_settings(
            name=self.name,
            size=size,
            max_overflow=max_overflow,
            min_size=min_size,
            recycle=recycle,
            recycle_jitter=recycle_jitter,
            max_uses=max_uses,
            max_idle_time=max_idle_time,
            max_waiting=max_waiting,
            check_after=check_after,
            validate_after=validate_after,
            max_connecting=max_connecting,
            connect_attempts=connect_attempts,
            breaker_failures=breaker_failures,
            breaker_cooldown=breaker_cooldown,
            reset=reset,
            order=order,
            leak_after=leak_after,
            hooked=on_acquire is not None,
        )
        self._timeout = seconds("timeout", timeout)
        self._keeps_open = self._settings.reset is Reset.NONE
        if connect is None:
            connect = Connector(configuration.load(config, config_name))
        self._opener = Opener(self.name, connect, Hooks(setup, on_acquire))
        self._log = PoolLog(self.name, self._opener.address)
        self._interrupts = DeferredInterrupts(self._log, threading.get_ident)
        self._kept = self._interrupts.kept
        self._random = random
        self._clock: Clock = clock or SystemClock()
        self._now = self._clock.now
        self._listeners = tuple(listeners)
        self._inherited: dict[int, Any] = {}
        self._start_afresh()
        self._core.begin(self._now())
        try:
            self._engine.fill()
            self._interrupts.go_on()
        except BaseException:
            self.close()
            raise
        forks.watch(self)

    def __repr__(self) -> str:
        return f"<ConnectionPool {self.name!r} {self.stats()}>"

    # --- borrowing -------------------------------------------------------------------------------

    def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection; give it back with `release`.

        `timeout` in seconds covers waiting and connecting; None: the pool's own; 0: do not wait
        (a connection may still be opened, once). Raises PoolTimeoutError, PoolExhaustedError,
        PoolClosedError, ConnectionFailedError (ConnectionValidationError, ServerUnavailableError),
        and whatever a hook raises.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout, "the pool's own")
        entry = None
        read_clock = self._now  # an attribute that is called in place costs twice as much
        now = read_clock()
        try:
            if self._core.idle:  # a glance without the lock; whom it deceives goes the long way
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
        """Give a connection back; None is ignored. Any thread may do so, not the borrower alone.

        Raises NotBorrowedError, and changes nothing, if the connection is not on loan (given back
        already, or another pool's). If it has been lent out again since, that cannot be seen: do
        not use or release a connection after its release.
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
                        number = entry.returning  # read in the same turn, it is this return's, or 0
                    elif not self._kept:
                        return
            if entry is not None and more:
                self._engine.put_right(entry, number, state)
        except BaseException:
            self._engine.rescue(connection, entry, number)
            raise
        self._interrupts.go_on()
        if entry is None and id(connection) not in self._inherited:
            raise self._core.not_borrowed()

    # --- beginning, and beginning again in a forked child ----------------------------------------

    def _start_afresh(self) -> None:
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
        """In the child: begin again, empty; the parent's connections are none of ours."""
        old = self._core
        self._settings = old.settings
        self._start_afresh()
        self._core.tidy_at = old.tidy_at
        for entry in [*old.idle, *old.in_use.values()]:
            driver.forget(entry.connection)
            # Kept for good: no finalizer may close it politely, and giving it back is no error.
            self._inherited[entry.key] = entry.connection
        if old.is_closed:
            self._core.close([], self._now())
        if old.is_suspended:
            self._core.suspend(self._now())
