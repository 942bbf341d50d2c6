"""Pools whose close leaves waiters, or whose drain ends at the wrong time."""

import math
from collections import deque

from tests.wrong_pools.faults import noticed_by

import steadypool
from poolspec.vocabulary import Concurrency
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._asyncio.request import AsyncAcquireRequest
from steadypool._core.backoff import Backoff
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry, Step
from steadypool.protocols import Waiter


@noticed_by("closing.waiters_are_refused_at_the_close")
class RefusesOneWaiterAtClose(Core):
    """Refuses only the first waiter when it is closed."""

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        queue = self.waiters
        self.waiters = deque(list(queue)[:1])
        super().close(to_close, now)
        self.waiters = deque(list(queue)[1:])


@noticed_by("closing.acquires_are_served_or_refused_at_the_close")
class LetsAcquiresWaitWhenClosed(Core):
    """Queues the acquires that ask a closed pool, and serves none of them."""

    def start(self, request: AcquireRequest, now: float) -> None:
        if not self.is_closed:
            super().start(request, now)
            return
        request.step = Step.WAIT
        self.waiters.append(request)

    def _serve(self, now: float) -> None:
        if not self.is_closed:
            super()._serve(now)


@noticed_by("closing.acquires_after_emptying_and_closing_are_refused")
class SkipsTheCloseOfAnEmptiedPool(Core):
    """Takes a pool that was emptied for one that was closed."""

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        if not self.generation:
            super().close(to_close, now)
        else:
            self.clear(to_close, now)


class _ForgetsSome(Core):
    """Leaves its waiters to their timeouts when it is closed in one situation."""

    def _forgets(self) -> bool:
        raise NotImplementedError

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        queue = self.waiters
        if self._forgets():
            self.waiters = deque()
        super().close(to_close, now)
        self.waiters = queue


@noticed_by("closing.a_close_ends_the_wait_behind_a_connect")
class ForgetsWaitersBehindAConnect(_ForgetsSome):
    """Leaves the waiters behind a connect to their timeouts when it is closed."""

    def _forgets(self) -> bool:
        return self.connecting > 0


@noticed_by("closing.a_close_ends_the_wait_for_a_retry", Concurrency.THREADS)
class ForgetsRetriesAtClose(Core):
    """Lets a request between two connects wait for its backoff, and connect, when it is closed."""

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        waiting, self.backing_off = self.backing_off, []
        super().close(to_close, now)
        self.backing_off = waiting

    def backed_off(self, request: AcquireRequest, waiter: Waiter, now: float) -> None:
        closed, self.is_closed = self.is_closed, False
        super().backed_off(request, waiter, now)
        self.is_closed = closed


@noticed_by("closing.a_close_ends_the_wait_in_a_suspended_pool")
class ForgetsWaitersWhenSuspended(_ForgetsSome):
    """Leaves the waiters of a suspended pool to their timeouts when it is closed."""

    def _forgets(self) -> bool:
        return self.is_suspended


@noticed_by("drains.a_drain_refuses_its_waiters_at_its_start")
class ClosesAfterItsDrain(steadypool.ConnectionPool):
    """Refuses waiters only when its drain has ended."""

    def close(self, drain: float | None = None) -> None:
        if drain is not None:
            self._do(lambda: self._drain(drain))
        super().close()


@noticed_by("drains.a_drain_refuses_its_waiters_at_its_start")
class AsyncClosesAfterItsDrain(steadypool.AsyncConnectionPool):
    """Refuses waiters only when its drain has ended."""

    async def close(self, drain: float | None = None) -> None:
        if drain is not None:
            await self._engine.drain(self._now() + drain)
        await super().close()


@noticed_by("drains.an_acquire_during_a_drain_is_refused_at_once")
class QueuesAcquiresDuringADrain(Core):
    """Lets an acquire wait for the end of a drain before it refuses it."""

    def start(self, request: AcquireRequest, now: float) -> None:
        if self.is_closed and self.loans_out():
            request.step = Step.WAIT
            self.waiters.append(request)
        else:
            super().start(request, now)

    def freed(self, entry: PoolEntry, now: float) -> None:
        super().freed(entry, now)
        if self.is_closed and not self.loans_out():
            self.close([], now)

    def _serve(self, now: float) -> None:
        if not self.is_closed:
            super()._serve(now)
            return
        queue, self.waiters = self.waiters, deque()
        super()._serve(now)
        self.waiters = queue


@noticed_by("drains.a_drain_ends_with_the_last_loan")
class DrainsOnlyCleanConnections(Core):
    """Does not notice in a drain that a dead connection was the last one."""

    def freed(self, entry: PoolEntry, now: float) -> None:
        drainers = self.drainers
        if self.open == {entry} and entry.uses:
            self.drainers = []
        super().freed(entry, now)
        self.drainers = drainers


@noticed_by("drains.a_drain_ends_at_its_deadline")
class DrainsWithoutEnd(steadypool.ConnectionPool):
    """Waits in a drain for every borrower, however long that takes."""

    def _make_engine(self) -> None:
        super()._make_engine()
        drain = self._engine.drain
        self._engine.drain = lambda deadline: drain(math.inf)  # type: ignore[method-assign]


@noticed_by("drains.a_drain_ends_at_its_deadline")
class AsyncDrainsWithoutEnd(AsyncEngine):
    """Waits in a drain for every borrower, however long that takes."""

    async def drain(self, deadline: float | None) -> None:
        await super().drain(math.inf)


@noticed_by("drains.a_close_during_a_drain_returns_at_once")
class EndsADrainWithASecondClose(Core):
    """Ends a drain under way when it is closed again."""

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        super().close(to_close, now)
        while self.drainers:
            self.drainers.pop().wake()


@noticed_by("drains.drains_at_once_all_end")
class EndsOneDrain(Core):
    """Ends only the last of several drains."""

    def drained(self, waiter: Waiter) -> bool:
        self.drainers.clear()
        return super().drained(waiter)


@noticed_by("drains.changes_during_a_drain_keep_the_pool_closed")
class ReopensWhenResized(Core):
    """Serves acquires again when it is resized during a drain."""

    def resize(self, size: int, limit: int, to_close: list[PoolEntry], now: float) -> None:
        self.is_closed = False
        super().resize(size, limit, to_close, now)


@noticed_by("drains.a_drain_of_an_emptied_pool_waits_for_its_borrowers")
class DrainsOnlyCurrentLoans(Core):
    """Does not wait in a drain for loans from before it was emptied."""

    def clear(self, to_close: list[PoolEntry], now: float) -> None:
        super().clear(to_close, now)
        self.emptied = True

    emptied = False

    def drained(self, waiter: Waiter) -> bool:
        return self.emptied or super().drained(waiter)


@noticed_by("drains.a_drain_of_a_suspended_pool_refuses_its_waiters")
class DrainsWithSuspendedWaiters(_ForgetsSome):
    """Leaves the waiters of a suspended pool to their timeouts during a drain."""

    def _forgets(self) -> bool:
        return self.is_suspended and self.loans_out() > 0


@noticed_by("closing.a_close_ends_the_wait_for_a_retry")
class AsyncForgetsRetriesAtClose(AsyncEngine):
    """Lets a request wait for the end of its backoff although the pool is closed."""

    async def _back_off(self, request: AsyncAcquireRequest) -> None:
        await self._clock.sleep(max(request.until - self._now(), 0.0))
        await super()._back_off(request)


@noticed_by("drains.a_drain_refuses_an_acquire_that_connects", Concurrency.THREADS)
class ServesAConnectDuringADrain(Core):
    """Hands a connection out that was being opened when a drain began."""

    def checkout(self, request: AcquireRequest, now: float) -> None:
        entry = request.entry
        assert entry is not None
        entry.generation = self.generation
        super().checkout(request, now)


@noticed_by("drains.a_drain_refuses_an_acquire_that_connects")
class AsyncServesAConnectDuringADrain(AsyncEngine):
    """Hands a connection out that was being opened when a drain began."""

    def _close_core(self, to_close: list[PoolEntry], now: float) -> None:
        self._core.close(to_close, now)

    async def _take(self, request: AsyncAcquireRequest, backoff: Backoff) -> None:
        assert request.entry is not None
        request.entry.generation = self._core.generation
        await super()._take(request, backoff)


@noticed_by("drains.a_cancelled_drain_leaves_a_closed_pool")
class AsyncReopensAfterACancelledDrain(AsyncEngine):
    """Serves acquires again after a drain that was cancelled."""

    async def drain(self, deadline: float | None) -> None:
        try:
            await super().drain(deadline)
        except BaseException:
            self._core.is_closed = False
            raise
