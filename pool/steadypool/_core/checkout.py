"""Transitions of acquires: from the request to the loan, or to its failure."""

from contextlib import suppress

from steadypool._core.entries import UNNUMBERED, WAIT, AcquireRequest, PoolEntry, Step
from steadypool._core.state import State
from steadypool.events import CloseReason, EventKind, FailReason
from steadypool.protocols import Waiter


class Checkout(State):
    """The transitions. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ()

    def take(self, now: float) -> PoolEntry | None:
        """Hand out an idle connection if the fast path allows it; else return None.

        The connection must need no check. While a connection is idle, the queue is empty.
        """
        idle = self.idle
        if not idle or self.fast_generation < 0:
            return None
        entry = idle[-1]
        if now >= entry.good_until:
            return None
        entry.since = now
        entry.borrower = None
        self.in_use[entry.key] = entry
        del idle[-1]
        self.acquired += 1
        return entry

    def start(self, request: AcquireRequest, now: float) -> None:
        """Begin an acquire: reserve a connection or a slot for it, or queue it."""
        self._requests += 1
        request.serial = self._requests
        waiters = self.waiters
        if waiters and self.resting_generation >= 0 and len(waiters) < self.settings.max_waiting:
            request.step = WAIT  # nothing is free, and the pool has no listeners
            waiters.append(request)
            return
        self._events.record(EventKind.CHECKOUT_STARTED, request)
        if self.is_closed:
            request.step = Step.REFUSED
        elif self.is_suspended or self.waiters:
            self._queue(request)
        elif self.idle and (request.waits or self._put_fresh_first(now)):
            self._reserve_idle(request, now)
        elif self._has_room(now):
            self._reserve_open(request, now)
        else:
            self._queue(request)
            if self.ceiling.is_set:
                self._keep_watch()
        self._emit_events(now)

    def retired(self, request: AcquireRequest, waiter: Waiter, now: float) -> None:
        """Report that the connection of a REPLACE was closed; the request may open another."""
        request.waiter = waiter
        entry = request.entry
        if entry is not None:
            self.open.discard(entry)
            request.entry = None
            self.pending -= 1
            self.closed += 1
            self.recycled += entry.reason is CloseReason.STALE
            self.ceiling.may_have_room(now)
            self._events.record(EventKind.CONNECTION_CLOSED, entry=entry, reason=entry.reason)
        self._queue_again(request, now)
        self._emit_events(now)

    def passed_over(self, request: AcquireRequest, waiter: Waiter, now: float) -> PoolEntry:
        """Take the connection of a REPLACE from a request that has no time for its close.

        The request looks for another one. The caller closes the connection and reports it as
        `freed`.
        """
        request.waiter = waiter
        entry = request.entry
        assert entry is not None
        entry.returning = UNNUMBERED
        request.entry = None
        self._queue_again(request, now)
        self._emit_events(now)
        return entry

    def checkout(self, request: AcquireRequest, now: float) -> None:
        """End an acquire whose step is TAKE: its connection is on loan from now on.

        If the pool was cleared or closed meanwhile, or doubts the connection, the next step is
        REPLACE instead.
        """
        entry = request.entry
        assert entry is not None
        if not self._is_current(entry):
            entry.reason = self._emptied_reason(entry)
            request.step = Step.REPLACE
            return
        entry.reason = None
        entry.uses += 1
        entry.since = now
        entry.reported = False
        entry.borrower = None
        self.pending -= 1
        self.in_use[entry.key] = entry
        self.acquired += 1
        request.step = Step.OUT
        self._events.record(EventKind.CHECKED_OUT, request, entry)
        self._emit_events(now)

    def withdraw(self, request: AcquireRequest, reason: FailReason, now: float) -> PoolEntry | None:
        """End a failed acquire at any step; nothing that it owned is lost.

        If this is interrupted, a second call completes it. Returns an entry whose connection the
        caller must close and then report as `freed`, or None.
        """
        step, entry = request.step, request.entry
        if step is Step.OUT and entry is not None:
            self._undo_checkout(entry, request)
        elif step is not Step.DONE:
            if step is Step.WAIT or step is Step.BACKOFF:
                self._leave_queue(request)
            self._free_reservation(request, step, entry)
            self._count_failure(request, reason)
        if entry is not None and entry.returning:
            self._count_created(entry)
            if entry.reason is None:
                self._place_owned(request, entry, now)
        self._serve(now)
        self._emit_events(now)
        return entry if entry is not None and entry.returning else None

    # --- parts -----------------------------------------------------------------------------------

    def _put_fresh_first(self, now: float) -> bool:
        """Make a connection that has not expired the next to be handed out; False: none is left.

        For a request that has no time to close the expired ones.
        """
        idle = self.idle
        for at in range(len(idle) - 1, -1, -1):
            entry = idle[at]
            if now < entry.expires:
                del idle[at]
                idle.append(entry)
                return True
        return False

    def _queue(self, request: AcquireRequest) -> None:
        if len(self.waiters) >= self.settings.max_waiting:
            request.refusal = FailReason.EXHAUSTED
            request.step = Step.REFUSED
            return
        request.step = Step.WAIT
        self.waiters.append(request)
        self._events.record(EventKind.CHECKOUT_QUEUED, request)

    def _leave_queue(self, request: AcquireRequest) -> None:
        with suppress(ValueError):
            (self.waiters if request.step is Step.WAIT else self.backing_off).remove(request)

    def _free_reservation(
        self, request: AcquireRequest, step: Step, entry: PoolEntry | None
    ) -> None:
        """Free the request's slot, or reserve its connection for the withdrawing thread."""
        good = step is Step.TAKE
        owns = step is Step.OPEN or step is Step.BACKOFF
        if step is Step.OPEN:
            self.connecting -= 1
        if entry is not None:
            entry.returning = UNNUMBERED
            if not good and entry.reason is None:
                entry.reason = CloseReason.ERROR
        elif owns:
            self.pending -= 1
        request.step = Step.DONE

    def _undo_checkout(self, entry: PoolEntry, request: AcquireRequest) -> None:
        """Undo a checkout whose acquire was interrupted before it could return."""
        self._begin_checkin(entry)
        if self.settings.hooked:  # the hook's transaction was for this borrower
            entry.reason = CloseReason.DIRTY
        request.step = Step.DONE
        self._events.record(EventKind.CHECKED_IN, entry=entry)

    def _count_failure(self, request: AcquireRequest, reason: FailReason) -> None:
        if request.serial:  # without one, no acquire has failed
            self.timeouts += reason is FailReason.TIMEOUT
            self._events.record(EventKind.CHECKOUT_FAILED, request, reason=reason)
