"""Transitions after a connection was found dead or silent, and round trips of maintenance.

After the loss of a connection that the server closed, the others are checked without I/O. A silent
connection, which gave no answer in time, says more about the others. After a failover without a
reset all connections of the same age are silent, and a wait for each would cost a timeout each. So
every connection that gave no sign of life since that wait began is in doubt, and is not handed out
any more. Connections that answered later stay.

For steadypool's own connections a sign of life is an answer, which they report (`answered_at`).
Other drivers report no answers. For their connections it is a checkout, a checkin or a round trip
of the pool.
"""

import math

from steadypool._core.entries import AcquireRequest, Answer, Loss, PoolEntry, Step
from steadypool._core.idle import position_of, remove_idle
from steadypool._core.state import State
from steadypool.events import CloseReason


class Doubt(State):
    """The transitions. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ()

    def checked(self, request: AcquireRequest, alive: bool, now: float) -> None:
        """Report the result of the check of the request's connection."""
        entry = request.entry
        assert entry is not None
        if alive:
            if request.step is Step.VALIDATE:
                entry.proven, entry.unsure = now, False
            request.step = Step.TAKE
            return
        request.broken = True
        entry.reason = CloseReason.ERROR
        request.step = Step.REPLACE
        self.validation_failures += 1
        self.distrust()

    def distrust(self, unsure: bool = False) -> None:
        """After the loss of a connection, have every idle one checked before it is handed out.

        `unsure`: with a round trip.
        """
        for entry in self.idle:
            entry.good_until = -math.inf
            entry.unsure |= unsure

    def note_loss(self, entry: PoolEntry, loss: Loss, to_close: list[PoolEntry]) -> None:
        """Report how a connection was lost while a borrower or the pool used it.

        A silence counts at the earliest from its last use. The caller closes `to_close`.
        """
        if loss is Loss.SILENT:
            since, entry.connection.silent_since = entry.connection.silent_since, None
            self.doubt(max(since, entry.since), to_close)
        else:
            self.distrust(loss is Loss.UNKNOWN)

    def doubt(self, since: float, to_close: list[PoolEntry]) -> None:
        """Report that a connection gave no sign of life from `since` until now.

        The caller closes idle connections in doubt, at once and without a goodbye. Those on loan
        are closed when they return, unless they have answered by then. The pool starts a new
        generation, to which all connections that answered later belong too.
        """
        self._silent_since = max(self._silent_since, since)
        doubtful = [entry for entry in self.idle if entry.last_answer <= self._silent_since]
        for entry in doubtful:
            entry.silent = True
        remove_idle(self, doubtful, CloseReason.ERROR, to_close)
        self.generation += 1
        for entry in (*self.idle, *self.in_use.values()):
            self._is_current(entry)
        self._choose_path()

    # --- round trips of maintenance --------------------------------------------------------------

    def unproven(self, now: float) -> list[tuple[PoolEntry, float]]:
        """Return the idle connections that gave no sign of life for `check_after`.

        Each comes with the time at which it became idle. The one that answered last comes first: if
        it is silent, all others may be silent too.
        """
        before = now - self._check_after
        found = [(entry, entry.since) for entry in self.idle if entry.last_answer <= before]
        return sorted(found, key=lambda pair: -pair[0].last_answer)

    def reserve(self, entry: PoolEntry, since: float, reserved: list[PoolEntry]) -> None:
        """Reserve a connection for a round trip, if it has been idle ever since `since`."""
        if entry.since == since and entry in self.idle:
            entry.position = self.idle.index(entry)
            remove_idle(self, [entry], None, reserved)

    def probed(self, entry: PoolEntry, answer: Answer, now: float) -> None:
        """Report the round trip on a reserved connection; a second call changes nothing.

        A live one goes to the first waiter, or is idle again at its position, because the round
        trip does not count as use. If it is `returning` afterwards, the caller closes it.
        """
        if not entry.returning or entry.reason is not None:
            return
        if answer is Answer.ALIVE:
            entry.proven, entry.unsure = now, False
            entry.position = position_of(entry, self.idle, self.settings.order)
            self._place(entry, now)
            entry.position = None
        else:
            entry.reason = CloseReason.ERROR
            entry.silent = answer is Answer.SILENT
            self.validation_failures += 1
        self._serve(now)
        self._emit_events(now)
