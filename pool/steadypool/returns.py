"""What a return costs when it is not free, and housekeeping: resetting, closing, reporting.

A connection that is being reset or closed is a reservation of the thread that does it. Whatever is
raised meanwhile, the reservation is given back before the exception goes on.
"""

import threading
from collections.abc import Callable
from typing import Any

from steadypool import driver
from steadypool.core import Core
from steadypool.events import CloseReason
from steadypool.journal import Journal
from steadypool.opener import Opener
from steadypool.protocols import Clock
from steadypool.rules import Reset
from steadypool.states import ConnectionState, Slot


class Returns:
    """Works for one core, whose lock it shares with the pool."""

    def __init__(
        self, core: Core, lock: threading.Lock, clock: Clock, opener: Opener, journal: Journal
    ) -> None:
        self._core = core
        self._lock = lock
        self._now = clock.now
        self._waiter = clock.waiter
        self._opener = opener
        self._journal = journal

    # --- giving back -----------------------------------------------------------------------------

    def put_right(self, slot: Slot, number: int, state: ConnectionState) -> None:
        """Reset or close a connection that came back; its slot is reserved meanwhile.

        `number` is that of the return; 0: the connection has its place, and may be lent again.
        """
        if number and slot.reason is None:
            if self._restore(slot, state):
                with self._lock:
                    self._core.reset(slot, self._now())
            else:
                slot.reason = CloseReason.DIRTY
        if number and slot.returning == number:
            self._discard(slot)
        if state is ConnectionState.CLOSED:
            with self._lock:
                self._core.distrust()
        if self._now() >= self._core.tidy_at:
            self.tidy()

    def _restore(self, slot: Slot, state: ConnectionState) -> bool:
        reset = self._core.rules.reset
        if not driver.restore(slot.connection, state, reset):
            return False
        if reset is Reset.SESSION:
            try:
                self._opener.set_up(slot.connection)  # whose work the reset has undone
            except Exception:
                return False
        return True

    def rescue(self, connection: Any, slot: Slot | None, number: int) -> None:
        """After an interrupted release: close what is neither on loan nor in its place.

        `slot` is None if the connection was not looked up; it then is still the caller's. `number`
        is that of the return, 0 if it was not to be put right.
        """
        if slot is None:
            with self._lock:
                slot = self._core.in_use.get(id(connection))
                if slot is not None:
                    self._core.check_in(slot, False, self._now())
                    number = slot.returning
        if slot is not None and number and slot.returning == number:
            slot.reason = slot.reason or CloseReason.DIRTY
            self._discard(slot)

    def _discard_all(self, slots: list[Slot]) -> None:
        for slot in slots:
            if slot.returning:
                self._discard(slot)

    def _discard(self, slot: Slot) -> None:
        try:
            driver.close(slot.connection)
        finally:
            try:
                self._free(slot)
            except BaseException:  # interrupted: finish the work first
                self._free(slot)
                raise

    def _free(self, slot: Slot) -> None:
        with self._lock:
            self._core.freed(slot, self._now())

    # --- the pool as a whole ---------------------------------------------------------------------

    def change(self, move: Callable[[list[Slot], float], None]) -> None:
        """Make a move of the core that may doom connections, and close those."""
        doomed: list[Slot] = []
        try:
            with self._lock:
                move(doomed, self._now())
            self._discard_all(doomed)
        except BaseException:  # interrupted: finish the work first
            with self._lock:
                self._core.settle(self._now())
            self._discard_all(doomed)
            raise

    def tidy(self) -> None:
        """Close idle connections that are dead, too old, or unused for too long."""
        with self._lock:
            idle = [(slot, slot.since) for slot in self._core.idle]
        dead = [(slot, since) for slot, since in idle if not driver.alive(slot.connection)]
        self.change(lambda doomed, now: self._core.tidy(dead, doomed, now))

    def drain(self, deadline: float | None) -> None:
        """Wait until all is back in the closed pool; cut off what is on loan at the deadline."""
        waiter = self._waiter()
        with self._lock:
            done = self._core.drained(waiter)
        if done or waiter.wait(deadline):
            return
        with self._lock:
            late = [slot.connection for slot in self._core.in_use.values()]
        for connection in late:
            driver.cut(connection)

    def report_leaks(self) -> None:
        """Log loans that last too long, each once."""
        with self._lock:
            loans = self._core.leaks(self._now())
        self._journal.leaks_suspected(loans)
