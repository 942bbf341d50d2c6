"""The pool for threads: a lock around the core, and the short way through it.

Rules of this shell:

* The lock is held for moves of the core only; connecting, checking, rolling back, closing and
  waiting happen outside it, in the engine.
* Without listeners the usual acquire and the usual release take one turn of the lock each, and
  nothing else.
* A forked child begins with an empty pool. What it inherited it neither uses nor closes politely;
  giving such a connection back there does nothing.
"""

import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from steadypool import config as configuration
from steadypool import driver
from steadypool.books import Rules
from steadypool.clock import SystemClock
from steadypool.core import Core
from steadypool.driver import state as connection_state
from steadypool.engine import Engine
from steadypool.events import Listener
from steadypool.opener import Opener
from steadypool.options import check_rules, seconds, whole
from steadypool.protocols import Clock
from steadypool.states import ConnectionState, Slot
from steadypool.stats import PoolStats

_LOG = logging.getLogger("steadypool")
_CLEAN = ConnectionState.CLEAN


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
        self._min_size = size if min_size is None else whole("min_size", min_size, 0, size)
        if connect is None:
            connect = driver.Connector(configuration.load(config, config_name))
        self._opener = Opener(self.name, connect)
        self._clock: Clock = clock or SystemClock()
        self._now = self._clock.now
        self._listeners = tuple(listeners)
        self._listener_complained = False
        self._loans = _Loans()
        self._inherited: dict[int, Any] = {}
        self._start_afresh()
        self._core.begin(self._now())
        try:
            self._engine.fill(self._min_size)
        except BaseException:
            self.close()
            raise
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
        return self._engine.acquire(self._timeout if timeout is None else timeout)

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
                self._engine.put_right(slot, state)
        except BaseException:
            self._engine.rescue(connection, slot)
            raise
        if slot is None and self._inherited.pop(id(connection), None) is None:
            raise self._core.not_borrowed()

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
    def size(self) -> int:
        """How many idle connections are kept."""
        return self._core.rules.size

    @property
    def min_size(self) -> int:
        """How many connections the pool opens at its start."""
        return self._min_size

    @property
    def max_size(self) -> int:
        """How many connections may be open at once; `sys.maxsize` for any number."""
        return self._core.rules.limit

    @property
    def closed(self) -> bool:
        """Whether the pool was closed for good."""
        return self._core.is_closed

    def close_all(self) -> None:
        """Empty the pool: idle connections are closed now, borrowed ones when they come back.

        The pool stays usable and opens connections as they are asked for.
        """
        self._empty(self._core.clear)

    def close(self) -> None:
        """Close the pool for good; does nothing the second time.

        Who waits gets PoolClosedError at once; idle connections are closed now, borrowed ones when
        they come back.
        """
        self._empty(self._core.close)

    def _empty(self, move: Callable[[list[Slot], float], None]) -> None:
        doomed: list[Slot] = []
        try:
            with self._lock:
                move(doomed, self._now())
        finally:
            self._engine.discard(doomed)

    # --- listeners and forks ---------------------------------------------------------------------

    def _listener_failed(self, error: Exception) -> None:
        if not self._listener_complained:
            self._listener_complained = True
            _LOG.warning("a listener of the pool %r failed", self.name, exc_info=error)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._core = Core(self._rules, self._listeners, self._listener_failed)
        self._engine = Engine(self._core, self._lock, self._clock, self._opener)

    def _after_fork(self) -> None:
        """In the child: begin again, empty; the parent's connections are none of ours."""
        old = self._core
        self._start_afresh()
        for slot in [*old.idle, *old.in_use.values()]:
            driver.forget(slot.connection)
            # Kept for good: no finalizer may close it politely, and giving it back is no error.
            self._inherited[slot.key] = slot.connection
        if old.is_closed:
            self._core.close([], self._now())


class _Loans(threading.local):
    """The connections that a thread has borrowed with `with pool`, the innermost last."""

    def __init__(self) -> None:
        self._stack: list[Any] = []

    def stack(self) -> list[Any]:
        return self._stack


_POOLS: "weakref.WeakSet[ConnectionPool]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_POOLS):
        pool._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
