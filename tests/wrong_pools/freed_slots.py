"""Pools that free a slot without serving the waiter."""

from tests.wrong_pools.emptying import StopsItsQueueAfterAFailedConnect
from tests.wrong_pools.faults import noticed_by
from tests.wrong_pools.waiters import WakesNoWaiter, WakesNoWaiterForAFreedSlot

from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, Step
from steadypool.protocols import Waiter


@noticed_by("freed_slots.a_clean_release_serves_the_waiter")
class WakesNoWaiterAtARelease(WakesNoWaiter):
    """Makes a released connection idle although an acquire waits for it."""


@noticed_by("freed_slots.the_release_of_an_open_transaction_serves_the_waiter")
class WakesNoWaiterAfterARollback(WakesNoWaiter):
    """Makes a connection idle after its rollback although an acquire waits for it."""


@noticed_by("freed_slots.the_end_of_a_block_that_raises_serves_the_waiter")
class WakesNoWaiterAtTheEndOfABlock(WakesNoWaiter):
    """Makes the connection of a block that raised idle although an acquire waits for it."""


@noticed_by("freed_slots.the_end_of_an_interrupted_block_serves_the_waiter")
class WakesNoWaiterAtTheEndOfAnInterruptedBlock(WakesNoWaiter):
    """Makes the connection of an interrupted block idle although an acquire waits for it."""


@noticed_by("freed_slots.an_expired_connection_serves_the_waiter")
class WakesNoWaiterForAnExpiredConnection(WakesNoWaiter):
    """Makes an expired connection idle although an acquire waits."""


@noticed_by("freed_slots.a_failed_validation_serves_the_waiter")
class WakesNoWaiterAfterAReplacement(WakesNoWaiter):
    """Makes the replacement of a dead connection idle although an acquire waits for it."""


@noticed_by("freed_slots.the_release_of_a_lost_connection_serves_the_waiter")
class WakesNoWaiterForALostConnection(WakesNoWaiterForAFreedSlot):
    """Closes a connection that was lost on loan without a look at its queue."""


@noticed_by("freed_slots.a_retired_connection_serves_the_waiter")
class WakesNoWaiterForARetiredConnection(WakesNoWaiterForAFreedSlot):
    """Closes a connection after its last loan without a look at its queue."""


@noticed_by("freed_slots.many_clients_survive_lost_connections")
class WakesNoWaiterForLostConnections(WakesNoWaiterForAFreedSlot):
    """Closes connections that were lost on loan without a look at its queue."""


@noticed_by("freed_slots.a_failed_connect_serves_the_waiter")
class WakesNoWaiterAfterAFailedConnect(StopsItsQueueAfterAFailedConnect):
    """Serves no waiter when a connect fails, although its slot is free again."""


@noticed_by("freed_slots.failed_connects_serve_all_waiters")
class LosesTheSlotOfAFailedConnect(Core):
    """Never frees the slot of a connect that failed."""

    lost = 0

    def failed(
        self,
        request: AcquireRequest,
        waiter: Waiter,
        counts: bool,
        until: float | None,
        now: float,
    ) -> int:
        self.lost += 1
        return super().failed(request, waiter, counts, until, now)

    def _used_slots(self) -> int:
        return super()._used_slots() + self.lost


@noticed_by("freed_slots.a_timeout_leaves_the_slot_to_the_next_waiter")
class ServesTheTimedOut(Core):
    """Hands a released connection over to a waiter that has timed out."""

    def _leave_queue(self, request: AcquireRequest) -> None:
        if request.step is not Step.WAIT:
            super()._leave_queue(request)
