"""Pools that forget waiters, or serve them in the wrong order."""

from collections import deque

from tests.wrong_pools.faults import noticed_by

from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry
from steadypool.protocols import Waiter


@noticed_by("timeout.acquire_succeeds_after_release")
class WakesNoWaiter(Core):
    """Makes a released connection idle although an acquire waits for it."""

    def _place(self, entry: PoolEntry, now: float) -> None:
        queue, self.waiters = self.waiters, deque()
        super()._place(entry, now)
        self.waiters = queue


@noticed_by("errors.a_dropped_connection_frees_its_slot_for_a_waiter")
class WakesNoWaiterForAFreedSlot(Core):
    """Serves waiters with released connections, but not with freed slots."""

    def freed(self, entry: PoolEntry, now: float) -> None:
        queue, self.waiters = self.waiters, deque()
        super().freed(entry, now)
        self.waiters = queue


@noticed_by("threads.concurrent_acquire_release")
class ServesTheLastFirst(Core):
    """Serves waiters last in, first out."""

    def _hand_over(self, entry: PoolEntry, now: float) -> None:
        self.waiters.rotate(1)
        super()._hand_over(entry, now)


@noticed_by("load.clients_of_a_fair_pool_get_the_same")
class PassesOverTheFirst(Core):
    """Serves the second waiter in line, if there is one."""

    def _hand_over(self, entry: PoolEntry, now: float) -> None:
        self.waiters.rotate(-1)
        super()._hand_over(entry, now)


@noticed_by("errors.closing_the_pool_ends_every_wait_at_once")
class ForgetsWaitersAtClose(Core):
    """Leaves waiters to their timeouts when it is closed."""

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        queue, self.waiters = self.waiters, deque()
        super().close(to_close, now)
        self.waiters = queue


@noticed_by("full_server.the_breaker_stays_closed")
class TakesAFullServerForADeadOne(Core):
    """Counts the refusal of a full server as a failure, as any other failed connect."""

    def refused(
        self, request: AcquireRequest, waiter: Waiter, until: float | None, now: float
    ) -> float | None:
        self.failed(request, waiter, True, until, now)
        return None


@noticed_by("full_server.waiters_are_served_in_the_order_in_which_they_asked")
class SendsRefusedRequestsToTheBack(Core):
    """Puts a request that a full server refused at the end of the queue."""

    def _insert(self, request: AcquireRequest) -> None:
        self._requests += 1
        request.serial = self._requests
        super()._insert(request)


@noticed_by("full_server.a_waiter_connects_when_the_server_has_room")
class WaitsForReleasesOnly(Core):
    """Lets no waiter find out that a full server has room again."""

    def _keep_watch(self) -> None:
        pass
