"""What a pool has, counts and tells; the rules by which it changes are the core's.

The books hold the three places that a connection can be in, the queue, the counters, and the events
noted in the transition under way. Events are told when a transition is complete, so that all of
them carry its final figures.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from steadypool._core.breaker import Breaker
from steadypool._core.entries import AcquireRequest, PoolEntry
from steadypool._core.settings import Order, Settings
from steadypool.errors import (
    ConnectionPoolError,
    NotBorrowedError,
    PoolClosedError,
    PoolExhaustedError,
    PoolTimeoutError,
    ServerUnavailableError,
)
from steadypool.events import CloseReason, EventKind, FailReason, Listener, PoolEvent
from steadypool.loans import Loan
from steadypool.protocols import Waiter
from steadypool.stats import PoolStats

_Note = tuple[
    EventKind, int | None, int | None, CloseReason | FailReason | None, float | None, Loan | None
]
_Shortage = TypeVar("_Shortage", PoolTimeoutError, PoolExhaustedError)


class State:
    """State, counters and events. Not thread-safe: the caller holds its lock."""

    __slots__ = (
        "_listener_raised",
        "_listeners",
        "_look_after",
        "_notes",
        "_passed",
        "_requests",
        "_shelf",
        "_short",
        "_shrinking",
        "_size",
        "acquired",
        "breaker",
        "closed",
        "connect_failures",
        "connect_retries",
        "connecting",
        "created",
        "drainers",
        "generation",
        "idle",
        "in_use",
        "is_closed",
        "is_suspended",
        "leaks_suspected",
        "pending",
        "recycled",
        "released",
        "resting",
        "settings",
        "tidy_at",
        "timeouts",
        "validation_failures",
        "waiters",
    )

    def __init__(
        self,
        settings: Settings,
        listeners: tuple[Listener, ...] = (),
        listener_raised: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self.idle: deque[PoolEntry] = deque()
        """The next to be handed out is the last."""
        self.waiters: deque[AcquireRequest] = deque()
        self.resting: list[AcquireRequest] = []
        """Acquires between two attempts to connect; each owns a slot."""
        self.drainers: list[Waiter] = []
        """Who waits until nothing is left of the closed pool."""
        self.in_use: dict[int, PoolEntry] = {}
        """By the identity of the connection; with a limit to loans the longest is the first."""
        self.pending = 0
        self.connecting = 0
        """How many of the pending have leave to connect."""
        self.generation = 0
        self.is_closed = self.is_suspended = False
        self.created = self.closed = self.recycled = 0
        self.acquired = self.released = self.timeouts = 0
        self.validation_failures = self.connect_failures = self.connect_retries = 0
        self.leaks_suspected = 0
        self.tidy_at = math.inf
        """When idle connections are to be looked through."""
        self._requests = 0
        self._passed: PoolEntry | None = None
        """A loan that has just become another's; tells an interrupted return that it was done."""
        self._listeners = listeners
        self._listener_raised = listener_raised
        self._notes: list[_Note] = []
        self.breaker = Breaker(settings.breaker_failures, settings.breaker_cooldown)
        self._go_by(settings)

    def _go_by(self, settings: Settings) -> None:
        self.settings = settings
        self._size = settings.size
        self._look_after = min(settings.check_after, settings.validate_after)
        self._choose_way()

    def _choose_way(self) -> None:
        """Find out whether the short way through the core is open."""
        settings = self.settings
        plain = settings.plain and not self._listeners
        self._shrinking = self._slots() > settings.limit
        self._short = plain and not (self.is_suspended or self._shrinking)
        self._shelf = self.generation if self._short and settings.order is Order.LIFO else -1
        """The generation that may go back to the idle ones by the short way."""

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
            max_size=self.settings.limit,
            in_use=len(self.in_use),
            waiting=len(self.waiters),
            validation_failures=self.validation_failures,
            connect_failures=self.connect_failures,
            connect_retries=self.connect_retries,
            leaks_suspected=self.leaks_suspected,
        )

    # --- errors ----------------------------------------------------------------------------------

    def timeout_error(self, waited: float) -> PoolTimeoutError:
        """Make the error for an acquire that gives up, and still is in the queue if it was."""
        return self._shortage(PoolTimeoutError, waited)

    def closed_error(self) -> PoolClosedError:
        """Make the error for an acquire that the closed pool refuses."""
        return PoolClosedError(
            f"the pool {self.settings.name!r} is closed and hands out nothing; make another"
        )

    def refusal(self, request: AcquireRequest) -> ConnectionPoolError:
        """Make the error for an acquire whose step is REFUSED."""
        if request.refusal is FailReason.EXHAUSTED:
            return self._shortage(PoolExhaustedError, 0.0)
        if request.refusal is FailReason.UNAVAILABLE:
            return ServerUnavailableError(
                name=self.settings.name,
                failures=self.breaker.failures,
                cooldown=self.settings.breaker_cooldown,
            )
        return self.closed_error()

    def not_borrowed(self) -> NotBorrowedError:
        """Make the error for a connection that is not on loan."""
        return NotBorrowedError(
            f"this connection is not on loan from the pool {self.settings.name!r}: "
            "it was given back already, or belongs to another pool"
        )

    def _shortage(self, kind: type[_Shortage], waited: float) -> _Shortage:
        return kind(
            name=self.settings.name,
            limit=self.settings.limit,
            total=self.created - self.closed,
            active=len(self.in_use),
            idle=len(self.idle),
            waiting=len(self.waiters),
            waited=waited,
        )

    # --- counters and events ---------------------------------------------------------------------

    def _slots(self) -> int:
        return len(self.idle) + len(self.in_use) + self.pending

    def _count_created(self, entry: PoolEntry) -> None:
        if entry.serial:  # by an opening that was interrupted
            return
        self.created += 1
        entry.serial = self.created
        self._note(EventKind.CONNECTION_CREATED, entry=entry)

    def _note(
        self,
        kind: EventKind,
        request: AcquireRequest | None = None,
        entry: PoolEntry | None = None,
        reason: CloseReason | FailReason | None = None,
        loan: Loan | None = None,
    ) -> None:
        """Keep an event until the transition is complete and its figures are known."""
        if self._listeners:
            serial = None if request is None else request.serial
            connection = None if entry is None else entry.serial
            took = None
            if entry is not None and kind is EventKind.CONNECTION_CREATED:
                took = entry.took
            self._notes.append((kind, serial, connection, reason, took, loan))

    def gauges(self) -> tuple[int, int, int]:
        """Return how many are idle, wait, and are open; may be read without the lock.

        Then each may be of another moment; but never are more idle than open.
        """
        idle = len(self.idle)
        return idle, len(self.waiters), max(self.created - self.closed, idle)

    def _tell(self, now: float) -> None:
        """Send what was noted; called last in every transition.

        What a listener raises is told to the shell: every listener is told all.
        """
        if not self._notes:
            return
        notes, self._notes = self._notes, []
        figures = self.gauges()
        for kind, request, connection, reason, took, loan in notes:
            event = PoolEvent(kind, now, request, connection, reason, *figures, took, loan)
            for listener in self._listeners:
                try:
                    listener(event)
                except BaseException as error:
                    self._listener_raised(error)
