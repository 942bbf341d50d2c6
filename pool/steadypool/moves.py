"""The moves that the pool's transitions are made of.

Whoever gives something up calls `_serve` afterwards, which gives it to the first in the queue. It
brings the queue up to date from whatever state, so after an interruption it is simply called again.

A signal can raise between two calls, never between the plain assignments of a move: they are
written without calls for that reason (`del queue[0]`, not `popleft()`), and a waiter is woken last.
"""

from collections import deque

from steadypool.books import Books
from steadypool.events import CloseReason, EventKind, FailReason
from steadypool.rules import Order
from steadypool.states import OUT, UNNUMBERED, Slot, Step, Ticket


class Moves(Books):
    """Parts of transitions. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    def _serve(self, now: float) -> None:
        """Give those who wait what there is to give; does nothing the second time."""
        if self._shrinking:
            self._choose_way()
        while self.waiters and not self.is_suspended:
            ticket = self.waiters[0]
            if self.idle:
                self._reserve_idle(ticket, now)
            elif self._has_room():
                self._reserve_open(ticket, now)
            else:
                return
            slot = ticket.slot  # who is awake may put another there
            del self.waiters[0]
            ticket.waiter.wake()
            self._granted(ticket, slot)
        while self.drainers and not (self.pending or self.in_use):
            waiter = self.drainers[0]
            del self.drainers[0]
            waiter.wake()

    def _has_room(self) -> bool:
        return self._slots() < self.rules.limit and self.connecting < self.rules.max_connecting

    def _reserve_idle(self, ticket: Ticket, now: float) -> None:
        slot = self.idle[-1]
        step = Step.TAKE
        if now >= slot.expires:
            step, slot.reason = Step.REPLACE, CloseReason.STALE
        elif now >= slot.since + self.rules.validate_after:
            step = Step.VALIDATE
        elif now >= slot.good_until:
            step = Step.CHECK
        ticket.slot, ticket.step = slot, step
        self.pending += 1
        del self.idle[-1]

    def _reserve_open(self, ticket: Ticket, now: float) -> None:
        """Let a ticket connect, unless that is known to be no use. There must be room."""
        if self.breaker.admits(now):
            self.pending += 1
            self.connecting += 1
            self.connect_retries += ticket.attempts > 0
            ticket.generation = self.generation
            ticket.step = Step.OPEN
        else:
            ticket.refusal = FailReason.UNAVAILABLE
            ticket.step = Step.REFUSED

    def _queue_again(self, ticket: Ticket, now: float) -> None:
        """Put a ticket that has given up its slot at its place in the queue, and serve that."""
        if self.is_closed:
            ticket.step = Step.REFUSED
        else:
            place = sum(other.serial < ticket.serial for other in self.waiters)
            ticket.requeued = True
            ticket.step = Step.WAIT
            self.waiters.insert(place, ticket)
        self._serve(now)

    def _place(self, slot: Slot, now: float) -> None:
        """Find a place for a good connection that is returning: the queue, idle, or the door.

        It is returning no longer unless it is to be closed.
        """
        if slot.generation != self.generation:
            slot.reason = self._emptied()
        elif slot.uses >= self.rules.max_uses:
            slot.reason = CloseReason.USED_UP
        elif self._slots() > self.rules.limit:
            slot.reason = CloseReason.SURPLUS
        elif self.waiters and not self.is_suspended:
            self._hand_over(slot, now)
        elif len(self.idle) < self._size:
            slot.good_until = min(now + self._look_after, slot.expires)
            slot.since = now
            slot.returning = 0
            self.pending -= 1
            if self.rules.order is Order.LIFO:
                self.idle.append(slot)
            else:
                self.idle.appendleft(slot)
        else:
            slot.reason = CloseReason.SURPLUS

    def _hand_over(self, slot: Slot, now: float) -> None:
        step = Step.TAKE
        if now >= slot.expires:
            step, slot.reason = Step.REPLACE, CloseReason.STALE
        ticket = self.waiters[0]
        slot.returning = 0
        ticket.slot = slot
        ticket.step = step
        del self.waiters[0]
        ticket.waiter.wake()
        self._granted(ticket, slot)

    def _pass_on(self, slot: Slot, now: float) -> None:
        """Turn a loan into the loan of the first in the queue: the short way of a hand-over."""
        ticket = self.waiters[0]
        slot.since = now
        self.released += 1
        self.acquired += 1
        ticket.slot = slot
        ticket.step = OUT
        del self.waiters[0]
        self._passed = slot
        ticket.waiter.wake()
        self._passed = None

    def _granted(self, ticket: Ticket, slot: Slot | None) -> None:
        if ticket.step is not Step.REFUSED and not ticket.requeued:
            self._note(EventKind.CHECKOUT_GRANTED, ticket, slot)

    def _begin_return(self, slot: Slot) -> None:
        """Turn a loan into a reservation of the thread that gives it back."""
        self.released += 1
        slot.returning = self.released
        self.pending += 1
        del self.in_use[slot.key]

    def _doom(self, slots: list[Slot], reason: CloseReason, doomed: list[Slot]) -> None:
        """Turn idle connections into reservations of the thread that is to close them."""
        count = len(slots)
        going = set(map(id, slots))
        rest = deque(slot for slot in self.idle if id(slot) not in going)
        for slot in slots:
            slot.reason = reason
            slot.returning = UNNUMBERED
        self.idle = rest
        self.pending += count
        doomed += slots

    def _empty(self, reason: CloseReason, doomed: list[Slot]) -> None:
        self._doom(list(self.idle), reason, doomed)
        self.generation += 1
        self._shelf = -1  # until the way was chosen anew; the long way is always right
        self._choose_way()

    def _emptied(self) -> CloseReason:
        return CloseReason.POOL_CLOSED if self.is_closed else CloseReason.POOL_CLEARED
