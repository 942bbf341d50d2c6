"""The events of the transition under way, and the outbox in which they wait to be delivered.

An event gets its figures when its transition is complete, so all events of a transition carry the
figures at its end. The pool delivers the events from the outbox, outside its lock.
"""

from collections import deque
from collections.abc import Callable

from steadypool._core.entries import AcquireRequest, PoolEntry
from steadypool.events import CloseReason, EventKind, FailReason, PoolEvent
from steadypool.loans import Loan

_Record = tuple[
    EventKind, int | None, int | None, CloseReason | FailReason | None, float | None, Loan | None
]


class Emitter:
    """Records events. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ("_caller", "observed", "outbox", "pending")

    def __init__(self, caller: Callable[[], int] | None) -> None:
        self._caller = caller or (lambda: 0)
        self.observed = caller is not None
        """Whether the pool has listeners; without any, nothing is recorded."""
        self.pending: list[_Record] = []
        """The events that the transition under way has recorded."""
        self.outbox: deque[PoolEvent] = deque()
        """The events of complete transitions, in order."""

    def record(
        self,
        kind: EventKind,
        request: AcquireRequest | None = None,
        entry: PoolEntry | None = None,
        reason: CloseReason | FailReason | None = None,
        loan: Loan | None = None,
    ) -> None:
        """Keep an event until the transition is complete and its figures are final."""
        if self.observed:
            serial = None if request is None else request.serial
            connection = None if entry is None else entry.serial
            took = None
            if entry is not None and kind is EventKind.CONNECTION_CREATED:
                took = entry.took
            self.pending.append((kind, serial, connection, reason, took, loan))

    def emit(self, now: float, figures: tuple[int, int, int]) -> None:
        """Complete the recorded events with these figures and put them into the outbox.

        If this is interrupted, the next transition does it.
        """
        thread = self._caller()
        events = [
            PoolEvent(kind, now, request, connection, reason, *figures, took, loan, thread)
            for kind, request, connection, reason, took, loan in self.pending
        ]
        self.outbox += events  # without a call: no signal can come before the next statement
        self.pending = []
