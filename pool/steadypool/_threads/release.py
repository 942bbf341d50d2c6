"""The slow path of a release, and maintenance: resetting, closing and reporting.

A connection that is being reset is claimed by the thread that does so; one that is being closed is
a reservation of that thread. If anything raises meanwhile, the reservation is freed before the
exception propagates.
"""

import math
from collections.abc import Callable
from typing import Any

from steadypool._common.log import PoolLog
from steadypool._core.core import Core
from steadypool._core.entries import Answer, ConnectionState, PoolEntry
from steadypool._core.settings import Reset
from steadypool._drivers import dbapi as driver
from steadypool._drivers import round_trips, session
from steadypool._threads.connect import Opener
from steadypool._threads.monitor import Monitor
from steadypool.events import CloseReason
from steadypool.protocols import Clock

_CLEAN = ConnectionState.CLEAN
_OPEN = ConnectionState.IN_TRANSACTION
_RECONNECTED = ConnectionState.RECONNECTED
_SOUND = (_CLEAN, _OPEN)


class Releasing:
    """Resets and closes the connections of one core, whose monitor it shares with the pool."""

    def __init__(
        self, core: Core, monitor: Monitor, clock: Clock, opener: Opener, log: PoolLog
    ) -> None:
        self._core = core
        self._lock = monitor.lock
        self._run = monitor.run
        self._now = clock.now
        self._waiter = clock.waiter
        self._opener = opener
        self._log = log
        self._rolls_back = core.settings.reset is Reset.ROLLBACK
        self._runs_hook = core.settings.hooked_release

    # --- releasing -------------------------------------------------------------------------------

    def finish_release(self, entry: PoolEntry, number: int, state: ConnectionState) -> None:
        """Reset a claimed connection and check it in, or close it; `number` is the claim's."""
        core = self._core
        usable = False
        emptied = entry.generation != core.generation and core.is_emptied_since(entry)
        if emptied:
            pass
        elif state is _OPEN and self._rolls_back and entry.session is None:
            try:  # as `driver.roll_back`, in place: every release of a foreign connection does it
                entry.connection.rollback()
                usable = True
            except Exception:
                pass
        else:
            usable = self._restore(entry, state)
        if not usable or state is _RECONNECTED:
            self.note_loss(entry, failed=not (usable or emptied) and state in _SOUND)
        if usable and self._runs_hook:
            usable = self._clean_up(entry)
        now = self._now()
        if usable:
            with self._lock:
                if core.put_back(entry, now):
                    return
        self._run(core.check_in, entry, usable, now)
        if entry.returning == number:
            self._discard_returned(entry)
        if now >= core.tidy_at:
            self.tidy()

    def note_loss(self, entry: PoolEntry, *, failed: bool = False) -> None:
        """If a connection was lost or fell silent, check or close the others as that requires.

        `failed`: its rollback or reset failed.
        """
        loss = round_trips.loss(entry.connection, failed)
        if loss is not None:
            self._change_by_doubt(lambda to_close: self._core.note_loss(entry, loss, to_close))

    def _restore(self, entry: PoolEntry, state: ConnectionState) -> bool:
        """Reset a connection that needs more than a rollback; False: it must be closed."""
        reset = self._core.settings.reset
        if state is ConnectionState.READ_ONLY:
            self.leave_read_only(entry)
        elif self._opener.is_lost(entry):
            return False
        elif state is _RECONNECTED:
            state = driver.state(entry.connection)
        if state is _OPEN and self._rolls_back:
            return driver.roll_back(entry.connection)
        if state is _CLEAN or state is _OPEN:
            return reset is not Reset.SESSION or self._restart(entry)
        return False

    def _restart(self, entry: PoolEntry) -> bool:
        """Reset the session and set it up again, since the reset undid the setup."""
        try:
            if not driver.reset_session(entry.connection):
                return False
            self._opener.set_up(entry)
        except Exception as error:
            self._log.release_failed(error)
            return False
        return True

    def _clean_up(self, entry: PoolEntry) -> bool:
        """Run the on_release hook on a connection; False: it must be closed."""
        keeps_open = self._core.settings.reset is Reset.NONE
        usable = False
        try:
            usable = self._opener.clean_up(entry, keeps_open)
        except Exception as error:
            if session.shows_read_only(error):
                self.leave_read_only(entry)
            self._log.release_failed(error)
        if not usable:
            self.note_loss(entry)
        return usable

    def rescue(self, connection: Any, entry: PoolEntry | None, number: int) -> None:
        """After an interrupted release, close the connection unless it was placed.

        `number` is that of the claim; 0: the release did not get so far.
        """
        if not number:
            entry = self._core.in_use.get(id(connection))
            number = 0 if entry is None else self._core.claim(entry)
        if entry is not None and number and entry.returning == number:
            self._run(self._core.check_in, entry, False, self._now())
            self._discard_returned(entry)

    def _discard_returned(self, entry: PoolEntry) -> None:
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
        self._run(self._core.freed, entry, self._now())

    # --- the pool as a whole ---------------------------------------------------------------------

    def change(self, apply: Callable[[list[PoolEntry], float], None]) -> None:
        """Apply a change to the core, then close the connections that it removed."""
        to_close: list[PoolEntry] = []
        try:
            self._run(apply, to_close, self._now())
            self._discard_all(to_close)
        except BaseException:  # interrupted: finish the work first
            self._run(self._core.settle, self._now())
            self._discard_all(to_close)
            raise

    def tidy(self) -> None:
        """Close idle connections that are dead, too old, or unused for too long."""
        idle = self._run(self._core.idle_since)
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
        for entry, since in self._run(self._core.unproven, began):
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
            self._run(self._core.reserve, entry, since, reserved)
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
            self._run(self._core.probed, entry, answer, self._now())
            if answer is not Answer.ALIVE and entry.returning:
                self._log.connection_invalid()
        self._discard_all(reserved)

    def doubt(self, entry: PoolEntry, since: float) -> None:
        """Close idle connections that, like this one, gave no sign of life since `since`."""
        entry.silent = True
        self._change_by_doubt(lambda to_close: self._core.doubt(since, to_close))

    def _change_by_doubt(self, apply: Callable[[list[PoolEntry]], None]) -> None:
        closed: list[PoolEntry] = []

        def change(to_close: list[PoolEntry], now: float) -> None:
            apply(to_close)
            closed.extend(to_close)

        self.change(change)
        if closed:
            self._log.line_silent(len(closed))

    def drain(self, deadline: float | None) -> None:
        """Wait until every connection is closed; at the deadline, cut off the open ones.

        That includes one whose rollback hangs.
        """
        waiter = self._waiter()
        if self._run(self._core.drained, waiter) or waiter.wait(deadline):
            return
        for entry in list(self._core.open):
            driver.abort(entry.connection)

    def report_leaks(self) -> None:
        """Log loans longer than `leak_after`, each once."""
        self._log.leaks_suspected(self._run(self._core.leaks, self._now()))
