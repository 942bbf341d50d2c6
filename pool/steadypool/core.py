"""The pool's rules, as a plain state machine: no threads, no clock, no input or output.

A shell calls every method with its lock held, does outside the lock what a method asks for, and
reports back. The rules:

* Every connection is in one of three places: `idle`, `in_use`, or *pending*. Pending is a number
  of reserved slots: a connect, a check, a reset, a hand-over or a close under way, or the rest
  between two connects. Idle + in use + pending never exceed the limit, so no I/O needs the lock,
  and no slot has two users.
* Who finds nothing queues, and is served in order. A connection that comes back, or a slot that
  comes free, goes straight to the first in the queue. So `idle` and `waiters` are never both
  non-empty, nor is there ever a free slot while somebody waits - save while the pool is suspended,
  or as many connects are under way as may be.
* A reservation has one owner: the ticket of an acquire (see `Step`) or the thread that is to close
  or reset a connection. `withdraw` gives back whatever a ticket owns, at any step; that is what
  makes an acquire safe against any exception.
* A slot is freed only after its connection was closed, so that the server too never sees one more.
* Emptying the pool raises the generation. A connection of an earlier generation is never handed
  out, nor does it come back into the pool.

This module has the transitions of acquires; those of returns are in `intake`, those of the pool as
a whole in `upkeep`, their parts in `moves`, the state in `books`.
"""

from contextlib import suppress

from steadypool.events import CloseReason, EventKind, FailReason
from steadypool.intake import Intake
from steadypool.states import UNNUMBERED, WAIT, Slot, Step, Ticket


class Core(Intake):
    """The transitions of acquires. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    # --- acquiring -------------------------------------------------------------------------------

    def take(self, now: float) -> Slot | None:
        """Hand out an idle connection, if it needs no look and the pool nothing else; else None.

        The short way. Nobody can be waiting while a connection is idle.
        """
        idle = self.idle
        if not idle or not self._short:
            return None
        slot = idle[-1]
        if now >= slot.good_until:
            return None
        slot.since = now
        self.in_use[slot.key] = slot
        del idle[-1]
        self.acquired += 1
        return slot

    def start(self, ticket: Ticket, now: float) -> None:
        """Begin an acquire: reserve what is there for it, or put it in the queue."""
        self._tickets += 1
        ticket.serial = self._tickets
        waiters = self.waiters
        if waiters and self._short and len(waiters) < self.rules.max_waiting:
            ticket.step = WAIT  # nothing to find out, nobody to tell
            waiters.append(ticket)
            return
        self._note(EventKind.CHECKOUT_STARTED, ticket)
        if self.is_closed:
            ticket.step = Step.REFUSED
        elif self.is_suspended or self.waiters:
            self._queue(ticket)
        elif self.idle:
            self._reserve_idle(ticket, now)
        elif self._has_room():
            self._reserve_open(ticket, now)
        else:
            self._queue(ticket)
        self._tell(now)

    def checked(self, ticket: Ticket, alive: bool) -> None:
        """Say what the look at the ticket's connection found."""
        slot = ticket.slot
        assert slot is not None
        if alive:
            ticket.step = Step.TAKE
            return
        ticket.broken = True
        slot.reason = CloseReason.ERROR
        ticket.step = Step.REPLACE
        self.validation_failures += 1
        self.distrust()

    def retired(self, ticket: Ticket, now: float) -> None:
        """The connection of a REPLACE was closed; the ticket may go on to open another."""
        slot = ticket.slot
        if slot is not None:
            ticket.slot = None
            self.pending -= 1
            self.closed += 1
            self.recycled += slot.reason is CloseReason.STALE
            self._note(EventKind.CONNECTION_CLOSED, slot=slot, reason=slot.reason)
        self._queue_again(ticket, now)
        self._tell(now)

    def opened(self, ticket: Ticket, now: float) -> float | None:
        """The connection of an OPEN is there, as the ticket's slot.

        Returns for how long connects had been failing, if this is the first that did not.
        """
        slot = ticket.slot
        assert slot is not None
        slot.generation = ticket.generation
        self.connecting -= 1
        ticket.step = Step.TAKE
        outage = self.breaker.succeeded(now)
        self._count_created(slot)
        if not ticket.serial:  # nobody has asked for it
            ticket.step = Step.DONE
            slot.returning = UNNUMBERED
            self._put_away(ticket, slot, now)
        self._serve(now)
        self._tell(now)
        return outage

    def failed(self, ticket: Ticket, counts: bool, until: float | None, now: float) -> bool:
        """The connect of an OPEN failed; the ticket's next step is REST, or FAILED.

        `counts`: the server may be down. `until`: when it is worth trying again; None: never.
        Returns whether that made the breaker open.
        """
        self.connecting -= 1
        ticket.attempts += 1
        ticket.step = Step.REST  # which owns what is left of an OPEN
        self.connect_failures += 1
        opened = counts and self.breaker.failed(now)
        if until is None or ticket.attempts >= self.rules.connect_attempts or self.breaker.is_open:
            self.pending -= 1
            ticket.step = Step.FAILED
        else:
            ticket.until = until
            self.resting.append(ticket)
        self._serve(now)
        self._tell(now)
        return opened

    def rested(self, ticket: Ticket, now: float) -> None:
        """The time of a REST is over: take what came back meanwhile, or connect again."""
        with suppress(ValueError):
            self.resting.remove(ticket)
        if ticket.step is Step.REST:
            ticket.step = Step.FAILED
            self.pending -= 1
        self._queue_again(ticket, now)
        self._tell(now)

    def checkout(self, ticket: Ticket, now: float) -> None:
        """End an acquire whose step is TAKE: its connection is on loan from now on.

        Unless the pool was emptied or closed meanwhile; then its step is REPLACE.
        """
        slot = ticket.slot
        assert slot is not None
        if slot.generation != self.generation:
            slot.reason = self._emptied()
            ticket.step = Step.REPLACE
            return
        slot.reason = None
        slot.uses += 1
        slot.since = now
        slot.reported = False
        self.pending -= 1
        self.in_use[slot.key] = slot
        self.acquired += 1
        ticket.step = Step.OUT
        self._note(EventKind.CHECKED_OUT, ticket, slot)
        self._tell(now)

    def withdraw(self, ticket: Ticket, reason: FailReason, now: float) -> Slot | None:
        """End an acquire that failed at whatever step; nothing that it owned is lost.

        If it is interrupted itself, calling it again finishes the work.
        Returns a connection that the caller must close, and report as `freed`.
        """
        step, slot = ticket.step, ticket.slot
        if step is Step.OUT and slot is not None:
            self._take_back(slot, ticket)
        elif step is not Step.DONE:
            if step is Step.WAIT or step is Step.REST:
                self._forget(ticket)
            self._let_go(ticket, step, slot)
            self._count_failure(ticket, reason)
        if slot is not None and slot.returning:
            self._count_created(slot)
            if slot.reason is None:
                self._put_away(ticket, slot, now)
        self._serve(now)
        self._tell(now)
        return slot if slot is not None and slot.returning else None

    # --- parts -----------------------------------------------------------------------------------

    def _queue(self, ticket: Ticket) -> None:
        if len(self.waiters) >= self.rules.max_waiting:
            ticket.refusal = FailReason.EXHAUSTED
            ticket.step = Step.REFUSED
            return
        ticket.step = Step.WAIT
        self.waiters.append(ticket)
        self._note(EventKind.CHECKOUT_QUEUED, ticket)

    def _forget(self, ticket: Ticket) -> None:
        with suppress(ValueError):
            (self.waiters if ticket.step is Step.WAIT else self.resting).remove(ticket)

    def _let_go(self, ticket: Ticket, step: Step, slot: Slot | None) -> None:
        """Make what a ticket owns a free slot, or a reservation of the withdrawing thread."""
        good = step is Step.TAKE
        owns = step is Step.OPEN or step is Step.REST
        if step is Step.OPEN:
            self.connecting -= 1
        if slot is not None:
            slot.returning = UNNUMBERED
            if not good and slot.reason is None:
                slot.reason = CloseReason.ERROR
        elif owns:
            self.pending -= 1
        ticket.step = Step.DONE

    def _put_away(self, ticket: Ticket, slot: Slot, now: float) -> None:
        """Place a ticket's connection; once it has a place, it may be anybody's."""
        try:
            self._place(slot, now)
        finally:
            if not slot.returning:
                ticket.slot = None

    def _take_back(self, slot: Slot, ticket: Ticket) -> None:
        """Undo a checkout whose acquire was interrupted before it could return."""
        self._begin_return(slot)
        if self.rules.hooked:  # what the hook has begun was for the borrower
            slot.reason = CloseReason.DIRTY
        ticket.step = Step.DONE
        self._note(EventKind.CHECKED_IN, slot=slot)

    def _count_failure(self, ticket: Ticket, reason: FailReason) -> None:
        if ticket.serial:  # else nobody has asked
            self.timeouts += reason is FailReason.TIMEOUT
            self._note(EventKind.CHECKOUT_FAILED, ticket, reason=reason)
