"""The events of the transition under way, and their emission to the listeners.

Events are emitted when a transition is complete, so all of them carry its final figures.
"""

from collections.abc import Callable

from steadypool._core.entries import AcquireRequest, PoolEntry
from steadypool.events import CloseReason, EventKind, FailReason, Listener, PoolEvent
from steadypool.loans import Loan

_Record = tuple[
    EventKind, int | None, int | None, CloseReason | FailReason | None, float | None, Loan | None
]


class Emitter:
    """Records events and emits them. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ("_listener_raised", "_listeners", "pending")

    def __init__(
        self, listeners: tuple[Listener, ...], listener_raised: Callable[[BaseException], None]
    ) -> None:
        self._listeners = listeners
        self._listener_raised = listener_raised
        self.pending: list[_Record] = []
        """Recorded and not yet emitted."""

    @property
    def has_listeners(self) -> bool:
        """Whether events have a receiver."""
        return bool(self._listeners)

    def record(
        self,
        kind: EventKind,
        request: AcquireRequest | None = None,
        entry: PoolEntry | None = None,
        reason: CloseReason | FailReason | None = None,
        loan: Loan | None = None,
    ) -> None:
        """Keep an event until the transition is complete and its figures are final."""
        if self._listeners:
            serial = None if request is None else request.serial
            connection = None if entry is None else entry.serial
            took = None
            if entry is not None and kind is EventKind.CONNECTION_CREATED:
                took = entry.took
            self.pending.append((kind, serial, connection, reason, took, loan))

    def emit(self, now: float, figures: tuple[int, int, int]) -> None:
        """Send the recorded events, with these figures, to every listener.

        An exception of one listener goes to `listener_raised`; the others still get the event.
        """
        records, self.pending = self.pending, []
        for kind, request, connection, reason, took, loan in records:
            event = PoolEvent(kind, now, request, connection, reason, *figures, took, loan)
            for listener in self._listeners:
                try:
                    listener(event)
                except BaseException as error:
                    self._listener_raised(error)
