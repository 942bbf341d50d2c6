"""Transitions of returned connections: checked in, reset or closed."""

from steadypool._core.entries import OUT, PoolEntry
from steadypool._core.state import State
from steadypool.events import CloseReason, EventKind


class Checkin(State):
    """The transitions. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ()

    def check_in(self, entry: PoolEntry, clean: bool, now: float) -> bool:
        """Check in a connection that is on loan; return whether the caller has work to do.

        If the entry is `returning`, the caller closes its connection when it has a `reason` (then
        calls `freed`), and otherwise resets it (then calls `reset`). It may also be time to `tidy`.
        If this raises, the caller calls `salvage`.
        """
        if clean and entry.generation == self._fast_generation:
            if self.waiters:
                if now < entry.expires:
                    self._pass_loan(entry, now)
                    return False
            elif len(self.idle) < self._size:
                until = now + self._check_after
                entry.good_until = until if until < entry.expires else entry.expires
                entry.since = now
                self.released += 1
                del self.in_use[entry.key]
                self.idle.append(entry)
                return False
        self._begin_checkin(entry)
        self._events.record(EventKind.CHECKED_IN, entry=entry)
        if not self._is_current(entry):
            entry.reason = self._emptied_reason(entry)
        elif entry.uses >= self.settings.max_uses:
            entry.reason = CloseReason.USED_UP
        elif clean and self.settings.keeps_clean:
            self._place(entry, now)
        self._emit_events(now)
        return entry.returning != 0 or now >= self.tidy_at

    def salvage(self, entry: PoolEntry, now: float) -> None:
        """Complete a checkin that an exception interrupted, before the lock is released.

        If the entry is `returning` afterwards, the caller closes its connection.
        """
        if self._handed_over is entry:  # already on loan to the next borrower
            self._handed_over = None
        elif self.in_use.get(entry.key) is entry:
            self._begin_checkin(entry)
            self._events.record(EventKind.CHECKED_IN, entry=entry)
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
            entry.returning = 0
            self.pending -= 1
            self.closed += 1
            self.recycled += entry.reason is CloseReason.STALE
            self.ceiling.may_have_room(now)
            self._events.record(EventKind.CONNECTION_CLOSED, entry=entry, reason=entry.reason)
        self._serve(now)
        self._emit_events(now)

    def _pass_loan(self, entry: PoolEntry, now: float) -> None:
        """Hand a loan over to the first waiter: the fast path of `_hand_over`."""
        request = self.waiters[0]
        entry.since = now
        entry.borrower = None
        self.released += 1
        self.acquired += 1
        request.entry = entry
        request.step = OUT
        del self.waiters[0]
        self._handed_over = entry
        request.waiter.wake()
        self._handed_over = None
