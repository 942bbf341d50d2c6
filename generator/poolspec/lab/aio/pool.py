"""The pool under test as a generated asyncio test sees it.

Each call goes to the adapter and is logged around it: `checked_out` after the pool has handed out a
connection, `checked_in` before the release. So the time for which an actor holds a connection by
the log lies within the true one, and two holders that overlap in the log did overlap.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
)
from typing import Any

from poolspec.invariants.connection import Sockets
from poolspec.invariants.marks import OPERATION_FAILED, RESUMED, SUSPENDED
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.contract import (
    AsyncControls,
    AsyncPoolAdapter,
    acquire_of,
    block_of,
    controls_of,
)
from poolspec.lab.aio.held import AsyncHeld
from poolspec.lab.borrowing.blocks import AsyncEnteredBlock
from poolspec.lab.borrowing.loans import Loans
from poolspec.lab.context import Context
from poolspec.lab.contract import HealthSeen, LoanSeen
from poolspec.lab.kinds import kind_of
from poolspec.lab.rows import all_figures
from poolspec.vocabulary import BlockFrame, BlockKind, Capability, ErrorKind
from poolspec.witness.account import Account
from poolspec.witness.calls import PoolCall
from poolspec.witness.loans import Acquiring
from poolspec.witness.witness import Witness

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncPool:
    """The pool under test. Safe to use from any actor."""

    is_over = False
    """Whether the test has closed it, or tried to."""
    is_default = False
    _keeper: AbstractAsyncContextManager[None] | None = None

    def __init__(
        self,
        raw: Any,
        account: Account,
        adapter: AsyncPoolAdapter,
        witness: Witness,
    ) -> None:
        self.raw = raw
        self.account = account
        self._adapter = adapter
        self._driver = adapter.driver
        self._witness = witness
        self._blocks: dict[object, list[AbstractAsyncContextManager[AsyncHeld]]] = {}
        self._loans = Loans[AsyncHeld](witness)

    @property
    def sockets(self) -> Sockets:
        """The pool's connections by the lab's own count."""
        return self.account.sockets

    def renew(self, raw: Any, account: Account) -> None:
        """Represent another pool from now on; the one before was closed."""
        self.raw, self.account = raw, account
        self.is_over = False

    async def acquire(self, timeout: float | None = None) -> AsyncHeld:
        """Borrow a connection, waiting at most `timeout` seconds (None: the pool's own timeout)."""
        with self._acquiring() as acquiring:
            raw = await acquire_of(self._adapter, self.raw, timeout, self.account.timeout)
            return self._note_loan(acquiring, raw)

    async def release(self, held: AsyncHeld | None, *, may_refuse: bool = False) -> None:
        """Release a connection; None stands for a caller that never got one."""
        if held is None:
            with self._calling("release"):
                return await self._adapter.release(self.raw, None)
        with self._loans.ending(self.account, held, ErrorKind.REENTRANT):
            try:
                return await self._adapter.release(self.raw, held.raw)
            except Exception as error:
                if not may_refuse or self._adapter.kind_of(error) is not ErrorKind.NOT_BORROWED:
                    raise

    async def reconnect(self, held: AsyncHeld) -> None:
        """Let the driver reconnect a connection on loan if it is lost, as a borrower may."""
        await self._driver.reconnect(held.physical)
        held.number = self._driver.number_of(held.physical)

    async def __aenter__(self) -> AsyncHeld:
        """Borrow through the pool's own context manager, for a `with` statement."""
        block = self._block()
        held = await block.__aenter__()
        self._blocks.setdefault(asyncio.current_task(), []).append(block)
        return held

    async def __aexit__(self, *exc: Any) -> bool | None:
        """Release at the end of that statement."""
        return await self._blocks[asyncio.current_task()].pop().__aexit__(*exc)

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[AsyncHeld]:
        """Borrow through the pool's own context manager, which an exit stack enters."""
        with ExitStack() as ending:
            acquiring = ending.enter_context(self._acquiring())
            async with AsyncExitStack() as stack:
                raw = await stack.enter_async_context(self._context(BlockKind.WITH))
                held = self._note_loan(acquiring, raw)
                stack.callback(ending.enter_context, self._loans.ending(self.account, held))
                yield held

    async def enter(
        self, *, by: BlockKind = BlockKind.WITH, frame: BlockFrame = BlockFrame.EXIT_STACK
    ) -> AsyncHeld:
        """Enter a block, which `leave` leaves; any actor may."""
        with self._acquiring() as acquiring:
            block = AsyncEnteredBlock(self._context(by), frame)
            raw = await block.enter()
            held = self._note_loan(acquiring, raw, begun=by is BlockKind.TRANSACTION)
        held.block = block
        return held

    async def leave(self, held: AsyncHeld, *, may_refuse: bool = False) -> None:
        """Leave the block of a connection.

        If the pool refuses, the connection is still on loan. If it `may_refuse`, it is released.
        """
        assert held.block is not None
        try:
            refusals = (ErrorKind.NOT_BORROWED, ErrorKind.REENTRANT)
            with self._loans.ending(self.account, held, *refusals):
                await held.block.leave()
        except Exception as error:
            held.block = None
            if not may_refuse or kind_of(self._adapter, error) is not ErrorKind.NOT_BORROWED:
                raise
            await self.release(held)

    async def abandon(self, held: AsyncHeld) -> None:
        """Drop the generator that runs the block of a connection, and collect it."""
        assert held.block is not None
        with self._loans.ending(self.account, held):
            await held.block.abandon()

    def note_failed(self, kind: ErrorKind) -> None:
        """Log that an operation of a load has failed."""
        self._witness.log.add(OPERATION_FAILED, pool=self.account.pool, detail=kind)

    async def close_all(self) -> None:
        """Close all idle connections."""
        self.account.is_emptied = True
        with self._calling("close_all"):
            await self._adapter.close_all(self.raw)

    async def close(self, *, drain: float | None = None) -> None:
        """Close the pool for good; wait up to `drain` seconds for connections on loan."""
        self.is_over = self.account.is_closed = True
        with self._calling("close"):
            if drain is None:
                await self._adapter.close(self.raw)
            else:
                await self._controls().drain(self.raw, drain)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncHeld]:
        """Borrow for a unit of work: committed at the end of the block, or rolled back."""
        with ExitStack() as ending:
            acquiring = ending.enter_context(self._acquiring())
            async with self._controls().transaction(self.raw) as raw:
                held = self._note_loan(acquiring, raw, begun=True)
                try:
                    yield held
                finally:
                    ending.enter_context(self._loans.ending(self.account, held))

    async def resize(self, *, size: int | None = None, max_overflow: int | None = None) -> None:
        """Change the pool's limits."""
        with self.account.resizing(size, max_overflow), self._calling("resize"):
            await self._controls().resize(self.raw, size, max_overflow)

    async def suspend(self) -> None:
        """Stop the pool from handing out connections."""
        self._witness.log.add(SUSPENDED, pool=self.account.pool)
        self.account.is_suspended = True
        with self._calling("suspend"):
            await self._controls().suspend(self.raw)

    async def resume(self) -> None:
        """Let the pool hand out connections again."""
        with self._calling("resume"):
            await self._controls().resume(self.raw)
        self.account.is_suspended = False
        self._witness.log.add(RESUMED, pool=self.account.pool)

    async def inspect(self) -> None:
        """Read what the pool reports without asking its connections."""
        self._adapter.stats(self.raw)
        repr(self.raw)
        if Capability.LEAK_DETECTION in self._adapter.capabilities:
            self._controls().loans(self.raw)

    async def maintain(self) -> None:
        """Make the pool do its maintenance."""
        with self._calling("maintain"):
            await self._controls().maintain(self.raw)

    def loans(self) -> list[LoanSeen]:
        """Return the connections on loan by the pool's own account, the longest loan first."""
        return self._controls().loans(self.raw)

    async def keep(self, interval: float) -> None:
        """Start periodic maintenance, every `interval` seconds of real time."""
        self._keeper = self._controls().keep(self.raw, interval)
        await self._keeper.__aenter__()

    async def dismiss(self) -> None:
        """Stop periodic maintenance."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await keeper.__aexit__(None, None, None)

    async def health(self) -> HealthSeen:
        """Return the pool's own report of its health."""
        return await self._controls().health(self.raw)

    def stats(self) -> dict[str, int]:
        """Return the pool's own figures."""
        return all_figures(self._adapter, self._adapter.stats(self.raw))

    def holders(self) -> list[str]:
        """Return the actors that hold a connection of this pool, once for each connection."""
        return [held.holder for held in self._loans.all()]

    def numbers(self) -> list[int]:
        """Return the server's numbers of the connections that are held."""
        return [held.current_number() for held in self._loans.all()]

    def asking(self) -> dict[int, str]:
        """Return the actors whose statements run, by the server's numbers of the connections."""
        return {held.number: held.asked_by for held in self._loans.all() if held.asked_by}

    async def release_all(self, holder: str | None = None) -> None:
        """Release every connection that the test, or one actor, still holds."""
        for held in self._loans.all():
            if holder not in (None, held.holder):
                continue
            if held.block is None:
                await self.release(held)
            else:
                await self.leave(held, may_refuse=True)

    def _controls(self) -> AsyncControls:
        return controls_of(self._adapter)

    @asynccontextmanager
    async def _block(self) -> AsyncIterator[AsyncHeld]:
        with ExitStack() as ending:
            acquiring = ending.enter_context(self._acquiring())
            async with self._context(BlockKind.WITH) as raw:
                held = self._note_loan(acquiring, raw)
                try:
                    yield held
                finally:
                    ending.enter_context(self._loans.ending(self.account, held))

    def _context(self, by: BlockKind) -> AbstractAsyncContextManager[Any]:
        return block_of(self._adapter, self.raw, by, self.account.timeout)

    def _acquiring(self) -> Acquiring:
        return self._witness.acquiring(self.account)

    def _calling(self, name: str) -> AbstractContextManager[PoolCall]:
        return self._witness.calls.calling(name, self.account.pool)

    def _note_loan(self, acquiring: Acquiring, raw: Any, *, begun: bool = False) -> AsyncHeld:
        """Note a loan. If `begun`, the borrower's own transaction may be open already."""
        held = AsyncHeld(raw, self._adapter)
        left = "" if begun else self._driver.session_state(held.physical)
        return self._loans.begin(acquiring, held, left)


AsyncContext = Context[AsyncPool, AsyncClock]
"""The context of an asyncio test."""
