"""Transitions of the pool as a whole: clear, close, resize, suspend, and maintenance.

A method with `to_close` appends connections that are pending now. The caller closes them outside
the lock and reports each as `freed`.
"""

from dataclasses import replace

from steadypool._core.emitter import Emitter
from steadypool._core.entries import NEVER_AGAIN, AcquireRequest, PoolEntry, Step
from steadypool._core.idle import remove_idle
from steadypool._core.state import State
from steadypool.events import CloseReason, EventKind, FailReason
from steadypool.loans import Loan
from steadypool.protocols import Waiter


class Maintenance(State):
    """The transitions. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ()

    def begin(self, now: float) -> None:
        """Report that the pool was created."""
        self.tidy_at = now + self.settings.max_idle_time
        self._events.record(EventKind.POOL_CREATED)
        self._emit_events(now)

    def clear(self, to_close: list[PoolEntry], now: float) -> None:
        """Empty the pool; connections on loan or under way are closed when they return."""
        self._events.record(EventKind.POOL_CLEARED)
        self._empty(CloseReason.POOL_CLEARED, to_close)
        self._emit_events(now)

    def leave_server(self, entry: PoolEntry, to_close: list[PoolEntry], now: float) -> bool:
        """Report that a connection's server is read-only; return whether the pool was emptied.

        The connection is never handed out again. The pool empties itself, unless it was emptied
        since this connection was opened, or has no allowance left.
        """
        if not self._is_current(entry):
            return False
        entry.generation = NEVER_AGAIN
        if not self._allowance.spend(now):
            return False
        self.clear(to_close, now)
        return True

    def close(self, to_close: list[PoolEntry], now: float) -> None:
        """Close the pool for good and refuse all waiters."""
        if not self.is_closed:
            self._events.record(EventKind.POOL_CLOSED)
            self.is_closed = True
        self._empty(CloseReason.POOL_CLOSED, to_close)
        while self.waiters:
            request = self.waiters[0]
            request.refusal = FailReason.POOL_CLOSED
            request.step = Step.REFUSED
            del self.waiters[0]
            request.waiter.wake()
        while self.backing_off:
            request = self.backing_off[0]
            del self.backing_off[0]
            request.waiter.wake()  # it reports as `backed_off` and is refused
        self._emit_events(now)

    def abandon(self, now: float) -> None:
        """Refuse all waiters, without events: a successor has taken over."""
        self._events = Emitter(None)
        self.close([], now)
        while self.drainers:
            self.drainers.pop().wake()

    def take_over(self, other: State, now: float) -> None:
        """Become the closed successor of a core whose connections are all cut off."""
        self._requests = other._requests
        self.created = self.closed = other.created
        self.acquired = self.released = other.acquired
        self.recycled, self.timeouts = other.recycled, other.timeouts
        self.validation_failures = other.validation_failures
        self.connect_failures = other.connect_failures
        self.connect_retries = other.connect_retries
        self.leaks_suspected = other.leaks_suspected
        self.is_closed = True
        if not other.is_closed:
            self._events.record(EventKind.POOL_CLOSED)
        for entry in other.in_use.values():
            self._events.record(EventKind.CHECKED_IN, entry=entry)
        for entry in other.open:
            reason = CloseReason.POOL_CLOSED
            self._events.record(EventKind.CONNECTION_CLOSED, entry=entry, reason=reason)
        self._choose_path()
        self._emit_events(now)

    def drained(self, waiter: Waiter) -> bool:
        """Return whether the closed pool has no connection left.

        If it has, the waiter is woken when the last connection is gone.
        """
        if not (self.pending or self.loans_out()):
            return True
        self.drainers.append(waiter)
        return False

    def resize(self, size: int, limit: int, to_close: list[PoolEntry], now: float) -> None:
        """Change size and limit; surplus connections on loan are closed when they return."""
        self._apply_settings(replace(self.settings, size=size, limit=limit))
        self._events.record(EventKind.POOL_RESIZED)
        surplus = max(len(self.idle) - size, min(len(self.idle), self._used_slots() - limit), 0)
        remove_idle(self, list(self.idle)[:surplus], CloseReason.SURPLUS, to_close)
        self._serve(now)
        self._emit_events(now)

    def suspend(self, now: float) -> None:
        """Hand out nothing until `resume`; acquires wait meanwhile."""
        if not self.is_suspended:
            self._events.record(EventKind.POOL_SUSPENDED)
        self.is_suspended = True
        self._choose_path()
        self._emit_events(now)

    def resume(self, now: float) -> None:
        """Hand out connections again, first to the waiters."""
        if self.is_suspended:
            self._events.record(EventKind.POOL_RESUMED)
        self.is_suspended = False
        self._choose_path()
        self._serve(now)
        self._emit_events(now)

    def settle(self, now: float) -> None:
        """After an interrupted transition, choose the path again and serve the waiters."""
        self._choose_path()
        self._serve(now)
        self._emit_events(now)

    # --- maintenance -----------------------------------------------------------------------------

    def idle_since(self) -> list[tuple[PoolEntry, float]]:
        """Return the idle connections, each with the time since which it is idle."""
        return [(entry, entry.since) for entry in self.idle]

    def tidy(
        self, dead: list[tuple[PoolEntry, float]], to_close: list[PoolEntry], now: float
    ) -> None:
        """Remove idle connections that are too old, unused for too long, or found dead.

        `dead` pairs an entry with the time since which it was idle. An entry that was on loan in
        between stays.
        """
        gone = {id(entry) for entry, since in dead if entry.since == since}
        lost = [entry for entry in self.idle if id(entry) in gone]
        remove_idle(self, lost, CloseReason.ERROR, to_close)
        self.validation_failures += len(lost)
        expired = [entry for entry in self.idle if now >= entry.expires]
        remove_idle(self, expired, CloseReason.STALE, to_close)
        remove_idle(self, self._idle_too_long(now, len(to_close)), CloseReason.IDLE, to_close)
        self.tidy_at = now + self.settings.max_idle_time / 4
        self._serve(now)
        self._emit_events(now)

    def grow(self, request: AcquireRequest, now: float) -> bool:
        """Let the pool's own request open a connection, if one is missing.

        One is missing below the minimum. While connects fail, one is also opened as a probe, to
        find out whether the server is back. After the connect, `withdraw` makes the connection
        idle or frees the slot.
        """
        missing = self._open_or_opening() < self.minimum()
        probing = self.breaker.failures > 0 and not self.idle
        if self.ceiling.is_set and not self._may_return():
            probing = now >= self.ceiling.until
        if self.is_closed or self.is_suspended or not (missing or probing):
            return False
        if not self._has_room(now) or not self.breaker.admits(now):
            return False
        self.ceiling.admitted(now)
        self.pending += 1
        self.connecting += 1
        request.generation = self.generation
        request.step = Step.OPEN
        return True

    def loans(self, now: float) -> list[Loan]:
        """Return all loans, the longest first."""
        longest_first = sorted(self.in_use.values(), key=lambda entry: entry.since)
        return [_loan(entry, now) for entry in longest_first]

    def leaks(self, now: float) -> list[Loan]:
        """Return loans longer than `leak_after`, each once."""
        found = []
        for entry in list(self.in_use.values()):
            if now - entry.since < self.settings.leak_after:
                break
            if not entry.reported:
                entry.reported = True
                self.leaks_suspected += 1
                loan = _loan(entry, now)
                found.append(loan)
                self._events.record(EventKind.LEAK_SUSPECTED, entry=entry, loan=loan)
        self._emit_events(now)
        return found

    def minimum(self) -> int:
        """Return the number of connections that maintenance keeps open."""
        return min(self.settings.min_size, self.settings.size, self.settings.limit)

    # --- parts -----------------------------------------------------------------------------------

    def _idle_too_long(self, now: float, leaving: int) -> list[PoolEntry]:
        """Return the connections unused for too long, as far as the minimum stays open."""
        spare = self._open_or_opening() - leaving - self.minimum()
        limit = self.settings.max_idle_time
        unused = [entry for entry in self.idle if now - entry.since >= limit]
        unused.sort(key=lambda entry: entry.since)
        return unused[: max(spare, 0)]

    def _open_or_opening(self) -> int:
        return self._used_slots() - len(self.backing_off)

    def _empty(self, reason: CloseReason, to_close: list[PoolEntry]) -> None:
        remove_idle(self, list(self.idle), reason, to_close)
        self.generation += 1
        self._cleared = self.generation
        self._choose_path()


def _loan(entry: PoolEntry, now: float) -> Loan:
    return Loan(entry.serial, entry.since, now - entry.since, entry.holder, entry.where)
