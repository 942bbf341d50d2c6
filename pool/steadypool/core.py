"""The pool's rules, as a plain state machine: no threads, no clock, no input or output.

A shell calls every method with its lock held, does outside the lock what a method asks for, and
reports back. The rules:

* Every connection is in one of three places: `idle`, `in_use`, or *pending*. Pending is a number
  of reserved slots: a connect, a check, a reset, a hand-over or a close under way. Idle + in use +
  pending never exceed the limit, so no I/O needs the lock, and no slot has two users.
* Who finds nothing queues, and is served in order. A connection that comes back, or a slot that
  comes free, goes straight to the first in the queue. So `idle` and `waiters` are never both
  non-empty, nor is there ever a free slot while somebody waits.
* A reservation has one owner: the ticket of an acquire (steps TAKE, CHECK, REPLACE, OPEN) or the
  thread that is to close or reset a connection. `withdraw` gives back whatever a ticket owns, at
  any step; that is what makes an acquire safe against any exception.
* A slot is freed only after its connection was closed, so that the server too never sees one more.
* Emptying the pool raises the generation. A connection of an earlier generation never comes back
  into the pool.

A signal can raise between two calls, never between the plain assignments of a transition: the
moves are written without calls for that reason (`del queue[0]`, not `popleft()`), and a waiter is
woken last.
"""

from collections import deque
from contextlib import suppress

from steadypool.books import Books
from steadypool.events import CloseReason, EventKind, FailReason
from steadypool.states import Slot, Step, Ticket


class Core(Books):
    """The transitions. Not thread-safe: the caller holds its lock."""

    # --- acquiring -------------------------------------------------------------------------------

    def take(self, now: float) -> Slot | None:
        """Hand out the idle connection used last, if it needs no look; else None.

        The short way for a pool without listeners. Nobody can be waiting while one is idle.
        """
        idle = self.idle
        if not idle:
            return None
        slot = idle[-1]
        if now >= slot.good_until:
            return None
        self.in_use[slot.key] = slot
        del idle[-1]
        self.acquired += 1
        return slot

    def start(self, ticket: Ticket, now: float) -> None:
        """Begin an acquire: reserve what is there for it, or put it in the queue."""
        self._tickets += 1
        ticket.serial = self._tickets
        ticket.generation = self.generation
        self._note(EventKind.CHECKOUT_STARTED, ticket)
        if self.is_closed:
            ticket.step = Step.REFUSED
        elif self.idle:
            self._reserve_idle(ticket, now)
        elif self._slots() < self.rules.limit:
            self.pending += 1
            ticket.step = Step.OPEN
        else:
            ticket.step = Step.WAIT
            self.waiters.append(ticket)
            self._note(EventKind.CHECKOUT_QUEUED, ticket)
        self._tell(now)

    def checkout(self, ticket: Ticket, now: float) -> None:
        """End an acquire whose step is TAKE: its connection is on loan from now on."""
        slot = ticket.slot
        assert slot is not None
        if self.is_closed:
            raise self.closed_error()
        self.pending -= 1
        self.in_use[slot.key] = slot
        self.acquired += 1
        ticket.step = Step.OUT
        self._note(EventKind.CHECKED_OUT, ticket, slot)
        self._tell(now)

    def checked(self, ticket: Ticket, alive: bool, now: float) -> None:
        """Say what the check found: the connection is taken, or is to be replaced."""
        slot = ticket.slot
        assert slot is not None
        if alive and slot.generation == self.generation:
            ticket.step = Step.TAKE
            self.checkout(ticket, now)
            return
        slot.reason = CloseReason.ERROR if not alive else self._emptied()
        ticket.step = Step.REPLACE

    def retired(self, ticket: Ticket, now: float) -> None:
        """The connection of a REPLACE was closed; its slot waits for another."""
        slot = ticket.slot
        assert slot is not None
        self.closed += 1
        self.recycled += slot.reason is CloseReason.STALE
        ticket.slot = None
        ticket.step = Step.OPEN
        ticket.generation = self.generation
        self._note(EventKind.CONNECTION_CLOSED, slot=slot, reason=slot.reason)
        self._tell(now)
        if self.is_closed:
            raise self.closed_error()

    def opened(self, ticket: Ticket, now: float) -> None:
        """The connection of an OPEN is there, as the ticket's slot; take it."""
        self._register(ticket)
        ticket.step = Step.TAKE
        self._tell(now)
        self.checkout(ticket, now)

    def withdraw(self, ticket: Ticket, reason: FailReason, now: float) -> Slot | None:
        """End an acquire that failed at whatever step; nothing that it owned is lost.

        If it is interrupted itself, calling it again finishes the work.
        Returns a connection that the caller must close, and report as `freed`.
        """
        step, slot = ticket.step, ticket.slot
        if step is Step.DONE:
            return _to_close(slot)
        if step is Step.OUT:
            return self._take_back(ticket, now)
        if step is Step.WAIT:
            with suppress(ValueError):
                self.waiters.remove(ticket)
        heir = self._pass_slot_on() if step is Step.OPEN and slot is None else None
        if slot is not None:
            slot.returning = True
        ticket.step = Step.DONE
        self.timeouts += reason is FailReason.TIMEOUT
        if heir is not None:
            heir.waiter.wake()
            self._note(EventKind.CHECKOUT_GRANTED, heir)
        if slot is not None:
            self._give_up(slot, step, ticket, now)
        self._note(EventKind.CHECKOUT_FAILED, ticket, reason=reason)
        self._tell(now)
        return _to_close(slot)

    # --- giving back -----------------------------------------------------------------------------

    def check_in(self, slot: Slot, clean: bool, now: float) -> bool:
        """Take back a connection that is on loan; True when the caller has work to do.

        The work: to close it where the slot has a reason (then `freed`), else to reset it (then
        `reset`). After an exception, `salvage` tells whether there is work.
        """
        if (
            clean
            and not self.waiters
            and slot.generation == self.generation
            and not self._listeners
            and len(self.idle) < self._size
        ):
            until = now + self._check_after
            slot.good_until = until if until < slot.expires else slot.expires
            self.released += 1
            del self.in_use[slot.key]
            self.idle.append(slot)
            return False
        self._begin_return(slot)
        self._note(EventKind.CHECKED_IN, slot=slot)
        if clean:
            self._place(slot, now)
        elif slot.generation != self.generation:
            slot.reason = self._emptied()
        self._tell(now)
        return slot.returning

    def salvage(self, slot: Slot, now: float) -> None:
        """Finish a return that an exception cut short, in the same turn of the lock.

        The slot is `returning` afterwards if the caller is to close its connection.
        """
        if self.in_use.get(slot.key) is slot:
            self._begin_return(slot)
            self._note(EventKind.CHECKED_IN, slot=slot)
            self._tell(now)

    def reset(self, slot: Slot, now: float) -> bool:
        """A returning connection was rolled back; True if it is to be closed all the same."""
        self._place(slot, now)
        self._tell(now)
        return slot.returning

    def freed(self, slot: Slot, now: float) -> None:
        """A pending connection was closed; its slot goes to the first in the queue."""
        heir = self._pass_slot_on()
        slot.returning = False
        self.closed += 1
        self.recycled += slot.reason is CloseReason.STALE
        if heir is not None:
            heir.waiter.wake()
        self._note(EventKind.CONNECTION_CLOSED, slot=slot, reason=slot.reason)
        if heir is not None:
            self._note(EventKind.CHECKOUT_GRANTED, heir)
        self._tell(now)

    # --- the pool as a whole ---------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """Tell that the pool was made."""
        self._note(EventKind.POOL_CREATED)
        self._tell(now)

    def add_idle(self, slot: Slot, now: float) -> None:
        """Put a new connection in, before the pool is used."""
        self._count_created(slot)
        slot.good_until = min(now + self._check_after, slot.expires)
        self.idle.append(slot)
        self._tell(now)

    def clear(self, doomed: list[Slot], now: float) -> None:
        """Empty the pool; adds pending connections to `doomed`, to be closed and then `freed`."""
        self._note(EventKind.POOL_CLEARED)
        self._empty(CloseReason.POOL_CLEARED, doomed)
        self._tell(now)

    def close(self, doomed: list[Slot], now: float) -> None:
        """Close the pool for good and refuse all who wait; `doomed` as in `clear`."""
        if not self.is_closed:
            self._note(EventKind.POOL_CLOSED)
            self.is_closed = True
        self._empty(CloseReason.POOL_CLOSED, doomed)
        while self.waiters:
            ticket = self.waiters[0]
            ticket.step = Step.REFUSED
            del self.waiters[0]
            ticket.waiter.wake()
        self._tell(now)

    # --- moves -----------------------------------------------------------------------------------

    def _reserve_idle(self, ticket: Ticket, now: float) -> None:
        slot = self.idle[-1]
        step = Step.TAKE
        if now >= slot.expires:
            step, slot.reason = Step.REPLACE, CloseReason.STALE
        elif now >= slot.good_until:
            step = Step.CHECK
        ticket.slot, ticket.step = slot, step
        del self.idle[-1]
        self.pending += 1

    def _begin_return(self, slot: Slot) -> None:
        """Turn a loan into a reservation of the thread that gives it back."""
        slot.returning = True
        self.pending += 1
        self.released += 1
        del self.in_use[slot.key]

    def _take_back(self, ticket: Ticket, now: float) -> Slot | None:
        """Undo a checkout whose acquire was interrupted before it could return."""
        slot = ticket.slot
        assert slot is not None
        self._begin_return(slot)
        ticket.step = Step.DONE
        self._note(EventKind.CHECKED_IN, slot=slot)
        self._place(slot, now)
        self._tell(now)
        return _to_close(slot)

    def _give_up(self, slot: Slot, step: Step, ticket: Ticket, now: float) -> None:
        """Find out what becomes of the connection of an acquire that failed."""
        if step is Step.TAKE:
            self._place(slot, now)
            return
        if step is Step.OPEN:  # opened, but not yet reported
            self._register(ticket)
        slot.reason = slot.reason or (self._emptied() if self.is_closed else CloseReason.ERROR)

    def _place(self, slot: Slot, now: float) -> None:
        """Find a place for a good, pending connection: the queue, idle, or the door."""
        if slot.generation != self.generation:
            slot.reason, slot.returning = self._emptied(), True
        elif self.waiters:
            self._hand_over(slot, now)
        elif len(self.idle) < self._size:
            slot.good_until = min(now + self._check_after, slot.expires)
            slot.returning = False
            self.pending -= 1
            self.idle.append(slot)
        else:
            slot.reason, slot.returning = CloseReason.SURPLUS, True

    def _hand_over(self, slot: Slot, now: float) -> None:
        step = Step.TAKE
        if now >= slot.expires:
            step, slot.reason = Step.REPLACE, CloseReason.STALE
        ticket = self.waiters[0]
        slot.returning = False
        ticket.slot = slot
        ticket.step = step
        del self.waiters[0]
        ticket.waiter.wake()
        self._note(EventKind.CHECKOUT_GRANTED, ticket, slot)

    def _pass_slot_on(self) -> Ticket | None:
        """Give up a reservation; returns the first in the queue, to be woken, if it inherits."""
        if not self.waiters:
            self.pending -= 1
            return None
        ticket = self.waiters[0]
        ticket.generation = self.generation
        ticket.step = Step.OPEN
        del self.waiters[0]
        return ticket

    def _empty(self, reason: CloseReason, doomed: list[Slot]) -> None:
        slots, nothing = list(self.idle), deque[Slot]()
        count = len(slots)
        for slot in slots:
            slot.reason = reason
            slot.returning = True
        self.idle = nothing
        self.pending += count
        self.generation += 1
        doomed += slots

    def _emptied(self) -> CloseReason:
        return CloseReason.POOL_CLOSED if self.is_closed else CloseReason.POOL_CLEARED


def _to_close(slot: Slot | None) -> Slot | None:
    return slot if slot is not None and slot.returning else None
