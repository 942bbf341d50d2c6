"""Pools for asyncio that go wrong when a task is cancelled, or a timeout interrupts one."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._asyncio.request import AsyncAcquireRequest
from steadypool._core.backoff import Backoff
from steadypool._core.entries import ConnectionState, PoolEntry, Step


@noticed_by("cancellation.a_cancelled_waiter_leaves_the_queue")
class LeavesACancelledWaiterQueued(AsyncEngine):
    """Leaves a waiter in the queue when its task is cancelled."""

    async def _abandon(self, request: AsyncAcquireRequest, error: BaseException) -> None:
        if not (isinstance(error, asyncio.CancelledError) and request.step is Step.WAIT):
            await super()._abandon(request, error)


@noticed_by("interrupts.an_interrupted_waiter_passes_its_turn_on")
class LosesTheTurnOfACancelledWaiter(AsyncEngine):
    """Keeps a connection reserved for a waiter that was cancelled after its hand-over."""

    async def _abandon(self, request: AsyncAcquireRequest, error: BaseException) -> None:
        if not (isinstance(error, asyncio.CancelledError) and request.step is Step.TAKE):
            await super()._abandon(request, error)


@noticed_by("cancellation.many_waiters_cancelled_at_the_hand_over_pass_the_connection_on")
class LosesTheTurnsOfCancelledWaiters(LosesTheTurnOfACancelledWaiter):
    """Keeps a connection reserved for each waiter that was cancelled after its hand-over."""


@noticed_by("cancellation.a_release_after_a_cancelled_waiter_is_kept")
class HandsOverToACancelledWaiter(LeavesACancelledWaiterQueued):
    """Hands a released connection over to a waiter that was cancelled before."""


@noticed_by("cancellation.a_cancelled_query_leaves_no_answer_behind")
class KeepsAConnectionAfterACancelledQuery(steadypool.AsyncConnectionPool):
    """Treats every connection as clean at its release, an interrupted query or not."""

    async def _check_in(self, connection: Any, state: ConnectionState, keeps_open: bool) -> None:
        await super()._check_in(connection, ConnectionState.CLEAN, keeps_open)


@noticed_by("connection_faults.a_cancelled_block_closes_its_connection")
class KeepsTheConnectionOfACancelledBlock(steadypool.AsyncConnectionPool):
    """Treats a connection as clean when its block is cancelled."""

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Any]:
        connection = await self.acquire(timeout)
        try:
            yield connection
        finally:
            await self._check_in(connection, ConnectionState.CLEAN, False)

    def __aexit__(self, kind: Any, error: Any, traceback: Any) -> Any:
        return super().__aexit__(None, None, None)


@noticed_by("connection_faults.a_cancelled_release_completes_its_rollback")
class StopsARollbackWithItsCaller(AsyncEngine):
    """Cancels the reset of a connection when its release is cancelled."""

    async def finish_release(self, entry: PoolEntry, state: ConnectionState) -> None:
        if entry.returning:
            await self._tasks.within(self._reset_or_discard(entry, state), None)


@noticed_by("slow_hooks.a_timeout_interrupts_a_slow_setup")
class LetsASetupExceedTheTimeout(AsyncEngine):
    """Gives a connect and its setup hook all the time they take."""

    async def _open(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        await super()._open(request, Backoff.of(math.inf, self._now()))


@noticed_by("slow_hooks.a_timeout_interrupts_a_slow_acquire_hook")
class LetsAnAcquireHookExceedTheTimeout(AsyncEngine):
    """Gives the on_acquire hook all the time it takes."""

    async def _prepare(self, connection: Any, backoff: Backoff) -> None:
        await super()._prepare(connection, Backoff.of(math.inf, self._now()))


@noticed_by("time_limits.an_acquire_timeout_interrupts_a_connect")
class LetsAConnectExceedTheTimeout(AsyncEngine):
    """Gives every connect a second, however short the timeout of its acquire."""

    async def _open(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        await super()._open(request, Backoff.of(1.0, self._now()))


@noticed_by("interrupts.a_timeout_of_a_connect_frees_its_slot")
class KeepsTheSlotOfATimedOutConnect(AsyncEngine):
    """Never frees the slot of a connect that timed out."""

    async def _abandon(self, request: AsyncAcquireRequest, error: BaseException) -> None:
        if request in self._connects:
            self._connects.pop(request)[0].cancel()
        else:
            await super()._abandon(request, error)


@noticed_by("cancellation.a_cancelled_connect_passes_its_slot_to_the_waiter")
class KeepsTheSlotOfACancelledConnect(KeepsTheSlotOfATimedOutConnect):
    """Never frees the slot of a connect that was cancelled."""


@noticed_by("interrupts.an_interrupted_validation_loses_no_slot")
class LosesTheSlotOfAnInterruptedCheck(AsyncEngine):
    """Keeps a connection reserved when its validation is interrupted."""

    async def _abandon(self, request: AsyncAcquireRequest, error: BaseException) -> None:
        if request.step is not Step.VALIDATE:
            await super()._abandon(request, error)


@noticed_by("interrupts.an_interrupted_retirement_frees_its_slot")
class LosesTheSlotOfAnInterruptedRetirement(AsyncEngine):
    """Never frees the slot of a retired connection when its release is cancelled."""

    async def finish_release(self, entry: PoolEntry, state: ConnectionState) -> None:
        if entry.reason is not None:
            await self._tasks.ended(self._close(entry))
            self._core.freed(entry, self._now())
        await super().finish_release(entry, state)


@noticed_by("interrupts.a_timeout_of_the_only_connect_attempt_is_raised")
class ConnectsAgainWhenCancelled(steadypool.AsyncConnectionPool):
    """Swallows the cancellation of an acquire, and starts the acquire again."""

    async def acquire(self, timeout: float | None = None) -> Any:
        try:
            return await super().acquire(timeout)
        except asyncio.CancelledError:
            return await super().acquire(timeout)


@noticed_by("interrupts.a_timeout_in_a_transaction_is_raised")
class SwallowsTheCancellationOfATransaction(steadypool.AsyncConnectionPool):
    """Ends a transaction without an error although its task was cancelled."""

    @asynccontextmanager
    async def transaction(self, timeout: float | None = None) -> AsyncIterator[Any]:
        with suppress(asyncio.CancelledError):
            async with super().transaction(timeout) as connection:
                yield connection
