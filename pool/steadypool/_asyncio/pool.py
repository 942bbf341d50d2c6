"""The pool for asyncio: the same core as the threads' pool, on one event loop.

    pool = await AsyncConnectionPool.open(size=5, config="mysql://app:…@db1/shop")
    async with pool as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT 1")
    await pool.close()

Rules of the asyncio pool:

* It belongs to the event loop in which it was started; that loop serves as its lock. It has no
  thread and no permanent task: tasks run only while a connection is opened, reset or closed.
* A cancellation propagates at once from any point and loses nothing; see
  `steadypool._asyncio.acquire`. `asyncio.timeout` works around any method.
* A connection with an interrupted statement is dropped, because its unread answer is unknown. The
  server may continue the statement for a while.
* A process that forks creates its pools after the fork, because an event loop does not survive it.
  In the child a started pool refuses every call and leaves its connections alone.

The pool supports every event loop of asyncio, and anyio on its asyncio backend. It does not support
trio.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Self, Unpack

from steadypool._asyncio.acquire import AsyncEngine
from steadypool._asyncio.admin import AsyncPoolAdmin
from steadypool._asyncio.clock import SystemAsyncClock
from steadypool._asyncio.connect import AsyncOpener, configured
from steadypool._asyncio.monitor import AsyncMonitor
from steadypool._common import forks
from steadypool._common.checks import seconds
from steadypool._common.contexts import (
    ENDED,
    AsyncOverriddenBlock,
    Block,
    BlockEnd,
    BlocksByHand,
    adopt_override,
    connection_to_release,
    next_block,
)
from steadypool._common.deferred import Deferred
from steadypool._common.delivery import Delivery
from steadypool._common.hooks import Hooks
from steadypool._common.log import PoolLog
from steadypool._common.options import AsyncPoolOptions, complete, takes
from steadypool._common.own_loans import reference
from steadypool._core.core import Core
from steadypool._core.entries import ConnectionState
from steadypool._core.settings import Reset
from steadypool._drivers import async_dbapi as connections
from steadypool.errors import WrongLoopError
from steadypool.protocols import AsyncClock

_CLEAN = ConnectionState.CLEAN
_OPEN = ConnectionState.IN_TRANSACTION


class _Block(Block):
    """The end of one `async with pool` block."""

    __slots__ = ()

    def __call__(self, *details: Any) -> Coroutine[Any, Any, None]:
        """Return the release of the block's connection, to be awaited."""
        owner, connection = self.owner or details[0], self.connection
        if connection is None:
            connection = connection_to_release(owner)
        else:
            self.connection = ENDED
        if connection is ENDED:
            raise owner._core.not_borrowed()
        release: Coroutine[Any, Any, None] = owner._leave(connection, details[-2])
        return release


class AsyncConnectionPool(AsyncPoolAdmin):
    """A fair pool of database connections for the tasks of one event loop.

    The positional options are those of `ConnectionPool`. `AsyncPoolOptions` describes the keyword
    options. Hooks may be plain or async; async hooks run in a separate task. The timeout of an
    acquire also limits its connects and hooks. Without `connect`, the pool uses aiomysql.

    Creating a pool opens nothing: await `start`, or create and start it with `open`. A pool that
    was not started, or is used in another event loop, raises WrongLoopError. The constructor raises
    PoolConfigError. Other threads must not call any method.
    """

    @takes(AsyncPoolOptions)
    def __init__(
        self,
        size: int = 5,
        max_overflow: int = 10,
        timeout: float | None = 30.0,
        recycle: float | None = 3600.0,
        config_name: str = "primary",
        **given: Unpack[AsyncPoolOptions],
    ) -> None:
        options = complete(AsyncPoolOptions, given)
        self._configure(size, max_overflow, timeout, recycle, config_name, options)
        self._keeps_open = self._settings.reset is Reset.NONE
        hooks = Hooks(options["setup"], options["on_acquire"], options["on_release"])
        connect = options["connect"]
        if connect is None:
            opener = configured(self.name, options["config"], config_name, hooks)
        else:
            opener = AsyncOpener(self.name, connect, hooks)
        self._opener = opener
        self._log = PoolLog(self.name, opener.address)
        self._clock: AsyncClock = options["clock"] or SystemAsyncClock()
        self._now = self._clock.now
        self._deferred = Deferred(self._log, lambda: 0)  # all tasks run in one thread
        self._lock = nullcontext()
        self._make_engine()
        self._loop: object = None  # the event loop, compared by identity
        self._cut_off: dict[int, Any] = {}
        self._by_hand = BlocksByHand(lambda: id(asyncio.current_task()))

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        adopt_override(cls, "__aexit__", AsyncOverriddenBlock)

    @classmethod
    async def open(cls, *positional: Any, **options: Any) -> Self:
        """Create a pool and start it."""
        return await cls(*positional, **options).start()

    async def start(self) -> Self:
        """Open the first connections; the pool then belongs to the running event loop.

        Returns the pool. Starting twice has no effect. Raises PoolInitializationError; then the
        pool is closed and no connection is left open.
        """
        if self._loop is not None:
            self._check_caller()
            return self
        self._loop = asyncio.get_running_loop()
        forks.watch(self)
        self._monitor.run(self._core.begin, self._now())
        try:
            await self._engine.fill()
            self._deferred.settle()
        except BaseException:
            await self.close()
            raise
        return self

    def __repr__(self) -> str:
        return f"<AsyncConnectionPool {self.name!r} {self.stats()}>"

    # --- borrowing -------------------------------------------------------------------------------

    async def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection; return it with `release`.

        `timeout` in seconds covers waiting and connecting; None: the pool's own; 0: take an idle
        connection or fail, without waiting and without connecting. Raises PoolTimeoutError,
        PoolExhaustedError, PoolClosedError, ConnectionFailedError (ConnectionValidationError,
        ServerUnavailableError), and the exceptions of hooks.
        """
        if timeout is not None:
            timeout = seconds("timeout", timeout, "the pool's own")
        self._check_caller()
        entry = self._core.take(self._now())
        if entry is not None:
            return entry.connection
        return await self._engine.acquire(self._timeout if timeout is None else timeout)

    async def release(self, connection: Any) -> None:
        """Return a connection to the pool; None is ignored. Any task may release it.

        The release takes effect before this method first waits; a cancellation only ends the wait
        for the reset. Raises NotBorrowedError, and changes nothing, if the connection is not on
        loan. Do not use or release a connection after its release.
        """
        if connection is not None:
            state = connections.state(connection)
            await self._check_in(connection, state, self._keeps_open)

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Any]:
        """Borrow a connection for the duration of a block; `timeout` as for `acquire`."""
        connection = await self.acquire(timeout)
        try:
            self._note_borrower(connection)
            yield connection
        except BaseException as error:
            await self._check_in(
                connection, connections.state_after(connection, error), self._keeps_open
            )
            raise
        await self.release(connection)

    @asynccontextmanager
    async def transaction(self, timeout: float | None = None) -> AsyncIterator[Any]:
        """Borrow a connection for a unit of work: an atomic `async with` block.

        The end of the block commits the work. If the block or the commit raises, the work is rolled
        back and the exception propagates. `timeout` as for `acquire`; see `steadypool.units` for
        optimistic locking.
        """
        connection = await self.acquire(timeout)
        try:
            self._note_borrower(connection)
            await connections.begin(connection)
            yield connection
            await connections.commit(connection)
        except BaseException as error:  # the release rolls back
            await self._check_in(connection, connections.state_after(connection, error), False)
            raise
        await self.release(connection)

    def __aenter__(self) -> Coroutine[Any, Any, Any]:
        return self._enter(next_block(self))

    __aexit__ = BlockEnd(_Block)

    async def _enter(self, block: Block | None) -> Any:
        connection = await self.acquire()
        self._note_borrower(connection)
        if block is None:
            self._by_hand.enter(connection)
        else:
            block.connection = connection
        return connection

    def _leave(self, connection: Any, error: BaseException | None) -> Coroutine[Any, Any, None]:
        state = connections.state_after(connection, error)
        return self._check_in(connection, state, self._keeps_open)

    async def _check_in(self, connection: Any, state: ConnectionState, keeps_open: bool) -> None:
        self._check_caller()
        entry = self._core.in_use.get(id(connection))
        if entry is None:
            if id(connection) in self._cut_off:
                return
            raise self._core.not_borrowed()
        clean = state is _CLEAN or (
            keeps_open and state is _OPEN and not self._opener.is_lost(entry)
        )
        now = self._now()
        if not (clean and self._core.put_back(entry, now)):
            stays = clean and self._settings.keeps_clean
            self._monitor.run(self._core.check_in, entry, stays, now)
            await self._engine.finish_release(entry, _CLEAN if clean else state)
        self._deferred.settle()

    def _make_core(self) -> Core:
        return Core(self._settings, threading.get_ident if self._listeners else None)

    def _make_engine(self) -> None:
        self._core = core = self._make_core()
        delivery = Delivery(
            core.events, self._listeners, self._deferred, self._log, hands_over=False
        )
        self._monitor = monitor = AsyncMonitor(core, delivery, self._deferred)
        self._is_inside = monitor.is_inside
        self._engine = AsyncEngine(
            core, monitor, self._clock, self._opener, self._log, self._deferred, self._random
        )

    def _note_borrower(self, connection: Any) -> None:
        """Record that this task borrowed a connection."""
        entry = self._core.in_use.get(id(connection))
        if entry is not None:
            entry.borrower = reference(asyncio.current_task())

    def _check_caller(self) -> None:
        try:
            if asyncio.get_running_loop() is self._loop:
                return
        except RuntimeError:  # this thread has no running loop
            pass
        if self._loop is None:
            raise WrongLoopError(f"the pool {self.name!r} was not started: await its start() first")
        raise WrongLoopError(
            f"the pool {self.name!r} belongs to another event loop: create one in each loop, and "
            "after a fork in each process"
        )

    def _after_fork(self) -> None:
        """In a forked child: refuse every call; the connections belong to the parent."""
        self._loop = object()  # never equal to a loop
        # Never collected: a finalizer would reach the parent's server and event loop.
        _INHERITED.append(self)


_INHERITED: list[AsyncConnectionPool] = []
"""The parent's pools in a forked child."""
