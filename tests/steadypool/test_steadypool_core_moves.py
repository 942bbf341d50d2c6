"""Any sequence of moves of the core keeps its invariants; the test is a shell that plays dice."""

import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from steadypool import FailReason, Order
from steadypool.core import Core
from steadypool.rules import Rules
from steadypool.states import Slot, Step, Ticket

WITH_A_SLOT = (Step.TAKE, Step.CHECK, Step.VALIDATE, Step.REPLACE, Step.OPEN, Step.REST)


class Bell:
    """A waiter that may be woken once."""

    def __init__(self) -> None:
        self.woken = False

    def wait(self, deadline: float | None) -> bool:
        raise AssertionError("nobody waits in these tests")

    def wake(self) -> None:
        assert not self.woken
        self.woken = True


class World:
    """A shell that takes random turns, and knows what must hold after each."""

    def __init__(self, rules: Rules) -> None:
        self.core = Core(rules)
        self.now = 0.0
        self.tickets: list[Ticket] = []
        self.to_close: list[Slot] = []
        self.to_reset: list[Slot] = []

    def act(self, kind: str, choice: int) -> None:
        getattr(self, kind)(choice)
        self.check()

    # --- what acquires do ------------------------------------------------------------------------

    def ask(self, choice: int) -> None:
        if self.core.take(self.now) is None:
            ticket = Ticket(Bell())
            self.core.start(ticket, self.now)
            self.tickets.append(ticket)

    def grow(self, choice: int) -> None:
        ticket = Ticket(Bell())
        if self.core.grow(ticket, self.now):
            self.tickets.append(ticket)

    def go_on(self, choice: int) -> None:
        ready = [ticket for ticket in self.tickets if ticket.step is not Step.WAIT]
        if not ready:
            return
        ticket = ready[choice % len(ready)]
        self.step(ticket, choice)
        if ticket.step is Step.OUT:
            self.tickets.remove(ticket)
        elif ticket.step is Step.DONE and ticket in self.tickets:
            self.leave_with(ticket)

    def step(self, ticket: Ticket, choice: int) -> None:
        core, now = self.core, self.now
        match ticket.step:
            case Step.OPEN if choice % 3 == 2:
                ticket.waiter = Bell()
                core.failed(ticket, choice % 2 == 0, now + 1 if choice > 6 else None, now)
            case Step.OPEN:
                ticket.slot = Slot(object(), 0, now, core.rules.recycle)
                core.opened(ticket, now)
            case Step.REST:
                ticket.waiter = Bell()
                core.rested(ticket, now)
            case Step.TAKE:
                core.checkout(ticket, now)
            case Step.CHECK | Step.VALIDATE:
                core.checked(ticket, choice % 2 == 0)
            case Step.REPLACE:
                ticket.waiter = Bell()
                core.retired(ticket, now)
            case _:
                self.leave_with(ticket)

    def leave(self, choice: int) -> None:
        if self.tickets:
            self.leave_with(self.tickets[choice % len(self.tickets)])

    def leave_with(self, ticket: Ticket) -> None:
        self.tickets.remove(ticket)
        for _ in range(2):  # it may be interrupted and done again
            slot = self.core.withdraw(ticket, FailReason.INTERRUPTED, self.now)
        if slot is not None:
            self.to_close.append(slot)

    # --- what returns do -------------------------------------------------------------------------

    def give_back(self, choice: int) -> None:
        held = list(self.core.in_use.values())
        if held:
            slot = held[choice % len(held)]
            self.core.check_in(slot, choice % 3 != 0, self.now)
            if slot.returning:
                (self.to_close if slot.reason else self.to_reset).append(slot)

    def finish(self, choice: int) -> None:
        if self.to_reset:
            slot = self.to_reset.pop()
            if self.core.reset(slot, self.now):
                self.to_close.append(slot)
        elif self.to_close:
            slot = self.to_close.pop()
            self.core.freed(slot, self.now)
            self.core.freed(slot, self.now)  # it may be interrupted and done again

    # --- what happens to the pool ----------------------------------------------------------------

    def clear(self, choice: int) -> None:
        self.core.clear(self.to_close, self.now)

    def close(self, choice: int) -> None:
        if choice % 5 == 0:
            self.core.close(self.to_close, self.now)

    def suspend(self, choice: int) -> None:
        self.core.suspend(self.now)

    def resume(self, choice: int) -> None:
        self.core.resume(self.now)

    def resize(self, choice: int) -> None:
        size = choice % 4
        self.core.resize(size, max(size + choice // 4, 1), self.to_close, self.now)

    def tidy(self, choice: int) -> None:
        dead = [(slot, slot.since) for slot in list(self.core.idle)[: choice % 3]]
        self.core.tidy(dead, self.to_close, self.now)

    def wait(self, choice: int) -> None:
        self.now += choice

    # --- what must hold --------------------------------------------------------------------------

    def check(self) -> None:
        self.check_places()
        self.check_owners()
        self.check_queue()
        self.check_counts()

    def check_places(self) -> None:
        core = self.core
        slots = len(core.idle) + len(core.in_use) + core.pending
        assert slots <= core.rules.limit or core._shrinking
        assert len(core.idle) <= core.rules.size
        assert core.connecting <= core.rules.max_connecting
        assert not (core.is_closed and (core.idle or core.waiters))

    def check_owners(self) -> None:
        core = self.core
        owners = [ticket for ticket in self.tickets if ticket.step in WITH_A_SLOT]
        assert core.pending == len(owners) + len(self.to_close) + len(self.to_reset)
        assert core.connecting == sum(ticket.step is Step.OPEN for ticket in self.tickets)
        resting = {id(ticket) for ticket in self.tickets if ticket.step is Step.REST}
        assert core.is_closed or {id(ticket) for ticket in core.resting} == resting

    def check_queue(self) -> None:
        core = self.core
        waiting = [ticket for ticket in self.tickets if ticket.step is Step.WAIT]
        assert list(core.waiters) == sorted(waiting, key=lambda ticket: ticket.serial)
        assert not any(ticket.waiter.woken for ticket in waiting)  # type: ignore[attr-defined]
        if core.waiters and not core.is_suspended:
            slots = len(core.idle) + len(core.in_use) + core.pending
            assert not core.idle
            assert slots >= core.rules.limit or core.connecting >= core.rules.max_connecting

    def check_counts(self) -> None:
        core = self.core
        assert core.acquired - core.released == len(core.in_use)
        owned = [ticket.slot for ticket in self.tickets if ticket.slot is not None]
        everywhere = [*core.idle, *core.in_use.values(), *owned, *self.to_close, *self.to_reset]
        assert len({id(slot) for slot in everywhere}) == len(everywhere)
        assert core.created - core.closed == len(everywhere)
        assert all(slot.uses <= core.rules.max_uses for slot in everywhere)

    def come_to_rest(self) -> None:
        self.resume(0)
        while self.to_reset or self.to_close or self.core.in_use or self.tickets:
            self.act("finish", 0)
            self.act("give_back", 1)
            self.act("go_on", 0)
            self.act("wait", 1)
        assert self.core.pending == self.core.connecting == 0
        assert not self.core.resting
        assert self.core.created - self.core.closed == len(self.core.idle)


ACTS = (
    *("ask", "go_on") * 4,
    *("leave", "give_back", "finish", "wait") * 2,
    *("clear", "close", "suspend", "resume", "resize", "tidy", "grow"),
)


@st.composite
def rules(draw: Any) -> Rules:
    size, overflow = draw(st.sampled_from([(0, 1), (1, 0), (1, 2), (2, 0), (3, 1)]))
    return Rules(
        name="test",
        size=size,
        limit=size + overflow,
        min_size=draw(st.integers(0, size)),
        recycle=20.0,
        check_after=draw(st.sampled_from([5.0, 50.0])),
        validate_after=draw(st.sampled_from([8.0, 50.0])),
        max_idle_time=draw(st.sampled_from([10.0, 50.0])),
        max_uses=draw(st.sampled_from([1, 3, sys.maxsize])),
        max_connecting=draw(st.sampled_from([1, sys.maxsize])),
        max_waiting=draw(st.sampled_from([0, 2, sys.maxsize])),
        order=draw(st.sampled_from(Order)),
        connect_attempts=draw(st.integers(1, 3)),
        breaker_failures=draw(st.sampled_from([1, 2, sys.maxsize])),
        breaker_cooldown=3.0,
    )


@settings(max_examples=500, deadline=None)
@given(rules(), st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 11)), max_size=80))
def test_any_sequence_of_moves_keeps_the_invariants(
    rules: Rules, acts: list[tuple[str, int]]
) -> None:
    world = World(rules)
    for kind, choice in acts:
        world.act(kind, choice)
    world.come_to_rest()
