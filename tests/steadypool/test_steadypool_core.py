"""The core alone, without threads and without a clock; the test acts as the pool."""

import math
from collections import deque

import pytest

from steadypool import CloseReason, EventKind, FailReason, PoolClosedError
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry, Step
from steadypool._core.settings import Settings


class Bell:
    """A waiter that only counts its wake-ups."""

    def __init__(self) -> None:
        self.woken = 0

    def wait(self, deadline: float | None) -> bool:
        raise AssertionError("no waiter waits in these tests")

    def wake(self) -> None:
        self.woken += 1


def make_core(size: int = 1, limit: int = 1, recycle: float = 100.0) -> Core:
    return Core(Settings(name="test", size=size, limit=limit, recycle=recycle, check_after=50.0))


def start(core: Core, now: float = 0.0) -> AcquireRequest:
    request = AcquireRequest(Bell())
    core.start(request, now)
    return request


def open_for(core: Core, request: AcquireRequest, now: float = 0.0) -> PoolEntry:
    assert request.step is Step.OPEN
    request.entry = PoolEntry(object(), 0, now, core.settings.recycle)
    core.opened(request, now)
    core.checkout(request, now)
    return request.entry


def borrow(core: Core, now: float = 0.0) -> PoolEntry:
    return open_for(core, start(core, now), now)


def test_an_empty_pool_reserves_a_slot_and_lets_the_acquire_open_a_connection() -> None:
    core = make_core()
    request = start(core)
    assert (request.step, core.pending) == (Step.OPEN, 1)


def test_a_reserved_slot_counts_against_the_limit() -> None:
    core = make_core()
    start(core)
    assert start(core).step is Step.WAIT


def test_a_returned_connection_is_handed_to_the_first_waiter() -> None:
    core = make_core()
    held = borrow(core)
    first, second = start(core), start(core)
    core.check_in(held, True, 1.0)
    assert (first.step, first.entry, second.step) == (Step.OUT, held, Step.WAIT)
    assert (list(core.in_use.values()), core.acquired, core.released) == ([held], 2, 1)


def test_with_a_listener_the_first_waiter_takes_the_connection_in_its_own_step() -> None:
    core = Core(Settings(name="test", size=1, limit=1), lambda: 1)
    held = borrow(core)
    first = start(core)
    core.check_in(held, True, 1.0)
    assert (first.step, first.entry, core.pending) == (Step.TAKE, held, 1)


def test_a_checkin_interrupted_after_the_wake_up_leaves_the_next_loan_alone() -> None:
    class Interrupted(Bell):
        def wake(self) -> None:
            super().wake()
            raise KeyboardInterrupt

    core = make_core()
    held = borrow(core)
    next_one = AcquireRequest(Interrupted())
    core.start(next_one, 0.0)
    claim = core.claim(held)
    with pytest.raises(KeyboardInterrupt):
        core.check_in(held, True, 1.0)
    assert held.returning != claim  # nothing is left to do for the releaser
    assert (next_one.step, held.returning, len(core.in_use)) == (Step.OUT, 0, 1)
    assert core.claim(held) == claim + 1  # the next borrower may release it


def test_only_one_of_two_releasers_can_claim_a_loan() -> None:
    core = make_core()
    held = borrow(core)
    assert core.claim(held)
    assert not core.claim(held)
    assert core.loans_out() == 1
    assert start(core).step is Step.WAIT  # a claimed loan still counts


def test_the_event_of_a_grant_shows_the_grant_even_if_the_waiter_continues_at_once() -> None:
    class Quick(Bell):
        def wake(self) -> None:
            super().wake()
            next_one.entry = PoolEntry(object(), 0, 0.0, math.inf)  # the waiter has connected

    core = Core(Settings(name="test", size=1, limit=1), lambda: 1)
    failing, next_one = start(core), AcquireRequest(Quick())
    core.start(next_one, 0.0)
    core.withdraw(failing, FailReason.CONNECTION_ERROR, 1.0)
    granted = [event for event in core.events if event.kind is EventKind.CHECKOUT_GRANTED]
    assert [event.connection for event in granted] == [None]


def test_a_retry_is_counted_when_it_is_made() -> None:
    core = Core(Settings(name="test", size=1, limit=1, connect_attempts=3))
    request = start(core)
    core.failed(request, Bell(), True, 1.0, 0.0)
    core.close([], 0.5)
    core.backed_off(request, Bell(), 1.0)
    assert (request.step, core.connect_retries) == (Step.REFUSED, 0)
    core = Core(Settings(name="test", size=1, limit=1, connect_attempts=3))
    request = start(core)
    core.failed(request, Bell(), True, 1.0, 0.0)
    core.backed_off(request, Bell(), 1.0)
    assert (request.step, core.connect_retries) == (Step.OPEN, 1)


def test_a_releaser_that_asks_again_goes_to_the_back() -> None:
    core = make_core()
    held = borrow(core)
    start(core)
    core.check_in(held, True, 1.0)
    assert core.take(1.0) is None
    assert start(core).step is Step.WAIT


def test_a_slot_freed_by_a_failed_connect_goes_to_the_first_waiter() -> None:
    core = make_core()
    failing, waiting = start(core), start(core)
    core.withdraw(failing, FailReason.CONNECTION_ERROR, 1.0)
    assert (waiting.step, core.pending) == (Step.OPEN, 1)


def test_a_dropped_connection_frees_its_slot_only_after_it_was_closed() -> None:
    core = make_core()
    held = borrow(core)
    waiting = start(core)
    core.check_in(held, False, 1.0)
    assert held.returning
    before = waiting.step
    core.freed(held, 2.0)
    assert (before, waiting.step) == (Step.WAIT, Step.OPEN)


def test_a_connection_as_old_as_recycle_is_replaced() -> None:
    core = make_core(recycle=10.0)
    core.check_in(borrow(core), True, 9.0)
    assert core.take(10.0) is None
    request = start(core, 10.0)
    assert request.step is Step.REPLACE
    core.retired(request, Bell(), 10.0)
    assert (request.step, core.recycled, core.closed) == (Step.OPEN, 1, 1)


def test_an_old_connection_is_handed_over_for_replacement() -> None:
    core = make_core(recycle=10.0)
    held = borrow(core)
    request = start(core, 5.0)
    core.check_in(held, True, 10.0)
    assert (request.step, held.reason) == (Step.REPLACE, CloseReason.STALE)


def test_a_connection_idle_for_long_is_checked() -> None:
    core = make_core()
    core.check_in(borrow(core), True, 0.0)
    assert start(core, 50.0).step is Step.CHECK


def test_a_surplus_connection_is_returned_for_closing() -> None:
    core = make_core(size=1, limit=2)
    first, second = borrow(core), borrow(core)
    core.check_in(first, True, 1.0)
    core.check_in(second, True, 1.0)
    assert (first.returning, first.reason) == (0, None)
    assert second.reason is CloseReason.SURPLUS


def test_a_connection_from_before_a_clear_never_becomes_idle() -> None:
    core = make_core()
    held = borrow(core)
    core.clear([], 1.0)
    core.check_in(held, True, 2.0)
    assert held.reason is CloseReason.POOL_CLEARED


def test_a_connection_is_replaced_if_the_pool_is_cleared_during_its_check() -> None:
    core = make_core()
    core.check_in(borrow(core), True, 0.0)
    request = start(core, 60.0)
    core.clear([], 60.0)
    core.checked(request, True, 0.0)
    core.checkout(request, 60.0)
    assert request.step is Step.REPLACE


def test_closing_refuses_all_waiters() -> None:
    core = make_core()
    borrow(core)
    waiting = [start(core), start(core)]
    core.close([], 1.0)
    assert [request.step for request in waiting] == [Step.REFUSED] * 2


def test_a_connection_opened_during_a_close_is_closed_and_its_request_refused() -> None:
    core = make_core()
    request = start(core)
    core.close([], 1.0)
    entry = open_for(core, request)
    assert (request.step, entry.reason) == (Step.REPLACE, CloseReason.POOL_CLOSED)
    core.retired(request, Bell(), 1.0)
    assert request.step is Step.REFUSED
    assert isinstance(core.refusal(request), PoolClosedError)
    assert (core.pending, core.created, core.closed) == (0, 1, 1)


def test_a_hand_over_to_a_withdrawn_request_goes_to_the_next_waiter() -> None:
    core = make_core()
    held = borrow(core)
    leaving, staying = start(core), start(core)
    core.check_in(held, True, 1.0)
    assert core.withdraw(leaving, FailReason.INTERRUPTED, 1.0) is None
    assert (staying.step, staying.entry) == (Step.TAKE, held)


def test_an_interrupted_checkout_is_undone() -> None:
    core = make_core()
    request = start(core)
    open_for(core, request)
    core.withdraw(request, FailReason.INTERRUPTED, 1.0)
    assert (len(core.idle), len(core.in_use), core.acquired, core.released) == (1, 0, 1, 1)


def test_gauges_read_during_a_close_show_no_more_idle_than_open_connections() -> None:
    class Closing(deque[PoolEntry]):
        """Idle connections that another thread closes just after they were counted."""

        def __len__(self) -> int:
            core.closed = core.created
            return super().__len__()

    core = make_core()
    core.created = 2
    core.idle = Closing([PoolEntry(object(), 0, 0.0, 0.0)] * 2)
    idle, _, total = core.gauges()
    assert (idle, total) == (2, 2)
