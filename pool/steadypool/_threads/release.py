"""The slow path of a release, and maintenance: resetting, closing and reporting.

A connection that is being reset or closed is a reservation of the thread that does so. If anything
raises meanwhile, the reservation is freed before the exception propagates.
"""

import math
import threading
from collections.abc import Callable
from typing import Any

from steadypool._common.log import PoolLog
from steadypool._core.core import Core
from steadypool._core.entries import Answer, ConnectionState, PoolEntry
from steadypool._core.settings import Reset
from steadypool._drivers import dbapi as driver
from steadypool._drivers import round_trips
from steadypool._threads.connect import Opener
from steadypool.events import CloseReason
from steadypool.protocols import Clock

_CLEAN = ConnectionState.CLEAN


class Releasing:
    """Resets and closes the connections of one core, whose lock it shares with the pool."""

    def __init__(
        self, core: Core, lock: threading.Lock, clock: Clock, opener: Opener, log: PoolLog
    ) -> None:
        self._core = core
        self._lock = lock
        self._now = clock.now
        self._waiter = clock.waiter
        self._opener = opener
        self._log = log

    # --- releasing -------------------------------------------------------------------------------

    def finish_release(self, entry: PoolEntry, number: int, state: ConnectionState) -> None:
        """Reset or close a returned connection; its slot stays reserved until that is done.

        `number` is that of the checkin; 0: the connection is placed and may be on loan again.
        """
        if state is ConnectionState.READ_ONLY:
            self.leave_read_only(entry)
        self.note_loss(entry)
        if number and entry.reason is None:
            if self._restore(entry, state):
                with self._lock:
                    self._core.reset(entry, self._now())
            else:
                entry.reason = CloseReason.DIRTY
                self.note_loss(entry)
        if number and entry.returning == number:
            self._discard(entry)
        if self._now() >= self._core.tidy_at:
            self.tidy()

    def note_loss(self, entry: PoolEntry) -> None:
        """If a connection was lost or fell silent, act on what that says about the others."""
        loss = round_trips.loss(entry.connection)
        if loss is not None:
            self.change(lambda to_close, now: self._core.note_loss(entry, loss, to_close))

    def _restore(self, entry: PoolEntry, state: ConnectionState) -> bool:
        reset = self._core.settings.reset
        if self._opener.is_lost(entry):
            return False
        if state is ConnectionState.RECONNECTED:
            state = driver.state(entry.connection)
            if reset is Reset.NONE or (state is _CLEAN and reset is not Reset.SESSION):
                return True
        if not driver.restore(entry.connection, state, reset):
            return False
        if reset is Reset.SESSION:
            try:
                self._opener.set_up(entry)  # the reset undid its effect
            except Exception:
                return False
        return True

    def rescue(self, connection: Any, entry: PoolEntry | None, number: int) -> None:
        """After an interrupted release, close a connection that is neither on loan nor placed.

        `entry` is None if the release did not look it up; then the connection is still on loan.
        `number` is that of the checkin, or 0 if the connection needed no reset or close.
        """
        if entry is None:
            with self._lock:
                entry = self._core.in_use.get(id(connection))
                if entry is not None:
                    self._core.check_in(entry, False, self._now())
                    number = entry.returning
        if entry is not None and number and entry.returning == number:
            entry.reason = entry.reason or CloseReason.DIRTY
            self._discard(entry)

    def _discard_all(self, entries: list[PoolEntry]) -> None:
        for entry in entries:
            if entry.returning:
                self._discard(entry)

    def _discard(self, entry: PoolEntry) -> None:
        try:
            driver.close(entry.connection, silent=entry.silent)
        finally:
            try:
                self._free(entry)
            except BaseException:  # interrupted: finish the work first
                self._free(entry)
                raise

    def _free(self, entry: PoolEntry) -> None:
        with self._lock:
            self._core.freed(entry, self._now())

    # --- the pool as a whole ---------------------------------------------------------------------

    def change(self, apply: Callable[[list[PoolEntry], float], None]) -> None:
        """Apply a change to the core, then close the connections that it removed."""
        to_close: list[PoolEntry] = []
        try:
            with self._lock:
                apply(to_close, self._now())
            self._discard_all(to_close)
        except BaseException:  # interrupted: finish the work first
            with self._lock:
                self._core.settle(self._now())
            self._discard_all(to_close)
            raise

    def tidy(self) -> None:
        """Close idle connections that are dead, too old, or unused for too long."""
        with self._lock:
            idle = [(entry, entry.since) for entry in self._core.idle]
        dead = [(entry, since) for entry, since in idle if not driver.alive(entry.connection)]
        self.change(lambda to_close, now: self._core.tidy(dead, to_close, now))

    def leave_read_only(self, entry: PoolEntry) -> None:
        """Close this connection when it returns, and the idle ones: their server is read-only."""
        emptied = False

        def leave(to_close: list[PoolEntry], now: float) -> None:
            nonlocal emptied
            emptied = self._core.leave_server(entry, to_close, now)

        self.change(leave)
        if emptied:
            self._log.server_read_only()

    def probe(self, limit: float) -> None:
        """Make round trips on idle connections that gave no sign of life for `check_after`.

        At the first silent one, all that gave none since this pass began are closed. So a pass
        waits for one missing answer at most. No round trip begins later than `limit` seconds from
        now.
        """
        began = self._now()
        with self._lock:
            unproven = self._core.unproven(began)
        for entry, since in unproven:
            left = began + limit - self._now()
            if left <= 0:
                return
            if round_trips.is_limited(entry.connection):
                answer = self._probe(entry, since, None if left == math.inf else left / 2)
                if answer is Answer.SILENT:
                    self.doubt(entry, began)

    def _probe(self, entry: PoolEntry, since: float, limit: float | None) -> Answer:
        reserved: list[PoolEntry] = []
        answer = Answer.DEAD
        try:
            with self._lock:
                self._core.reserve(entry, since, reserved)
            if not reserved:  # in use meanwhile
                return Answer.ALIVE
            answer = round_trips.check(entry.connection, limit, self._now)
        finally:
            try:
                self._end_probe(reserved, answer)
            except BaseException:  # interrupted: finish the work first
                self._end_probe(reserved, answer)
                raise
        return answer

    def _end_probe(self, reserved: list[PoolEntry], answer: Answer) -> None:
        for entry in reserved:
            with self._lock:
                self._core.probed(entry, answer, self._now())
            if answer is not Answer.ALIVE and entry.returning:
                self._log.connection_invalid()
        self._discard_all(reserved)

    def doubt(self, entry: PoolEntry, since: float) -> None:
        """Close all idle connections that gave no sign of life from `since`, as this one did."""
        entry.silent = True
        self.change(lambda to_close, now: self._core.doubt(since, to_close))

    def drain(self, deadline: float | None) -> None:
        """Wait until every connection is back; at the deadline, cut off those still on loan."""
        waiter = self._waiter()
        with self._lock:
            done = self._core.drained(waiter)
        if done or waiter.wait(deadline):
            return
        with self._lock:
            late = [entry.connection for entry in self._core.in_use.values()]
        for connection in late:
            driver.abort(connection)

    def report_leaks(self) -> None:
        """Log loans longer than `leak_after`, each once."""
        with self._lock:
            loans = self._core.leaks(self._now())
        self._log.leaks_suspected(loans)
