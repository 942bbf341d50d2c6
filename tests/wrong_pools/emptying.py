"""Pools that lose waiters, slots or their limit when they are emptied or resized."""

from collections import deque

from tests.wrong_pools.faults import noticed_by

from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry, Step
from steadypool.events import CloseReason, FailReason
from steadypool.protocols import Waiter


@noticed_by("emptying.waiters_are_served_after_emptying")
class ForgetsWaitersWhenEmptied(Core):
    """Leaves its waiters to their timeouts when it is emptied."""

    def clear(self, to_close: list[PoolEntry], now: float) -> None:
        super().clear(to_close, now)
        self.waiters = deque()


class _ForgetsLoans(Core):
    """Takes the slots of loans as free when it is emptied."""

    forgotten = 0

    def clear(self, to_close: list[PoolEntry], now: float) -> None:
        self.forgotten = self.loans_out()
        super().clear(to_close, now)

    def _used_slots(self) -> int:
        return super()._used_slots() - self.forgotten

    def freed(self, entry: PoolEntry, now: float) -> None:
        self.forgotten -= entry.reason is CloseReason.POOL_CLEARED and self.forgotten > 0
        super().freed(entry, now)


@noticed_by("emptying.an_acquire_after_emptying_waits_for_a_borrower")
class OpensBesideItsLoansWhenEmptied(_ForgetsLoans):
    """Opens connections in place of those on loan when it is emptied."""


@noticed_by("emptying.many_clients_are_served_while_the_pool_is_emptied")
class ServesItsQueueBesideItsLoansWhenEmptied(_ForgetsLoans):
    """Serves its whole queue in place of the loans when it is emptied."""

    def clear(self, to_close: list[PoolEntry], now: float) -> None:
        super().clear(to_close, now)
        self._serve(now)


class StrandsWaitersWhenEmptied(Core):
    """Serves no waiter when the slot of a connection of an emptied pool is freed."""

    def strands(self, clean: bool) -> bool:
        """Return whether no waiter is woken; `clean`: the connection was good."""
        raise NotImplementedError

    def check_in(self, entry: PoolEntry, clean: bool, now: float) -> None:
        super().check_in(entry, clean, now)
        if entry.reason is CloseReason.POOL_CLEARED and self.strands(clean):
            entry.reason = CloseReason.IDLE

    def freed(self, entry: PoolEntry, now: float) -> None:
        queue = self.waiters
        if entry.reason is CloseReason.IDLE:
            self.waiters = deque()
        super().freed(entry, now)
        self.waiters = queue


@noticed_by("emptying.the_release_of_a_dead_connection_of_an_emptied_pool_serves_a_waiter")
class StrandsWaitersBehindADeadConnection(StrandsWaitersWhenEmptied):
    """Wakes no waiter when a connection that died on loan returns to the emptied pool."""

    def strands(self, clean: bool) -> bool:
        return not clean


@noticed_by("emptying.the_release_of_an_open_transaction_of_an_emptied_pool_serves_a_waiter")
class StrandsWaitersBehindATransaction(StrandsWaitersWhenEmptied):
    """Wakes no waiter when a connection in a transaction returns to the emptied pool."""

    def strands(self, clean: bool) -> bool:
        return not clean


@noticed_by("emptying.an_acquire_that_connects_while_the_pool_is_emptied_is_served")
class LosesConnectsWhenEmptied(Core):
    """Never frees the slot of a connection that was being opened when the pool was emptied."""

    lost = 0

    def retired(self, request: AcquireRequest, waiter: Waiter, now: float) -> None:
        entry = request.entry
        self.lost += entry is not None and entry.reason is CloseReason.POOL_CLEARED
        super().retired(request, waiter, now)

    def _used_slots(self) -> int:
        return super()._used_slots() + self.lost


@noticed_by("emptying.a_failed_connect_after_emptying_stops_no_queue")
class StopsItsQueueAfterAFailedConnect(Core):
    """Serves no waiter when a connect fails, although its slot is free again."""

    blind = False

    def withdraw(self, request: AcquireRequest, reason: FailReason, now: float) -> PoolEntry | None:
        self.blind = request.step is Step.FAILED
        entry = super().withdraw(request, reason, now)
        self.blind = False
        return entry

    def failed(
        self,
        request: AcquireRequest,
        waiter: Waiter,
        counts: bool,
        until: float | None,
        now: float,
    ) -> int:
        self.blind = True
        failures = super().failed(request, waiter, counts, until, now)
        self.blind = False
        return failures

    def _serve(self, now: float) -> None:
        if not self.blind:
            super()._serve(now)


@noticed_by("emptying.waiters_of_a_full_emptied_pool_get_all_of_its_slots")
class LosesTheSlotsOfLoansWhenEmptied(Core):
    """Never frees the slots of the connections that were on loan when the pool was emptied."""

    lost = 0

    def check_in(self, entry: PoolEntry, clean: bool, now: float) -> None:
        self.lost += not self._is_current(entry)
        super().check_in(entry, clean, now)

    def _used_slots(self) -> int:
        return super()._used_slots() + self.lost


@noticed_by("emptying.a_suspended_pool_that_is_emptied_serves_its_waiters_after_the_resume")
class ResumesWithoutItsQueue(Core):
    """Serves only new acquires after a resume."""

    def resume(self, now: float) -> None:
        queue, self.waiters = self.waiters, deque()
        super().resume(now)
        self.waiters = queue


@noticed_by("emptying.many_clients_are_served_while_the_pool_is_resized")
class LosesASlotWithEachResize(Core):
    """Takes one slot less than its limit after each time that it was made larger."""

    lost = 0

    def resize(self, size: int, limit: int, to_close: list[PoolEntry], now: float) -> None:
        self.lost += limit > self.settings.limit
        super().resize(size, limit, to_close, now)

    def _used_slots(self) -> int:
        return super()._used_slots() + self.lost
