"""The pool for asyncio: the same core as the threads' pool, on one event loop.

    pool = await AsyncConnectionPool.open(size=5, config="mysql://app:…@db1/shop")
    async with pool as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
    await pool.close()

Rules of this shell:

* It belongs to the event loop in which it was started; that loop is its lock. It has no thread, and
  no task of its own: tasks run only while a connection is being opened, reset or closed.
* A cancellation goes on at once, wherever it strikes, and loses nothing: see
  `steadypool.aio_engine`. `asyncio.timeout` around any method is honoured.
* A connection on which a statement was broken off is dropped: nobody knows what is left to read.
* A process that forks makes its pools after the fork: an event loop does not survive it.

Supported is asyncio, with any of its event loops; under anyio, its asyncio backend. trio is not.
"""

import asyncio
import logging
import os
import weakref
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

from steadypool import aio_connections as connections
from steadypool import config as configuration
from steadypool.aio_clock import SystemAsyncClock
from steadypool.aio_engine import AsyncEngine
from steadypool.aio_opener import AsyncConnect, AsyncOpener, configured
from steadypool.core import Core
from steadypool.errors import WrongLoopError
from steadypool.events import Listener
from steadypool.options import check_rules, seconds, whole
from steadypool.protocols import AsyncClock
from steadypool.states import ConnectionState, Slot
from steadypool.stats import PoolStats

_LOG = logging.getLogger("steadypool")


class AsyncConnectionPool:
    """A fair pool of database connections for the tasks of one event loop.

    The options are those of `ConnectionPool`, with these differences: `connect` is any async
    callable that opens a connection, and its connects are cut short by the acquire's timeout as
    well; `clock` is an `AsyncClock`. Without `connect` the connections are aiomysql's.

    Making a pool does nothing yet: await `start`, or make and start it with `open`. A pool that
    was not started, or is used in another event loop, raises WrongLoopError. Raises
    PoolConfigError. No method may be called from a listener, nor from another thread.
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
        connect: AsyncConnect | None = None,
        check_after: float | None = 0.5,
        clock: AsyncClock | None = None,
        listeners: Iterable[Listener] = (),
        name: str | None = None,
    ) -> None:
        self.name = name or config_name
        rules = check_rules(
            name=self.name,
            size=size,
            max_overflow=max_overflow,
            recycle=recycle,
            check_after=check_after,
        )
        self._timeout = seconds("timeout", timeout)
        self._min_size = size if min_size is None else whole("min_size", min_size, 0, size)
        if connect is None:
            opener = configured(self.name, config, config_name)
        else:
            opener = AsyncOpener(self.name, connect)
        self._clock: AsyncClock = clock or SystemAsyncClock()
        self._now = self._clock.now
        self._listeners = tuple(listeners)
        self._listener_complained = False
        self._core = Core(rules, self._listeners, self._listener_failed)
        self._engine = AsyncEngine(self._core, self._clock, opener)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loans: weakref.WeakKeyDictionary[asyncio.Task[Any], list[Any]]
        self._loans = weakref.WeakKeyDictionary()

    @classmethod
    async def open(cls, *positional: Any, **options: Any) -> "AsyncConnectionPool":
        """Make a pool and start it."""
        pool = cls(*positional, **options)
        await pool.start()
        return pool

    async def start(self) -> None:
        """Open the first connections, in the event loop that the pool belongs to from now on.

        Raises PoolInitializationError; then the pool is closed and nothing is left open.
        """
        if self._loop is not None:
            self._check_loop()
            return
        self._loop = asyncio.get_running_loop()
        self._core.begin(self._now())
        try:
            await self._engine.fill(self._min_size)
        except BaseException:
            await self.close()
            raise

    def __repr__(self) -> str:
        return f"<AsyncConnectionPool {self.name!r} {self.stats()}>"

    # --- borrowing -------------------------------------------------------------------------------

    async def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection; give it back with `release`.

        `timeout` in seconds covers waiting and connecting; None: the pool's own; 0: do not wait
        (a connection may still be opened). Raises PoolTimeoutError, PoolClosedError,
        ConnectionFailedError.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout)
        self._check_loop()
        if not self._listeners:
            slot = self._core.take(self._now())
            if slot is not None:
                return slot.connection
        return await self._engine.acquire(self._timeout if timeout is None else timeout)

    async def release(self, connection: Any) -> None:
        """Give a connection back; None is ignored. Any task may do so, not the borrower alone.

        The connection is given back before this method first waits; a cancellation then only ends
        the wait for its reset. Raises NotBorrowedError, and changes nothing, if the connection is
        not on loan. Do not use or release a connection after its release.
        """
        if connection is not None:
            await self._give_back(connection, connections.state(connection))

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Any]:
        """Borrow a connection for the length of a block; `timeout` as for `acquire`."""
        connection = await self.acquire(timeout)
        try:
            yield connection
        except BaseException as error:
            await self._give_back(connection, _state_after(connection, error))
            raise
        await self.release(connection)

    async def __aenter__(self) -> Any:
        connection = await self.acquire()
        task = asyncio.current_task()
        assert task is not None
        self._loans.setdefault(task, []).append(connection)
        return connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = self._loans[task].pop()
        await self._give_back(connection, _state_after(connection, error))

    async def _give_back(self, connection: Any, state: ConnectionState) -> None:
        self._check_loop()
        slot = self._core.in_use.get(id(connection))
        if slot is None:
            raise self._core.not_borrowed()
        now = self._now()
        try:
            more = self._core.check_in(slot, state is ConnectionState.CLEAN, now)
        except BaseException:  # a listener raised it
            self._core.salvage(slot, now)
            self._engine.put_away(slot)
            raise
        if more:
            await self._engine.put_right(slot, state)

    # --- the pool as a whole ---------------------------------------------------------------------

    def stats(self) -> PoolStats:
        """Return counters and gauges of this moment."""
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

    async def close_all(self) -> None:
        """Empty the pool: idle connections are closed now, borrowed ones when they come back.

        The pool stays usable and opens connections as they are asked for.
        """
        self._check_loop()
        await self._empty(self._core.clear)

    async def close(self) -> None:
        """Close the pool for good; does nothing the second time.

        Who waits or connects gets PoolClosedError at once; idle connections are closed now,
        borrowed ones when they come back. Returns when nothing of the pool's runs any more.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._check_loop()
        await self._empty(self._core.close)
        await self._engine.settle()

    async def _empty(self, move: Callable[[list[Slot], float], None]) -> None:
        doomed: list[Slot] = []
        try:
            move(doomed, self._now())
        finally:
            await self._engine.discard(doomed)

    # --- loop and listeners ----------------------------------------------------------------------

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is self._loop:
            return
        if self._loop is None:
            raise WrongLoopError(f"the pool {self.name!r} was not started: await its start() first")
        raise WrongLoopError(
            f"the pool {self.name!r} belongs to another event loop: make one in each loop"
        )

    def _listener_failed(self, error: Exception) -> None:
        if not self._listener_complained:
            self._listener_complained = True
            _LOG.warning("a listener of the pool %r failed", self.name, exc_info=error)


def _state_after(connection: Any, error: BaseException | None) -> ConnectionState:
    """Tell what a connection is like after a block that may have been broken off."""
    state = connections.state(connection)
    broken_off = isinstance(error, asyncio.CancelledError | TimeoutError | GeneratorExit)
    if broken_off and not connections.knows_cancellation(connection):
        return ConnectionState.UNREAD
    return state
