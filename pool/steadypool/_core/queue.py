"""The moves that the pool's transitions are made of.

Whoever gives something up calls `_serve` afterwards, which gives it to the first in the queue. It
brings the queue up to date from whatever state, so after an interruption it is simply called again.

A signal can raise between two calls, never between the plain assignments of a move: they are
written without calls for that reason (`del queue[0]`, not `popleft()`), and a waiter is woken last.
"""

from collections import deque

from steadypool._core.entries import OUT, UNNUMBERED, AcquireRequest, PoolEntry, Step
from steadypool._core.settings import Order
from steadypool._core.state import State
from steadypool.events import CloseReason, EventKind, FailReason


class Queue(State):
    """Parts of transitions. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    def _serve(self, now: float) -> None:
        """Give those who wait what there is to give; does nothing the second time."""
        if self._shrinking:
            self._choose_way()
        while self.waiters and not self.is_suspended:
            request = self.waiters[0]
            if self.idle:
                self._reserve_idle(request, now)
            elif self._has_room():
                self._reserve_open(request, now)
            else:
                return
            entry = request.entry  # who is awake may put another there
            del self.waiters[0]
            request.waiter.wake()
            self._granted(request, entry)
        while self.drainers and not (self.pending or self.in_use):
            waiter = self.drainers[0]
            del self.drainers[0]
            waiter.wake()

    def _has_room(self) -> bool:
        return (
            self._slots() < self.settings.limit and self.connecting < self.settings.max_connecting
        )

    def _reserve_idle(self, request: AcquireRequest, now: float) -> None:
        entry = self.idle[-1]
        step = Step.TAKE
        if now >= entry.expires:
            step, entry.reason = Step.REPLACE, CloseReason.STALE
        elif now >= entry.since + self.settings.validate_after:
            step = Step.VALIDATE
        elif now >= entry.good_until:
            step = Step.CHECK
        request.entry, request.step = entry, step
        self.pending += 1
        del self.idle[-1]

    def _reserve_open(self, request: AcquireRequest, now: float) -> None:
        """Let a ticket connect, unless that is known to be no use. There must be room."""
        if self.breaker.admits(now):
            self.pending += 1
            self.connecting += 1
            self.connect_retries += request.attempts > 0
            request.generation = self.generation
            request.step = Step.OPEN
        else:
            request.refusal = FailReason.UNAVAILABLE
            request.step = Step.REFUSED

    def _queue_again(self, request: AcquireRequest, now: float) -> None:
        """Put a ticket that has given up its slot at its place in the queue, and serve that."""
        if self.is_closed:
            request.step = Step.REFUSED
        else:
            place = sum(other.serial < request.serial for other in self.waiters)
            request.requeued = True
            request.step = Step.WAIT
            self.waiters.insert(place, request)
        self._serve(now)

    def _place(self, entry: PoolEntry, now: float) -> None:
        """Find a place for a good connection that is returning: the queue, idle, or the door.

        It is returning no longer unless it is to be closed.
        """
        if entry.generation != self.generation:
            entry.reason = self._emptied()
        elif entry.uses >= self.settings.max_uses:
            entry.reason = CloseReason.USED_UP
        elif self._slots() > self.settings.limit:
            entry.reason = CloseReason.SURPLUS
        elif self.waiters and not self.is_suspended:
            self._hand_over(entry, now)
        elif len(self.idle) < self._size:
            entry.good_until = min(now + self._look_after, entry.expires)
            entry.since = now
            entry.returning = 0
            self.pending -= 1
            if self.settings.order is Order.LIFO:
                self.idle.append(entry)
            else:
                self.idle.appendleft(entry)
        else:
            entry.reason = CloseReason.SURPLUS

    def _hand_over(self, entry: PoolEntry, now: float) -> None:
        step = Step.TAKE
        if now >= entry.expires:
            step, entry.reason = Step.REPLACE, CloseReason.STALE
        request = self.waiters[0]
        entry.returning = 0
        request.entry = entry
        request.step = step
        del self.waiters[0]
        request.waiter.wake()
        self._granted(request, entry)

    def _pass_on(self, entry: PoolEntry, now: float) -> None:
        """Turn a loan into the loan of the first in the queue: the short way of a hand-over."""
        request = self.waiters[0]
        entry.since = now
        self.released += 1
        self.acquired += 1
        request.entry = entry
        request.step = OUT
        del self.waiters[0]
        self._passed = entry
        request.waiter.wake()
        self._passed = None

    def _granted(self, request: AcquireRequest, entry: PoolEntry | None) -> None:
        if request.step is not Step.REFUSED and not request.requeued:
            self._note(EventKind.CHECKOUT_GRANTED, request, entry)

    def _begin_return(self, entry: PoolEntry) -> None:
        """Turn a loan into a reservation of the thread that gives it back."""
        self.released += 1
        entry.returning = self.released
        self.pending += 1
        del self.in_use[entry.key]

    def _doom(self, entries: list[PoolEntry], reason: CloseReason, doomed: list[PoolEntry]) -> None:
        """Turn idle connections into reservations of the thread that is to close them."""
        count = len(entries)
        going = set(map(id, entries))
        rest = deque(entry for entry in self.idle if id(entry) not in going)
        for entry in entries:
            entry.reason = reason
            entry.returning = UNNUMBERED
        self.idle = rest
        self.pending += count
        doomed += entries

    def _empty(self, reason: CloseReason, doomed: list[PoolEntry]) -> None:
        self._doom(list(self.idle), reason, doomed)
        self.generation += 1
        self._shelf = -1  # until the way was chosen anew; the long way is always right
        self._choose_way()

    def _emptied(self) -> CloseReason:
        return CloseReason.POOL_CLOSED if self.is_closed else CloseReason.POOL_CLEARED
