"""Transitions of the pool as a whole: emptied, closed, resized, suspended, looked after.

A method with `doomed` adds to it connections that are pending now; the caller closes them outside
the lock, and reports each as `freed`.
"""

import math
from dataclasses import replace

from steadypool._core.entries import AcquireRequest, PoolEntry, Step
from steadypool._core.queue import Queue
from steadypool.events import CloseReason, EventKind, FailReason
from steadypool.loans import Loan
from steadypool.protocols import Waiter


class Maintenance(Queue):
    """The transitions. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    def begin(self, now: float) -> None:
        """Tell that the pool was made."""
        self.tidy_at = now + self.settings.max_idle_time
        self._note(EventKind.POOL_CREATED)
        self._tell(now)

    def clear(self, doomed: list[PoolEntry], now: float) -> None:
        """Empty the pool; what is on loan or under way is closed when it comes back."""
        self._note(EventKind.POOL_CLEARED)
        self._empty(CloseReason.POOL_CLEARED, doomed)
        self._tell(now)

    def close(self, doomed: list[PoolEntry], now: float) -> None:
        """Close the pool for good and refuse all who wait."""
        if not self.is_closed:
            self._note(EventKind.POOL_CLOSED)
            self.is_closed = True
        self._empty(CloseReason.POOL_CLOSED, doomed)
        while self.waiters:
            request = self.waiters[0]
            request.refusal = FailReason.POOL_CLOSED
            request.step = Step.REFUSED
            del self.waiters[0]
            request.waiter.wake()
        while self.resting:
            request = self.resting[0]
            del self.resting[0]
            request.waiter.wake()  # it reports as `rested`, and is refused
        self._tell(now)

    def drained(self, waiter: Waiter) -> bool:
        """Say whether nothing is left of the closed pool; if something is, have the waiter woken
        when the last has gone."""
        if not (self.pending or self.in_use):
            return True
        self.drainers.append(waiter)
        return False

    def resize(self, size: int, limit: int, doomed: list[PoolEntry], now: float) -> None:
        """Go by another size and limit; what is too much on loan is closed as it comes back."""
        self._go_by(replace(self.settings, size=size, limit=limit))
        self._note(EventKind.POOL_RESIZED)
        surplus = max(len(self.idle) - size, min(len(self.idle), self._slots() - limit), 0)
        self._doom(list(self.idle)[:surplus], CloseReason.SURPLUS, doomed)
        self._serve(now)
        self._tell(now)

    def suspend(self, now: float) -> None:
        """Hand out nothing until `resume`; who asks meanwhile waits."""
        if not self.is_suspended:
            self._note(EventKind.POOL_SUSPENDED)
        self.is_suspended = True
        self._choose_way()
        self._tell(now)

    def resume(self, now: float) -> None:
        """Serve again, those who waited first."""
        if self.is_suspended:
            self._note(EventKind.POOL_RESUMED)
        self.is_suspended = False
        self._choose_way()
        self._serve(now)
        self._tell(now)

    def settle(self, now: float) -> None:
        """After a move that was cut short: find the way, and serve who waits."""
        self._choose_way()
        self._serve(now)
        self._tell(now)

    # --- housekeeping ----------------------------------------------------------------------------

    def distrust(self) -> None:
        """A connection was lost: look at every idle one before it is handed out."""
        for entry in self.idle:
            entry.good_until = -math.inf

    def tidy(
        self, dead: list[tuple[PoolEntry, float]], doomed: list[PoolEntry], now: float
    ) -> None:
        """Take idle connections away: too old, unused for too long, or found dead.

        `dead` are such with the moment since when they were idle; what has been lent since then
        is left alone.
        """
        gone = {id(entry) for entry, since in dead if entry.since == since}
        lost = [entry for entry in self.idle if id(entry) in gone]
        self._doom(lost, CloseReason.ERROR, doomed)
        self.validation_failures += len(lost)
        self._doom([s for s in self.idle if now >= s.expires], CloseReason.STALE, doomed)
        self._doom(self._idle_for_long(now, len(doomed)), CloseReason.IDLE, doomed)
        self.tidy_at = now + self.settings.max_idle_time / 4
        self._serve(now)
        self._tell(now)

    def grow(self, request: AcquireRequest, now: float) -> bool:
        """Let a ticket open a connection that nobody asked for, if one is missing.

        One is missing below the minimum, and, to find out whether the server is back, while
        connects fail. When it is open or has failed, `withdraw` puts everything in its place.
        """
        missing = self._open_or_opening() < self.minimum()
        probing = self.breaker.failures > 0 and not self.idle
        if self.is_closed or self.is_suspended or not (missing or probing):
            return False
        if not self._has_room() or not self.breaker.admits(now):
            return False
        self.pending += 1
        self.connecting += 1
        request.generation = self.generation
        request.step = Step.OPEN
        return True

    def loans(self, now: float) -> list[Loan]:
        """Return what is on loan, the longest loan first."""
        longest_first = sorted(self.in_use.values(), key=lambda entry: entry.since)
        return [_loan(entry, now) for entry in longest_first]

    def leaks(self, now: float) -> list[Loan]:
        """Report loans that last too long, each once."""
        found = []
        for entry in self.in_use.values():
            if now - entry.since < self.settings.leak_after:
                break
            if not entry.reported:
                entry.reported = True
                self.leaks_suspected += 1
                loan = _loan(entry, now)
                found.append(loan)
                self._note(EventKind.LEAK_SUSPECTED, entry=entry, loan=loan)
        self._tell(now)
        return found

    def _idle_for_long(self, now: float, leaving: int) -> list[PoolEntry]:
        """Those unused for too long, as far as more than the minimum stay open."""
        spare = self._open_or_opening() - leaving - self.minimum()
        unused = [s for s in self.idle if now - s.since >= self.settings.max_idle_time]
        unused.sort(key=lambda entry: entry.since)
        return unused[: max(spare, 0)]

    def minimum(self) -> int:
        """Return how many connections there should be at least."""
        return min(self.settings.min_size, self.settings.size, self.settings.limit)

    def _open_or_opening(self) -> int:
        return self._slots() - len(self.resting)


def _loan(entry: PoolEntry, now: float) -> Loan:
    return Loan(entry.serial, entry.since, now - entry.since, entry.holder, entry.where)
