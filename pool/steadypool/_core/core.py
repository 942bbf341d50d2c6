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

from steadypool._core.checkin import Checkin
from steadypool._core.entries import UNNUMBERED, WAIT, AcquireRequest, PoolEntry, Step
from steadypool.events import CloseReason, EventKind, FailReason


class Core(Checkin):
    """The transitions of acquires. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    # --- acquiring -------------------------------------------------------------------------------

    def take(self, now: float) -> PoolEntry | None:
        """Hand out an idle connection, if it needs no look and the pool nothing else; else None.

        The short way. Nobody can be waiting while a connection is idle.
        """
        idle = self.idle
        if not idle or not self._short:
            return None
        entry = idle[-1]
        if now >= entry.good_until:
            return None
        entry.since = now
        self.in_use[entry.key] = entry
        del idle[-1]
        self.acquired += 1
        return entry

    def start(self, request: AcquireRequest, now: float) -> None:
        """Begin an acquire: reserve what is there for it, or put it in the queue."""
        self._requests += 1
        request.serial = self._requests
        waiters = self.waiters
        if waiters and self._short and len(waiters) < self.settings.max_waiting:
            request.step = WAIT  # nothing to find out, nobody to tell
            waiters.append(request)
            return
        self._note(EventKind.CHECKOUT_STARTED, request)
        if self.is_closed:
            request.step = Step.REFUSED
        elif self.is_suspended or self.waiters:
            self._queue(request)
        elif self.idle:
            self._reserve_idle(request, now)
        elif self._has_room():
            self._reserve_open(request, now)
        else:
            self._queue(request)
        self._tell(now)

    def checked(self, request: AcquireRequest, alive: bool) -> None:
        """Say what the look at the ticket's connection found."""
        entry = request.entry
        assert entry is not None
        if alive:
            request.step = Step.TAKE
            return
        request.broken = True
        entry.reason = CloseReason.ERROR
        request.step = Step.REPLACE
        self.validation_failures += 1
        self.distrust()

    def retired(self, request: AcquireRequest, now: float) -> None:
        """The connection of a REPLACE was closed; the ticket may go on to open another."""
        entry = request.entry
        if entry is not None:
            request.entry = None
            self.pending -= 1
            self.closed += 1
            self.recycled += entry.reason is CloseReason.STALE
            self._note(EventKind.CONNECTION_CLOSED, entry=entry, reason=entry.reason)
        self._queue_again(request, now)
        self._tell(now)

    def opened(self, request: AcquireRequest, now: float) -> float | None:
        """The connection of an OPEN is there, as the ticket's slot.

        Returns for how long connects had been failing, if this is the first that did not.
        """
        entry = request.entry
        assert entry is not None
        entry.generation = request.generation
        self.connecting -= 1
        request.step = Step.TAKE
        outage = self.breaker.succeeded(now)
        self._count_created(entry)
        if not request.serial:  # nobody has asked for it
            request.step = Step.DONE
            entry.returning = UNNUMBERED
            self._put_away(request, entry, now)
        self._serve(now)
        self._tell(now)
        return outage

    def failed(
        self, request: AcquireRequest, counts: bool, until: float | None, now: float
    ) -> bool:
        """The connect of an OPEN failed; the ticket's next step is REST, or FAILED.

        `counts`: the server may be down. `until`: when it is worth trying again; None: never.
        Returns whether that made the breaker open.
        """
        self.connecting -= 1
        request.attempts += 1
        request.step = Step.REST  # which owns what is left of an OPEN
        self.connect_failures += 1
        opened = counts and self.breaker.failed(now)
        if (
            until is None
            or request.attempts >= self.settings.connect_attempts
            or self.breaker.is_open
        ):
            self.pending -= 1
            request.step = Step.FAILED
        else:
            request.until = until
            self.resting.append(request)
        self._serve(now)
        self._tell(now)
        return opened

    def rested(self, request: AcquireRequest, now: float) -> None:
        """The time of a REST is over: take what came back meanwhile, or connect again."""
        with suppress(ValueError):
            self.resting.remove(request)
        if request.step is Step.REST:
            request.step = Step.FAILED
            self.pending -= 1
        self._queue_again(request, now)
        self._tell(now)

    def checkout(self, request: AcquireRequest, now: float) -> None:
        """End an acquire whose step is TAKE: its connection is on loan from now on.

        Unless the pool was emptied or closed meanwhile; then its step is REPLACE.
        """
        entry = request.entry
        assert entry is not None
        if entry.generation != self.generation:
            entry.reason = self._emptied()
            request.step = Step.REPLACE
            return
        entry.reason = None
        entry.uses += 1
        entry.since = now
        entry.reported = False
        self.pending -= 1
        self.in_use[entry.key] = entry
        self.acquired += 1
        request.step = Step.OUT
        self._note(EventKind.CHECKED_OUT, request, entry)
        self._tell(now)

    def withdraw(self, request: AcquireRequest, reason: FailReason, now: float) -> PoolEntry | None:
        """End an acquire that failed at whatever step; nothing that it owned is lost.

        If it is interrupted itself, calling it again finishes the work.
        Returns a connection that the caller must close, and report as `freed`.
        """
        step, entry = request.step, request.entry
        if step is Step.OUT and entry is not None:
            self._take_back(entry, request)
        elif step is not Step.DONE:
            if step is Step.WAIT or step is Step.REST:
                self._forget(request)
            self._let_go(request, step, entry)
            self._count_failure(request, reason)
        if entry is not None and entry.returning:
            self._count_created(entry)
            if entry.reason is None:
                self._put_away(request, entry, now)
        self._serve(now)
        self._tell(now)
        return entry if entry is not None and entry.returning else None

    # --- parts -----------------------------------------------------------------------------------

    def _queue(self, request: AcquireRequest) -> None:
        if len(self.waiters) >= self.settings.max_waiting:
            request.refusal = FailReason.EXHAUSTED
            request.step = Step.REFUSED
            return
        request.step = Step.WAIT
        self.waiters.append(request)
        self._note(EventKind.CHECKOUT_QUEUED, request)

    def _forget(self, request: AcquireRequest) -> None:
        with suppress(ValueError):
            (self.waiters if request.step is Step.WAIT else self.resting).remove(request)

    def _let_go(self, request: AcquireRequest, step: Step, entry: PoolEntry | None) -> None:
        """Make what a ticket owns a free slot, or a reservation of the withdrawing thread."""
        good = step is Step.TAKE
        owns = step is Step.OPEN or step is Step.REST
        if step is Step.OPEN:
            self.connecting -= 1
        if entry is not None:
            entry.returning = UNNUMBERED
            if not good and entry.reason is None:
                entry.reason = CloseReason.ERROR
        elif owns:
            self.pending -= 1
        request.step = Step.DONE

    def _put_away(self, request: AcquireRequest, entry: PoolEntry, now: float) -> None:
        """Place a ticket's connection; once it has a place, it may be anybody's."""
        try:
            self._place(entry, now)
        finally:
            if not entry.returning:
                request.entry = None

    def _take_back(self, entry: PoolEntry, request: AcquireRequest) -> None:
        """Undo a checkout whose acquire was interrupted before it could return."""
        self._begin_return(entry)
        if self.settings.hooked:  # what the hook has begun was for the borrower
            entry.reason = CloseReason.DIRTY
        request.step = Step.DONE
        self._note(EventKind.CHECKED_IN, entry=entry)

    def _count_failure(self, request: AcquireRequest, reason: FailReason) -> None:
        if request.serial:  # else nobody has asked
            self.timeouts += reason is FailReason.TIMEOUT
            self._note(EventKind.CHECKOUT_FAILED, request, reason=reason)
