"""What a pool has, counts and tells; the rules by which it changes are the core's.

The books hold the three places that a connection can be in, the queue, the counters, and the events
noted in the transition under way. Events are told when a transition is complete, so that all of
them carry its final figures.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from steadypool.errors import NotBorrowedError, PoolClosedError, PoolTimeoutError
from steadypool.events import CloseReason, EventKind, FailReason, Listener, PoolEvent
from steadypool.states import Slot, Ticket
from steadypool.stats import PoolStats

_Note = tuple[EventKind, int | None, int | None, CloseReason | FailReason | None, float | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures that the core goes by."""

    name: str
    size: int
    limit: int
    """Most connections at any moment, those under way included."""
    recycle: float
    """Age in seconds from which a connection is replaced; infinite for never."""
    check_after: float
    """Seconds since the last use from which an idle connection is checked."""


class Books:
    """State, counters and events. Not thread-safe: the caller holds its lock."""

    def __init__(
        self,
        rules: Rules,
        listeners: tuple[Listener, ...] = (),
        listener_failed: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self.rules = rules
        self.idle: deque[Slot] = deque()
        self.waiters: deque[Ticket] = deque()
        self.in_use: dict[int, Slot] = {}
        """By the identity of the connection."""
        self.pending = 0
        self.generation = 0
        self.is_closed = False
        self.created = self.closed = self.recycled = 0
        self.acquired = self.released = self.timeouts = 0
        self._tickets = 0
        self._size = rules.size
        self._check_after = rules.check_after
        self._listeners = listeners
        self._listener_failed = listener_failed
        self._notes: list[_Note] = []

    def stats(self) -> PoolStats:
        """Return all figures of this moment."""
        return PoolStats(
            created=self.created,
            closed=self.closed,
            recycled=self.recycled,
            acquired=self.acquired,
            released=self.released,
            timeouts=self.timeouts,
            total_connections=self.created - self.closed,
            pool_size=len(self.idle),
            max_size=self.rules.limit,
            in_use=len(self.in_use),
            waiting=len(self.waiters),
        )

    def timeout_error(self, waited: float) -> PoolTimeoutError:
        """Make the error for an acquire that gives up, and still is in the queue if it was."""
        return PoolTimeoutError(
            name=self.rules.name,
            limit=self.rules.limit,
            total=self.created - self.closed,
            active=len(self.in_use),
            idle=len(self.idle),
            waiting=len(self.waiters),
            waited=waited,
        )

    def closed_error(self) -> PoolClosedError:
        """Make the error for an acquire that the closed pool refuses."""
        return PoolClosedError(
            f"the pool {self.rules.name!r} is closed and hands out nothing; make another"
        )

    def not_borrowed(self) -> NotBorrowedError:
        """Make the error for a connection that is not on loan."""
        return NotBorrowedError(
            f"this connection is not on loan from the pool {self.rules.name!r}: it was given back "
            "already, or is another's"
        )

    def _slots(self) -> int:
        return len(self.idle) + len(self.in_use) + self.pending

    def _register(self, ticket: Ticket) -> None:
        slot = ticket.slot
        assert slot is not None
        slot.generation = ticket.generation
        self._count_created(slot)

    def _count_created(self, slot: Slot) -> None:
        if slot.serial:  # by an opening that was interrupted
            return
        self.created += 1
        slot.serial = self.created
        self._note(EventKind.CONNECTION_CREATED, slot=slot)

    def _note(
        self,
        kind: EventKind,
        ticket: Ticket | None = None,
        slot: Slot | None = None,
        reason: CloseReason | FailReason | None = None,
    ) -> None:
        """Keep an event until the transition is complete and its figures are known."""
        if self._listeners:
            serial = None if ticket is None else ticket.serial
            connection = None if slot is None else slot.serial
            took = None
            if slot is not None and kind is EventKind.CONNECTION_CREATED:
                took = slot.took
            self._notes.append((kind, serial, connection, reason, took))

    def _tell(self, now: float) -> None:
        """Send what was noted; called last in every transition."""
        if not self._notes:
            return
        notes, self._notes = self._notes, []
        figures = (len(self.idle), len(self.waiters), self.created - self.closed)
        for kind, ticket, connection, reason, took in notes:
            event = PoolEvent(kind, now, ticket, connection, reason, *figures, took)
            for listener in self._listeners:
                try:
                    listener(event)
                except Exception as error:
                    self._listener_failed(error)
