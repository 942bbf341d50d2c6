"""Transitions of what comes back: connections given back, reset or closed."""

from steadypool._core.entries import PoolEntry
from steadypool._core.maintenance import Maintenance
from steadypool.events import CloseReason, EventKind


class Checkin(Maintenance):
    """The transitions. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    def check_in(self, entry: PoolEntry, clean: bool, now: float) -> bool:
        """Take back a connection that is on loan; True when the caller has work to do.

        If the slot is `returning`, the work is to close it where it has a reason (then `freed`),
        else to reset it (then `reset`); and it may be time to `tidy`. After an exception, `salvage`
        tells whether there is work.
        """
        if clean and entry.generation == self._shelf:
            if self.waiters:
                if now < entry.expires:
                    self._pass_on(entry, now)
                    return False
            elif len(self.idle) < self._size:
                until = now + self._look_after
                entry.good_until = until if until < entry.expires else entry.expires
                entry.since = now
                self.released += 1
                del self.in_use[entry.key]
                self.idle.append(entry)
                return False
        self._begin_return(entry)
        self._note(EventKind.CHECKED_IN, entry=entry)
        if entry.generation != self.generation:
            entry.reason = self._emptied()
        elif entry.uses >= self.settings.max_uses:
            entry.reason = CloseReason.USED_UP
        elif clean and self.settings.keeps_clean:
            self._place(entry, now)
        self._tell(now)
        return entry.returning != 0 or now >= self.tidy_at

    def salvage(self, entry: PoolEntry, now: float) -> None:
        """Finish a return that an exception cut short, in the same turn of the lock.

        The slot is `returning` afterwards if the caller is to close its connection.
        """
        if self._passed is entry:  # it is the next borrower's
            self._passed = None
        elif self.in_use.get(entry.key) is entry:
            self._begin_return(entry)
            self._note(EventKind.CHECKED_IN, entry=entry)
            self._tell(now)

    def reset(self, entry: PoolEntry, now: float) -> bool:
        """A returning connection was reset; True if it is to be closed all the same."""
        self._place(entry, now)
        self._tell(now)
        return entry.returning != 0

    def freed(self, entry: PoolEntry, now: float) -> None:
        """A pending connection was closed; its slot goes to the first in the queue.

        If it is interrupted, calling it again finishes the work.
        """
        if entry.returning:
            entry.returning = 0
            self.pending -= 1
            self.closed += 1
            self.recycled += entry.reason is CloseReason.STALE
            self._note(EventKind.CONNECTION_CLOSED, entry=entry, reason=entry.reason)
        self._serve(now)
        self._tell(now)
