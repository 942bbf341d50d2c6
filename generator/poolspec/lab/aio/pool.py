"""The pool under test as a generated asyncio test sees it, and the connections it lends.

Logged as for threads: held from after `acquire` returned until before `release` is called.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from poolspec.invariants.checks import RESUMED, SUSPENDED
from poolspec.invariants.connection import Sockets
from poolspec.invariants.log import Log, current_actor
from poolspec.lab.aio.contract import AsyncControls, AsyncPoolAdapter
from poolspec.lab.contract import HealthSeen, LoanSeen
from poolspec.lab.threads.pool import Row, all_figures, check_rows
from poolspec.vocabulary import EventKind, StatName

__tracebackhide__ = True  # a failure is shown where the test failed

Task = asyncio.Task[Any]
Block = AbstractAsyncContextManager["AsyncHeld"]


class AsyncHeld:
    """A connection that somebody holds, or held."""

    def __init__(self, raw: Any, adapter: AsyncPoolAdapter) -> None:
        self.raw = raw
        self._adapter = adapter
        self.number = adapter.number_of(raw)
        """The connection's number at the server."""
        self.holder = current_actor()
        """The actor that borrowed it."""

    def __repr__(self) -> str:
        """Name it by its number at the server."""
        return f"<connection {self.number}>"

    async def query(
        self,
        sql: str,
        params: tuple[Any, ...] = (),
        *,
        returns: Any = ...,
        rows: list[Row] | None = None,
        unread: bool = False,
        changes_one: bool = False,
    ) -> None:
        """Run a statement; check the single value, or the rows, that come back.

        `unread` leaves the rows for the server to send; `changes_one` has the pool look whether
        the statement changed exactly one row.
        """
        if unread:
            await self._adapter.leave_unread(self.raw, sql, params)
            return
        if changes_one:
            await self._adapter.change_one(self.raw, sql, params)
            return
        check_rows(sql, await self._adapter.run(self.raw, sql, params), returns, rows)


class AsyncPool:
    """The pool under test. Safe to use from any task of its loop."""

    most_ever = 0
    """The largest limit that the pool had before it was resized."""
    is_over = False
    """Whether the test has closed it, or tried to."""
    _keeper: AbstractAsyncContextManager[None] | None = None

    def __init__(
        self,
        raw: Any,
        adapter: AsyncPoolAdapter,
        log: Log,
        sockets: Sockets,
        look_into: Callable[[BaseException], None],
    ) -> None:
        self.raw = raw
        self.sockets = sockets
        self._adapter = adapter
        self._log = log
        self._look_into = look_into
        self._blocks: dict[Task | None, list[Block]] = {}
        self._held: dict[int, AsyncHeld] = {}

    def renew(self, raw: Any, sockets: Sockets) -> None:
        """Stand for another pool from now on; the one before was closed."""
        self.raw, self.sockets = raw, sockets
        self.most_ever, self.is_over = 0, False

    async def acquire(self, timeout: float | None = None) -> AsyncHeld:
        """Borrow a connection, waiting at most `timeout` seconds (None: the pool's own timeout)."""
        self._log.add(EventKind.CHECKOUT_STARTED)
        try:
            raw = await self._adapter.acquire(self.raw, timeout)
        except BaseException as error:
            self._look_into(error)
            self._log.add(EventKind.CHECKOUT_FAILED, detail=type(error).__name__)
            raise
        return self._got(raw)

    async def release(self, held: AsyncHeld | None) -> None:
        """Give a connection back; None stands for a caller that never got one."""
        if held is None:
            await self._adapter.release(self.raw, None)
            return
        self._gave(held)
        await self._adapter.release(self.raw, held.raw)

    async def __aenter__(self) -> AsyncHeld:
        """Borrow through the pool's own context manager, in an `async with` statement."""
        block = self._block()
        held = await block.__aenter__()
        self._blocks.setdefault(asyncio.current_task(), []).append(block)
        return held

    async def __aexit__(self, *exc: Any) -> bool | None:
        """Give back at the end of that statement."""
        return await self._blocks[asyncio.current_task()].pop().__aexit__(*exc)

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[AsyncHeld]:
        """Borrow through the pool's own context manager, which an `AsyncExitStack` enters."""
        self._log.add(EventKind.CHECKOUT_STARTED)
        async with AsyncExitStack() as stack:
            held = self._got(await stack.enter_async_context(self._adapter.block(self.raw)))
            stack.callback(self._gave, held)
            yield held

    async def close_all(self) -> None:
        """Empty the pool."""
        await self._adapter.close_all(self.raw)

    async def close(self, *, drain: float | None = None) -> None:
        """Close the pool for good; wait up to `drain` seconds for what is on loan."""
        self.is_over = True
        if drain is None:
            await self._adapter.close(self.raw)
        else:
            await self._controls().drain(self.raw, drain)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncHeld]:
        """Borrow for a unit of work: committed at the end of the block, or rolled back."""
        self._log.add(EventKind.CHECKOUT_STARTED)
        async with self._controls().transaction(self.raw) as raw:
            held = self._got(raw, begun=True)
            try:
                yield held
            finally:
                self._gave(held)

    async def resize(self, *, size: int | None = None, max_overflow: int | None = None) -> None:
        """Change the pool's limits."""
        self.most_ever = max(self.most_ever, self.stats().get(StatName.MAX_SIZE, 0))
        await self._controls().resize(self.raw, size, max_overflow)

    async def suspend(self) -> None:
        """Have the pool hand out nothing."""
        self._log.add(SUSPENDED)
        await self._controls().suspend(self.raw)

    async def resume(self) -> None:
        """Have the pool hand out again."""
        await self._controls().resume(self.raw)
        self._log.add(RESUMED)

    async def maintain(self) -> None:
        """Have the pool do its housekeeping."""
        await self._controls().maintain(self.raw)

    def loans(self) -> list[LoanSeen]:
        """Return what is on loan, by the pool's own account, the longest loan first."""
        return self._controls().loans(self.raw)

    async def keep(self, interval: float) -> None:
        """Have the pool looked after every so many seconds of real time."""
        self._keeper = self._controls().keep(self.raw, interval)
        await self._keeper.__aenter__()

    async def dismiss(self) -> None:
        """Have nobody look after the pool any more."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await keeper.__aexit__(None, None, None)

    async def health(self) -> HealthSeen:
        """Return the pool's own verdict on itself."""
        return await self._controls().health(self.raw)

    def stats(self) -> dict[str, int]:
        """Return the pool's own figures."""
        return all_figures(self._adapter, self._adapter.stats(self.raw))

    def holders(self) -> list[str]:
        """Return the actors that hold a connection of this pool, once for each connection."""
        return [held.holder for held in self._held.values()]

    def numbers(self) -> list[int]:
        """Return the server's numbers of the connections that are held."""
        return [held.number for held in self._held.values()]

    async def release_all(self) -> None:
        """Give back whatever the test still holds."""
        for held in list(self._held.values()):
            await self.release(held)

    def _controls(self) -> AsyncControls:
        controls: AsyncControls = self._adapter.controls  # type: ignore[attr-defined]  # see `needs`
        return controls

    @asynccontextmanager
    async def _block(self) -> AsyncIterator[AsyncHeld]:
        self._log.add(EventKind.CHECKOUT_STARTED)
        async with self._adapter.block(self.raw) as raw:
            held = self._got(raw)
            try:
                yield held
            finally:
                self._gave(held)

    def _got(self, raw: Any, begun: bool = False) -> AsyncHeld:
        """Note a loan. What was `begun` may be in a transaction, which is its borrower's own."""
        held = AsyncHeld(raw, self._adapter)
        self._held[id(held)] = held
        dirt = "" if begun else self._adapter.dirt(raw)
        self._log.add(EventKind.CHECKED_OUT, connection=held.number, detail=dirt)
        return held

    def _gave(self, held: AsyncHeld) -> None:
        if self._held.pop(id(held), None) is not None:
            self._log.add(EventKind.CHECKED_IN, connection=held.number)
