"""Transitions of returned connections: checked in, reset or closed.

A releaser that resets a connection first claims it: it takes the loan out of `in_use`, so that a
second release finds nothing, and resets it while it still counts as a loan. Then it checks it in.
"""

from steadypool._core.entries import OUT, PoolEntry
from steadypool._core.state import State
from steadypool.events import CloseReason, EventKind


class Checkin(State):
    """The transitions. Not thread-safe, except for `claim`: the caller holds the pool's lock."""

    __slots__ = ()

    def put_back(self, entry: PoolEntry, now: float) -> bool:
        """Make a clean connection idle if the fast path allows it, and return whether it did.

        An interrupt leaves it undone or done: if it is done, the entry is no longer `in_use`.
        """
        idle = self.idle
        if len(idle) >= self._size or entry.generation != self.fast_generation or self.waiters:
            return False  # no call comes after the look at `fast_generation`: none can re-enter
        until = now + self._check_after
        entry.good_until = until if until < entry.expires else entry.expires
        if entry.returning:
            entry.returning = 0
        else:
            del self.in_use[entry.key]
        entry.since = now
        self.released += 1
        idle.append(entry)
        return True

    def claim(self, entry: PoolEntry) -> int:
        """Take a loan out of `in_use` and return the number of the claim; 0: it is not on loan.

        Thread-safe without the lock: one statement decides which of two releasers gets it.
        """
        try:
            del self.in_use[entry.key]
        except KeyError:
            return 0
        entry.checked_in = False
        entry.claims += 1
        entry.returning = entry.claims
        return entry.claims

    def is_emptied_since(self, entry: PoolEntry) -> bool:
        """Return whether the pool was cleared or closed since a connection was opened."""
        return entry.generation < self._cleared

    def check_in(self, entry: PoolEntry, clean: bool, now: float) -> None:
        """Check in a connection on loan, claimed or not.

        If the entry is `returning` afterwards, the caller closes its connection when it has a
        `reason`, then calls `freed`. Otherwise it resets or closes it, then calls `reset` or
        `freed`. If this is interrupted, a second call completes it.
        """
        if not (entry.returning and entry.checked_in):
            if clean and self._passes(entry, now):
                self._pass_loan(entry, now)
                return
            self._begin_checkin(entry)
            self._events.record(EventKind.CHECKED_IN, entry=entry)
        if not self._is_current(entry):
            entry.reason = self._emptied_reason(entry)
        elif entry.uses >= self.settings.max_uses:
            entry.reason = CloseReason.USED_UP
        elif clean:
            self._place(entry, now)
        self._emit_events(now)

    def reset(self, entry: PoolEntry, now: float) -> bool:
        """Report that a returning connection was reset; return whether it is to be closed."""
        self._place(entry, now)
        self._emit_events(now)
        return entry.returning != 0

    def freed(self, entry: PoolEntry, now: float) -> None:
        """Report that a pending connection was closed; its slot goes to the first waiter.

        If this is interrupted, a second call completes it.
        """
        if entry.returning:
            self.open.discard(entry)
            entry.returning = 0
            self.pending -= 1
            self.closed += 1
            self.recycled += entry.reason is CloseReason.STALE
            self.ceiling.may_have_room(now)
            self._events.record(EventKind.CONNECTION_CLOSED, entry=entry, reason=entry.reason)
        self._serve(now)
        self._emit_events(now)

    def _passes(self, entry: PoolEntry, now: float) -> bool:
        fast = entry.generation == self.resting_generation
        return fast and len(self.waiters) > 0 and now < entry.expires

    def _pass_loan(self, entry: PoolEntry, now: float) -> None:
        """Hand a loan over to the first waiter: the fast path of `_hand_over`."""
        request = self.waiters[0]
        entry.since = now
        entry.borrower = None
        self.released += 1
        self.acquired += 1
        entry.returning = 0
        self.in_use[entry.key] = entry
        request.entry = entry
        request.step = OUT
        del self.waiters[0]
        request.waiter.wake()
