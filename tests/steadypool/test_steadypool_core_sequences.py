"""Any sequence of transitions of the core keeps its invariants; the test chooses at random."""

import math
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from steadypool import FailReason, Order
from steadypool._core.core import Core
from steadypool._core.entries import AWAKE, AcquireRequest, Answer, PoolEntry, Step
from steadypool._core.settings import Settings

WITH_A_SLOT = (Step.TAKE, Step.CHECK, Step.VALIDATE, Step.REPLACE, Step.OPEN, Step.BACKOFF)


class Bell:
    """A waiter that may be woken once."""

    def __init__(self) -> None:
        self.woken = False

    def wait(self, deadline: float | None) -> bool:
        raise AssertionError("no waiter waits in these tests")

    def wake(self) -> None:
        assert not self.woken
        self.woken = True


class World:
    """A pool that makes random transitions and checks the invariants after each."""

    def __init__(self, settings: Settings) -> None:
        self.core = Core(settings)
        self.now = 0.0
        self.requests: list[AcquireRequest] = []
        self.to_close: list[PoolEntry] = []
        self.to_reset: list[PoolEntry] = []
        self.to_probe: list[PoolEntry] = []

    def act(self, kind: str, choice: int) -> None:
        getattr(self, kind)(choice)
        self.check()

    # --- acquires --------------------------------------------------------------------------------

    def ask(self, choice: int) -> None:
        if self.core.take(self.now) is None:
            request = AcquireRequest(Bell())
            self.core.start(request, self.now)
            self.requests.append(request)

    def grow(self, choice: int) -> None:
        request = AcquireRequest(Bell())
        if self.core.grow(request, self.now):
            self.requests.append(request)

    def advance(self, choice: int) -> None:
        ready = [request for request in self.requests if request.step is not Step.WAIT]
        if not ready:
            return
        request = ready[choice % len(ready)]
        self.step(request, choice)
        if request.step is Step.OUT:
            self.requests.remove(request)
        elif request.step is Step.DONE and request in self.requests:
            self.leave_with(request)

    def step(self, request: AcquireRequest, choice: int) -> None:
        core, now = self.core, self.now
        match request.step:
            case Step.OPEN if choice % 3 == 2:
                core.failed(request, Bell(), choice % 2 == 0, now + 1 if choice > 6 else None, now)
            case Step.OPEN if choice % 3 == 1:
                core.refused(request, Bell(), now + 1 if choice > 6 else None, now)
            case Step.OPEN:
                request.entry = PoolEntry(object(), 0, now, core.settings.recycle)
                core.opened(request, now)
            case Step.BACKOFF:
                core.backed_off(request, Bell(), now)
            case Step.TAKE:
                core.checkout(request, now)
            case Step.CHECK | Step.VALIDATE:
                core.checked(request, choice % 2 == 0, now)
            case Step.REPLACE:
                core.retired(request, Bell(), now)
            case _:
                self.leave_with(request)

    def look(self, choice: int) -> None:
        """Let a waiter look again that was woken for it, or whose watch has ended."""
        looking = [request for request in self.requests if self.must_look(request)]
        if looking:
            request = looking[choice % len(looking)]
            self.core.looks_again(request, Bell(), self.now)

    def must_look(self, request: AcquireRequest) -> bool:
        return request.step is Step.WAIT and (request.waiter is AWAKE or self.now >= request.watch)

    def leave(self, choice: int) -> None:
        if self.requests:
            self.leave_with(self.requests[choice % len(self.requests)])

    def leave_with(self, request: AcquireRequest) -> None:
        self.requests.remove(request)
        for _ in range(2):  # an interrupted call is repeated
            entry = self.core.withdraw(request, FailReason.INTERRUPTED, self.now)
        if entry is not None:
            self.to_close.append(entry)

    # --- releases --------------------------------------------------------------------------------

    def check_in(self, choice: int) -> None:
        held = list(self.core.in_use.values())
        if held:
            entry = held[choice % len(held)]
            self.core.check_in(entry, choice % 3 != 0, self.now)
            if entry.returning:
                (self.to_close if entry.reason else self.to_reset).append(entry)

    def finish(self, choice: int) -> None:
        if self.to_reset:
            entry = self.to_reset.pop()
            if self.core.reset(entry, self.now):
                self.to_close.append(entry)
        elif self.to_close:
            entry = self.to_close.pop()
            self.core.freed(entry, self.now)
            self.core.freed(entry, self.now)  # an interrupted call is repeated

    # --- the pool as a whole ---------------------------------------------------------------------

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
        dead = [(entry, entry.since) for entry in list(self.core.idle)[: choice % 3]]
        self.core.tidy(dead, self.to_close, self.now)

    def fall_silent(self, choice: int) -> None:
        self.core.doubt(self.now - choice, self.to_close)
        assert all(entry.last_answer > self.now - choice for entry in self.core.idle)

    def probe(self, choice: int) -> None:
        found = self.core.unproven(self.now)
        if found:
            self.core.reserve(*found[choice % len(found)], self.to_probe)

    def end_probe(self, choice: int) -> None:
        if self.to_probe:
            entry = self.to_probe.pop()
            answer = tuple(Answer)[choice % 3]
            self.core.probed(entry, answer, self.now)
            if entry.returning:
                self.core.probed(entry, answer, self.now)  # an interrupted call is repeated
                self.to_close.append(entry)

    def wait(self, choice: int) -> None:
        self.now += choice

    # --- invariants ------------------------------------------------------------------------------

    def check(self) -> None:
        self.check_entries()
        self.check_owners()
        self.check_queue()
        self.check_counts()

    def check_entries(self) -> None:
        core = self.core
        entries = len(core.idle) + len(core.in_use) + core.pending
        assert entries <= core.settings.limit or core._shrinking
        assert len(core.idle) <= core.settings.size
        assert core.connecting <= core.settings.max_connecting
        assert not (core.is_closed and (core.idle or core.waiters))
        used = [entry.since for entry in core.idle]
        assert used == sorted(used, reverse=core.settings.order is Order.FIFO)

    def check_owners(self) -> None:
        core = self.core
        owners = [request for request in self.requests if request.step in WITH_A_SLOT]
        others = len(self.to_close) + len(self.to_reset) + len(self.to_probe)
        assert core.pending == len(owners) + others
        assert core.connecting == sum(request.step is Step.OPEN for request in self.requests)
        resting = {id(request) for request in self.requests if request.step is Step.BACKOFF}
        assert core.is_closed or {id(request) for request in core.backing_off} == resting

    def check_queue(self) -> None:
        core = self.core
        waiting = [request for request in self.requests if request.step is Step.WAIT]
        assert list(core.waiters) == sorted(waiting, key=lambda request: request.serial)
        bells = [request.waiter for request in waiting if request.waiter is not AWAKE]
        assert not any(bell.woken for bell in bells)  # type: ignore[attr-defined]
        if core.waiters and not core.is_suspended:
            entries = len(core.idle) + len(core.in_use) + core.pending
            assert not core.idle
            if entries < core.settings.limit and core.connecting < core.settings.max_connecting:
                self.check_watch(waiting)

    def check_watch(self, waiting: list[AcquireRequest]) -> None:
        """A slot may be free only while the server is full and a waiter looks again in time."""
        core = self.core
        assert core.created > core.closed or core.connecting
        assert min(request.watch for request in waiting) <= core.ceiling.until
        assert core.ceiling.until > -math.inf
        assert core.resting_generation == -1

    def check_counts(self) -> None:
        core = self.core
        assert core.acquired - core.released == len(core.in_use)
        owned = [request.entry for request in self.requests if request.entry is not None]
        pending = [*owned, *self.to_close, *self.to_reset, *self.to_probe]
        everywhere = [*core.idle, *core.in_use.values(), *pending]
        assert len({id(entry) for entry in everywhere}) == len(everywhere)
        assert core.created - core.closed == len(everywhere)
        assert all(entry.uses <= core.settings.max_uses for entry in everywhere)

    def come_to_rest(self) -> None:
        self.resume(0)
        while self.to_reset or self.to_close or self.core.in_use or self.requests or self.to_probe:
            self.act("end_probe", 0)
            self.act("finish", 0)
            self.act("check_in", 1)
            self.act("advance", 0)
            self.act("look", 0)
            self.act("wait", 1)
        assert self.core.pending == self.core.connecting == 0
        assert not self.core.backing_off
        assert self.core.created - self.core.closed == len(self.core.idle)


TRANSITIONS = (
    *("ask", "advance") * 4,
    *("leave", "check_in", "finish", "wait", "look") * 2,
    *("clear", "close", "suspend", "resume", "resize", "tidy", "grow"),
    *("probe", "end_probe", "fall_silent"),
)


@st.composite
def pool_settings(draw: Any) -> Settings:
    size, overflow = draw(st.sampled_from([(0, 1), (1, 0), (1, 2), (2, 0), (3, 1)]))
    return Settings(
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


ACT = st.tuples(st.sampled_from(TRANSITIONS), st.integers(0, 11))
ACTS = st.lists(ACT, max_size=80) | st.lists(ACT, min_size=40, max_size=80)
"""Most lists without a least size are short."""


@settings(max_examples=500, deadline=None)
@given(pool_settings(), ACTS)
def test_any_sequence_of_transitions_keeps_the_invariants(
    settings: Settings, acts: list[tuple[str, int]]
) -> None:
    world = World(settings)
    for kind, choice in acts:
        world.act(kind, choice)
    world.come_to_rest()
