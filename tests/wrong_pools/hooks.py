"""Pools that go wrong when a hook fails, hangs or is interrupted."""

import asyncio
import math
from collections.abc import Awaitable
from typing import Any

from tests.wrong_pools.emptying import StrandsWaitersWhenEmptied
from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._asyncio.connect import AsyncOpener
from steadypool._asyncio.request import AsyncAcquireRequest
from steadypool._core.backoff import Backoff
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, ConnectionState, PoolEntry, Step
from steadypool._threads.acquire import Engine
from steadypool._threads.connect import Opener
from steadypool.events import CloseReason


class _OnEngine(steadypool.ConnectionPool):
    """A pool for threads on another engine or opener, which have the same state."""

    engine: type[Engine] = Engine
    opener: type[Opener] = Opener

    def _make_engine(self) -> None:
        super()._make_engine()
        self._engine.__class__ = self.engine
        self._opener.__class__ = self.opener


class _LosesDirtySlots(Core):
    """Never frees the slot of a connection that a hook made unusable."""

    lost = 0

    def freed(self, entry: PoolEntry, now: float) -> None:
        self.lost += entry.reason is CloseReason.DIRTY
        super().freed(entry, now)

    def _used_slots(self) -> int:
        return super()._used_slots() + self.lost


@noticed_by("failing_hooks.a_failing_release_hook_serves_the_waiter")
class LosesTheSlotOfAFailedHook(_LosesDirtySlots):
    """Never frees the slot of a connection whose hook failed at its release."""


@noticed_by("failing_hooks.a_release_hook_that_always_fails_stops_no_queue")
class LosesTheSlotsOfFailedHooks(_LosesDirtySlots):
    """Never frees the slots of connections whose hooks failed at their releases."""


@noticed_by("failing_hooks.a_release_hook_that_closes_its_connection_serves_the_waiter")
class LosesTheSlotOfAClosedConnection(_LosesDirtySlots):
    """Never frees the slot of a connection that a hook closed at its release."""


@noticed_by("failing_hooks.a_failing_release_hook_of_an_emptied_pool_serves_the_waiter")
class StrandsWaitersBehindAHook(StrandsWaitersWhenEmptied):
    """Wakes no waiter when a connection returns to the emptied pool."""

    def strands(self, clean: bool) -> bool:
        return True


class _BelievesHooks(Engine):
    """Takes a connection as good although its hook failed at the release."""

    def _clean_up(self, entry: PoolEntry) -> bool:
        super()._clean_up(entry)
        return True


class _AsyncBelievesHooks(AsyncEngine):
    """Takes a connection as good although its hook failed at the release."""

    async def _succeeds(self, entry: PoolEntry, work: Awaitable[bool]) -> bool:
        await super()._succeeds(entry, work)
        return True


@noticed_by("failing_hooks.a_failing_release_hook_is_logged")
class KeepsAConnectionAfterAFailedHook(_OnEngine):
    """Keeps a connection although its hook failed at the release."""

    engine = _BelievesHooks


@noticed_by("failing_hooks.a_failing_release_hook_is_logged")
class AsyncKeepsAConnectionAfterAFailedHook(_AsyncBelievesHooks):
    """Keeps a connection although its hook failed at the release."""


@noticed_by("failing_hooks.a_failed_release_hook_leaves_no_transaction")
class HandsOnTheTransactionOfAFailedHook(KeepsAConnectionAfterAFailedHook):
    """Hands out a connection with the transaction in which its hook failed at the release."""


@noticed_by("failing_hooks.a_failed_release_hook_leaves_no_transaction")
class AsyncHandsOnTheTransactionOfAFailedHook(_AsyncBelievesHooks):
    """Hands out a connection with the transaction in which its hook failed at the release."""


@noticed_by("failing_hooks.a_failed_release_hook_leaves_no_rows")
class HandsOnTheRowsOfAFailedHook(KeepsAConnectionAfterAFailedHook):
    """Hands out a connection with the rows that its hook left unread at the release."""


@noticed_by("failing_hooks.a_failed_release_hook_leaves_no_rows")
class AsyncHandsOnTheRowsOfAFailedHook(_AsyncBelievesHooks):
    """Hands out a connection with the rows that its hook left unread at the release."""


class _RunsItsHookOutside(steadypool.ConnectionPool):
    """Runs the hook of a release on its own, and raises the hook's error."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        self._hook = options.pop("on_release", None)
        super().__init__(size, max_overflow, **options)

    def release(self, connection: Any) -> None:
        try:
            if self._hook is not None:
                self._hook(connection)
        finally:
            super().release(connection)


class _AsyncRunsItsHookOutside(steadypool.AsyncConnectionPool):
    """Runs the hook of a release on its own, and raises the hook's error."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        self._hook = options.pop("on_release", None)
        super().__init__(size, max_overflow, **options)

    async def _check_in(self, connection: Any, state: ConnectionState, keeps_open: bool) -> None:
        try:
            if self._hook is not None:
                self._hook(connection)
        finally:
            await super()._check_in(connection, state, keeps_open)


@noticed_by("failing_hooks.a_failing_release_hook_replaces_no_error")
class RaisesTheErrorOfAHook(_RunsItsHookOutside):
    """Raises the error of a hook in place of the error of a block."""


@noticed_by("failing_hooks.a_failing_release_hook_replaces_no_error")
class AsyncRaisesTheErrorOfAHook(_AsyncRunsItsHookOutside):
    """Raises the error of a hook in place of the error of a block."""


@noticed_by("failing_hooks.a_failing_release_hook_of_a_closed_pool_leaves_nothing")
class RaisesTheErrorOfAHookWhenClosed(_RunsItsHookOutside):
    """Raises the error of a hook from a release to the closed pool."""


@noticed_by("failing_hooks.a_failing_release_hook_of_a_closed_pool_leaves_nothing")
class AsyncRaisesTheErrorOfAHookWhenClosed(_AsyncRunsItsHookOutside):
    """Raises the error of a hook from a release to the closed pool."""


@noticed_by("failing_hooks.an_interrupted_release_hook_serves_the_waiter")
class LeavesAReleaseUnfinished(steadypool.ConnectionPool):
    """Leaves a connection reserved if the hook of its release is interrupted."""

    def _make_engine(self) -> None:
        super()._make_engine()
        self._engine.rescue = lambda *_: None  # type: ignore[method-assign]  # wrong on purpose


@noticed_by("failing_hooks.an_interrupted_release_hook_serves_the_waiter")
class AsyncSwallowsTheInterruptOfAHook(AsyncEngine):
    """Drops the interrupt of a hook."""

    async def _succeeds(self, entry: PoolEntry, work: Awaitable[bool]) -> bool:
        try:
            return await super()._succeeds(entry, work)
        except asyncio.CancelledError:
            raise
        except BaseException:
            return False


class _StopsForHooks(Engine):
    """Hands out nothing while the hook of a release runs."""

    def _clean_up(self, entry: PoolEntry) -> bool:
        self._run(self._core.suspend, self._now())
        usable = super()._clean_up(entry)
        self._run(self._core.resume, self._now())
        return usable


@noticed_by("failing_hooks.a_slow_release_hook_delays_no_other_borrower")
class HandsOutNothingDuringAHook(_OnEngine):
    """Hands out nothing while the hook of a release runs."""

    engine = _StopsForHooks


@noticed_by("failing_hooks.a_slow_release_hook_delays_no_other_borrower")
class AsyncHandsOutNothingDuringAHook(AsyncEngine):
    """Hands out nothing while the hook of a release runs."""

    async def _cleaned_up(self, entry: PoolEntry) -> bool:
        self._run(self._core.suspend, self._now())
        usable = await super()._cleaned_up(entry)
        self._run(self._core.resume, self._now())
        return usable


class _WaitsForHooks(Engine):
    """Lets a waiter wait for as long as a hook runs."""

    def acquire(self, timeout: float, started: float) -> Any:
        return super().acquire(math.inf, started)


@noticed_by("failing_hooks.a_waiter_behind_a_hanging_release_hook_times_out_on_time")
class WaitsForAHook(_OnEngine):
    """Lets a waiter wait for as long as the hook of a release runs."""

    engine = _WaitsForHooks


@noticed_by("failing_hooks.a_waiter_behind_a_hanging_release_hook_times_out_on_time")
class AsyncWaitsForAHook(AsyncEngine):
    """Lets a waiter wait for as long as the hook of a release runs."""

    async def _wait(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        await super()._wait(request, Backoff.of(math.inf, self._now()))


class _GivesHooksTheirTime(AsyncEngine):
    """Gives the hooks of a release all the time they take."""

    async def _succeeds(self, entry: PoolEntry, work: Awaitable[bool]) -> bool:
        return await work


@noticed_by("failing_hooks.a_hanging_release_hook_is_given_up")
class AsyncWaitsForAHangingHook(_GivesHooksTheirTime):
    """Waits for a hook that hangs at a release."""


@noticed_by("failing_hooks.a_hanging_setup_after_a_reset_is_given_up")
class AsyncWaitsForAHangingSetup(_GivesHooksTheirTime):
    """Waits for a setup that hangs after a session reset."""


@noticed_by("failing_hooks.a_cancelled_release_completes_its_hook")
class AsyncLeavesACancelledReleaseUnfinished(AsyncEngine):
    """Leaves a connection reserved if its release is cancelled during the hook."""

    async def finish_release(self, entry: PoolEntry, state: ConnectionState) -> None:
        if entry.returning and await self._tasks.within(self._is_ready(entry, state), None):
            self._run(self._core.reset, entry, self._now())


class _KeepsFailed(Core):
    """Makes a connection idle although the hook of its acquire or its setup failed."""

    def _free_reservation(
        self, request: AcquireRequest, step: Step, entry: PoolEntry | None
    ) -> None:
        super()._free_reservation(request, step, entry)
        if entry is not None and entry.reason is CloseReason.ERROR:
            entry.reason = None


@noticed_by("failing_hooks.a_failed_setup_leaves_no_transaction")
class HandsOnTheTransactionOfAFailedSetup(_KeepsFailed):
    """Hands out a connection with the transaction in which its setup failed."""


@noticed_by("failing_hooks.a_failed_setup_leaves_no_rows")
class HandsOnTheRowsOfAFailedSetup(_KeepsFailed):
    """Hands out a connection with the rows that its setup left unread."""


@noticed_by("failing_hooks.a_failed_acquire_hook_leaves_no_transaction")
class HandsOnTheTransactionOfAFailedAcquire(_KeepsFailed):
    """Hands out a connection with the transaction in which the hook of an acquire failed."""


@noticed_by("failing_hooks.a_failed_acquire_hook_leaves_no_rows")
class HandsOnTheRowsOfAFailedAcquire(_KeepsFailed):
    """Hands out a connection with the rows that the hook of an acquire left unread."""


class _LeavesTransactions(Opener):
    """Leaves a transaction that a hook of a release began."""

    def clean_up(self, entry: PoolEntry, keeps_open: bool) -> bool:
        return super().clean_up(entry, True)


class _AsyncLeavesTransactions(AsyncOpener):
    """Leaves a transaction that a hook of a release began."""

    async def clean_up(self, entry: PoolEntry, keeps_open: bool) -> bool:
        return await super().clean_up(entry, True)


@noticed_by("failing_hooks.a_hook_leaves_no_transaction_to_a_borrower")
class HandsOnTheTransactionOfAHook(_OnEngine):
    """Hands out a connection with the transaction that its hook began at the release."""

    opener = _LeavesTransactions


@noticed_by("failing_hooks.a_hook_leaves_no_transaction_to_a_borrower")
class AsyncHandsOnTheTransactionOfAHook(steadypool.AsyncConnectionPool):
    """Hands out a connection with the transaction that its hook began at the release."""

    def _make_engine(self) -> None:
        super()._make_engine()
        self._opener.__class__ = _AsyncLeavesTransactions
