"""The rules by themselves: no threads, no clock; the test is the shell."""

from hypothesis import given, settings
from hypothesis import strategies as st

from steadypool import CloseReason, FailReason, PoolClosedError
from steadypool.core import Core
from steadypool.rules import Rules
from steadypool.states import Slot, Step, Ticket


class Bell:
    """A waiter that only remembers that it was woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wait(self, deadline: float | None) -> bool:
        raise AssertionError("nobody waits in these tests")

    def wake(self) -> None:
        self.woken += 1


def make_core(size: int = 1, limit: int = 1, recycle: float = 100.0) -> Core:
    return Core(Rules(name="test", size=size, limit=limit, recycle=recycle, check_after=50.0))


def start(core: Core, now: float = 0.0) -> Ticket:
    ticket = Ticket(Bell())
    core.start(ticket, now)
    return ticket


def open_for(core: Core, ticket: Ticket, now: float = 0.0) -> Slot:
    assert ticket.step is Step.OPEN
    ticket.slot = Slot(object(), 0, now, core.rules.recycle)
    core.opened(ticket, now)
    core.checkout(ticket, now)
    return ticket.slot


def borrow(core: Core, now: float = 0.0) -> Slot:
    return open_for(core, start(core, now), now)


def test_an_empty_pool_reserves_a_slot_and_lets_the_acquire_open_a_connection() -> None:
    core = make_core()
    ticket = start(core)
    assert (ticket.step, core.pending) == (Step.OPEN, 1)


def test_a_reserved_slot_counts_against_the_limit() -> None:
    core = make_core()
    start(core)
    assert start(core).step is Step.WAIT


def test_a_connection_that_comes_back_is_handed_to_the_first_in_the_queue() -> None:
    core = make_core()
    held = borrow(core)
    first, second = start(core), start(core)
    core.check_in(held, True, 1.0)
    assert (first.step, first.slot, second.step) == (Step.TAKE, held, Step.WAIT)


def test_a_releaser_that_asks_again_goes_to_the_back() -> None:
    core = make_core()
    held = borrow(core)
    start(core)
    core.check_in(held, True, 1.0)
    assert core.take(1.0) is None
    assert start(core).step is Step.WAIT


def test_a_slot_freed_by_a_failed_connect_goes_to_the_first_in_the_queue() -> None:
    core = make_core()
    failing, waiting = start(core), start(core)
    core.withdraw(failing, FailReason.CONNECTION_ERROR, 1.0)
    assert (waiting.step, core.pending) == (Step.OPEN, 1)


def test_a_dropped_connection_frees_its_slot_only_after_it_was_closed() -> None:
    core = make_core()
    held = borrow(core)
    waiting = start(core)
    assert core.check_in(held, False, 1.0)
    before = waiting.step
    core.freed(held, 2.0)
    assert (before, waiting.step) == (Step.WAIT, Step.OPEN)


def test_a_connection_as_old_as_recycle_is_replaced() -> None:
    core = make_core(recycle=10.0)
    core.check_in(borrow(core), True, 9.0)
    assert core.take(10.0) is None
    ticket = start(core, 10.0)
    assert ticket.step is Step.REPLACE
    core.retired(ticket, 10.0)
    assert (ticket.step, core.recycled, core.closed) == (Step.OPEN, 1, 1)


def test_an_old_connection_is_handed_over_for_replacement() -> None:
    core = make_core(recycle=10.0)
    held = borrow(core)
    ticket = start(core, 5.0)
    core.check_in(held, True, 10.0)
    assert (ticket.step, held.reason) == (Step.REPLACE, CloseReason.STALE)


def test_an_idle_connection_not_used_for_long_is_checked() -> None:
    core = make_core()
    core.check_in(borrow(core), True, 0.0)
    assert start(core, 50.0).step is Step.CHECK


def test_the_surplus_is_returned_for_closing() -> None:
    core = make_core(size=1, limit=2)
    first, second = borrow(core), borrow(core)
    assert not core.check_in(first, True, 1.0)
    assert core.check_in(second, True, 1.0)
    assert second.reason is CloseReason.SURPLUS


def test_a_connection_from_before_the_clearing_never_comes_back() -> None:
    core = make_core()
    held = borrow(core)
    core.clear([], 1.0)
    assert core.check_in(held, True, 2.0)
    assert held.reason is CloseReason.POOL_CLEARED


def test_a_connection_cleared_while_it_is_checked_is_replaced() -> None:
    core = make_core()
    core.check_in(borrow(core), True, 0.0)
    ticket = start(core, 60.0)
    core.clear([], 60.0)
    core.checked(ticket, True)
    core.checkout(ticket, 60.0)
    assert ticket.step is Step.REPLACE


def test_closing_refuses_all_who_wait() -> None:
    core = make_core()
    borrow(core)
    waiting = [start(core), start(core)]
    core.close([], 1.0)
    assert [ticket.step for ticket in waiting] == [Step.REFUSED] * 2


def test_a_connection_opened_while_the_pool_closed_is_refused_and_closed() -> None:
    core = make_core()
    ticket = start(core)
    core.close([], 1.0)
    slot = open_for(core, ticket)
    assert (ticket.step, slot.reason) == (Step.REPLACE, CloseReason.POOL_CLOSED)
    core.retired(ticket, 1.0)
    assert ticket.step is Step.REFUSED
    assert isinstance(core.refusal(ticket), PoolClosedError)
    assert (core.pending, core.created, core.closed) == (0, 1, 1)


def test_a_hand_over_to_someone_who_left_goes_to_the_next() -> None:
    core = make_core()
    held = borrow(core)
    leaving, staying = start(core), start(core)
    core.check_in(held, True, 1.0)
    assert core.withdraw(leaving, FailReason.INTERRUPTED, 1.0) is None
    assert (staying.step, staying.slot) == (Step.TAKE, held)


def test_a_checkout_that_could_not_return_is_undone() -> None:
    core = make_core()
    ticket = start(core)
    open_for(core, ticket)
    core.withdraw(ticket, FailReason.INTERRUPTED, 1.0)
    assert (len(core.idle), len(core.in_use), core.acquired, core.released) == (1, 0, 1, 1)


class World:
    """A shell that takes random turns, and knows what must hold after each."""

    def __init__(self, size: int, overflow: int) -> None:
        self.core = make_core(size, size + overflow, recycle=20.0)
        self.now = 0.0
        self.tickets: list[Ticket] = []
        self.to_close: list[Slot] = []
        self.to_reset: list[Slot] = []

    def act(self, kind: str, choice: int) -> None:
        getattr(self, kind)(choice)
        self.check()

    def ask(self, choice: int) -> None:
        if self.core.take(self.now) is None:
            self.tickets.append(start(self.core, self.now))

    def go_on(self, choice: int) -> None:
        ready = [t for t in self.tickets if t.step is not Step.WAIT]
        if not ready:
            return
        ticket = ready[choice % len(ready)]
        try:
            self.step(ticket, choice)
        except PoolClosedError:
            self.leave_with(ticket)
        if ticket.step in (Step.OUT, Step.DONE) and ticket in self.tickets:
            self.tickets.remove(ticket)

    def step(self, ticket: Ticket, choice: int) -> None:
        match ticket.step:
            case Step.OPEN:
                open_for(self.core, ticket, self.now)
            case Step.TAKE:
                self.core.checkout(ticket, self.now)
            case Step.CHECK:
                self.core.checked(ticket, choice % 2 == 0)
            case Step.REPLACE:
                self.core.retired(ticket, self.now)
            case Step.REFUSED:
                self.leave_with(ticket)
            case _:
                raise AssertionError(ticket.step)

    def leave(self, choice: int) -> None:
        if self.tickets:
            self.leave_with(self.tickets[choice % len(self.tickets)])

    def leave_with(self, ticket: Ticket) -> None:
        self.tickets.remove(ticket)
        if (slot := self.core.withdraw(ticket, FailReason.INTERRUPTED, self.now)) is not None:
            self.to_close.append(slot)

    def give_back(self, choice: int) -> None:
        held = list(self.core.in_use.values())
        if held:
            slot = held[choice % len(held)]
            if self.core.check_in(slot, choice % 3 != 0, self.now):
                (self.to_close if slot.reason else self.to_reset).append(slot)

    def finish(self, choice: int) -> None:
        if self.to_reset:
            slot = self.to_reset.pop()
            if self.core.reset(slot, self.now):
                self.to_close.append(slot)
        elif self.to_close:
            self.core.freed(self.to_close.pop(), self.now)

    def clear(self, choice: int) -> None:
        self.core.clear(self.to_close, self.now)

    def close(self, choice: int) -> None:
        if choice % 5 == 0:
            self.core.close(self.to_close, self.now)

    def wait(self, choice: int) -> None:
        self.now += choice

    def check(self) -> None:
        core = self.core
        slots = len(core.idle) + len(core.in_use) + core.pending
        assert slots <= core.rules.limit
        assert len(core.idle) <= core.rules.size
        assert not (core.idle and core.waiters)
        assert not (core.waiters and slots < core.rules.limit)
        assert core.acquired - core.released == len(core.in_use)
        owned = [t.slot for t in self.tickets if t.slot is not None]
        everywhere = [*core.idle, *core.in_use.values(), *owned, *self.to_close, *self.to_reset]
        assert len({id(slot) for slot in everywhere}) == len(everywhere)
        assert core.created - core.closed == len(everywhere)
        owners = [t for t in self.tickets if t.step not in (Step.WAIT, Step.REFUSED)]
        assert core.pending == len(owners) + len(self.to_close) + len(self.to_reset)
        assert not (core.is_closed and (core.idle or core.waiters))
        assert list(core.waiters) == [t for t in self.tickets if t.step is Step.WAIT]

    def come_to_rest(self) -> None:
        while self.to_reset or self.to_close or self.core.in_use or self.tickets:
            self.act("finish", 0)
            self.act("give_back", 1)
            self.act("go_on", 0)
        assert self.core.pending == 0
        assert self.core.created - self.core.closed == len(self.core.idle)


ACTS = ("ask", "ask", "go_on", "go_on", "leave", "give_back", "finish", "clear", "close", "wait")


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, 3),
    st.integers(0, 2),
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 11)), max_size=60),
)
def test_any_sequence_of_moves_keeps_the_invariants(
    size: int, overflow: int, acts: list[tuple[str, int]]
) -> None:
    world = World(size, overflow if size + overflow else 1)
    for kind, choice in acts:
        world.act(kind, choice)
    world.come_to_rest()
