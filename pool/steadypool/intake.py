"""Transitions of what comes back: connections given back, reset or closed."""

from steadypool.events import CloseReason, EventKind
from steadypool.states import Slot
from steadypool.upkeep import Upkeep


class Intake(Upkeep):
    """The transitions. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    def check_in(self, slot: Slot, clean: bool, now: float) -> bool:
        """Take back a connection that is on loan; True when the caller has work to do.

        If the slot is `returning`, the work is to close it where it has a reason (then `freed`),
        else to reset it (then `reset`); and it may be time to `tidy`. After an exception, `salvage`
        tells whether there is work.
        """
        if clean and slot.generation == self._shelf:
            if self.waiters:
                if now < slot.expires:
                    self._pass_on(slot, now)
                    return False
            elif len(self.idle) < self._size:
                until = now + self._look_after
                slot.good_until = until if until < slot.expires else slot.expires
                slot.since = now
                self.released += 1
                del self.in_use[slot.key]
                self.idle.append(slot)
                return False
        self._begin_return(slot)
        self._note(EventKind.CHECKED_IN, slot=slot)
        if slot.generation != self.generation:
            slot.reason = self._emptied()
        elif slot.uses >= self.rules.max_uses:
            slot.reason = CloseReason.USED_UP
        elif clean and self.rules.keeps_clean:
            self._place(slot, now)
        self._tell(now)
        return slot.returning != 0 or now >= self.tidy_at

    def salvage(self, slot: Slot, now: float) -> None:
        """Finish a return that an exception cut short, in the same turn of the lock.

        The slot is `returning` afterwards if the caller is to close its connection.
        """
        if self._passed is slot:  # it is the next borrower's
            self._passed = None
        elif self.in_use.get(slot.key) is slot:
            self._begin_return(slot)
            self._note(EventKind.CHECKED_IN, slot=slot)
            self._tell(now)

    def reset(self, slot: Slot, now: float) -> bool:
        """A returning connection was reset; True if it is to be closed all the same."""
        self._place(slot, now)
        self._tell(now)
        return slot.returning != 0

    def freed(self, slot: Slot, now: float) -> None:
        """A pending connection was closed; its slot goes to the first in the queue.

        If it is interrupted, calling it again finishes the work.
        """
        if slot.returning:
            slot.returning = 0
            self.pending -= 1
            self.closed += 1
            self.recycled += slot.reason is CloseReason.STALE
            self._note(EventKind.CONNECTION_CLOSED, slot=slot, reason=slot.reason)
        self._serve(now)
        self._tell(now)
