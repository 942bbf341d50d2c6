"""The events that a pool sends to its listeners.

The vocabulary is that of MongoDB's connection monitoring and pooling specification (CMAP), with
additions. Two events make fairness visible: an acquire joined the queue, and an acquire in the
queue got its turn. Others belong to features of this pool (suspended, resized, leak suspected).
The counters of connections created and closed, of acquires, releases and timeouts can be computed
from the events.

Rules for listeners: the pool calls them one event at a time, in the order of its transitions, right
after the transition and without its lock. Normally the thread that caused the event delivers it. If
another thread is delivering events at that moment, it delivers this one too, and no thread waits. A
listener may call the pool; the events of its calls follow. The first error of a listener is logged,
all others are ignored. An interrupt that is raised in a listener, such as KeyboardInterrupt, is
deferred until it can propagate to the pool's caller without losing anything: see
`steadypool._common.deferred`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from steadypool.loans import Loan


class EventKind(StrEnum):
    """The kinds of events."""

    POOL_CREATED = "pool_created"
    POOL_CLEARED = "pool_cleared"
    POOL_CLOSED = "pool_closed"
    POOL_SUSPENDED = "pool_suspended"
    POOL_RESUMED = "pool_resumed"
    POOL_RESIZED = "pool_resized"
    CONNECTION_CREATED = "connection_created"
    CONNECTION_CLOSED = "connection_closed"
    CHECKOUT_STARTED = "checkout_started"
    CHECKOUT_QUEUED = "checkout_queued"
    """An acquire joined the queue; emitted again if a full server refused its connect."""
    CHECKOUT_GRANTED = "checkout_granted"
    """An acquire in the queue got a connection, or the permission to open one."""
    CHECKED_OUT = "checked_out"
    """An acquire is about to return."""
    CHECKOUT_FAILED = "checkout_failed"
    CHECKED_IN = "checked_in"
    LEAK_SUSPECTED = "leak_suspected"
    """A loan is longer than `leak_after`; emitted once for each loan."""


class CloseReason(StrEnum):
    """The reason why a connection was closed."""

    STALE = "stale"
    """Older than `recycle`; counted as recycled."""
    ERROR = "error"
    """It was found dead, a hook failed, or the acquire was interrupted."""
    DIRTY = "dirty"
    """It returned with an unread result, or could not be rolled back."""
    SURPLUS = "surplus"
    """It returned when `size` connections were idle, or the pool was made smaller."""
    IDLE = "idle"
    """Unused for `max_idle_time`."""
    USED_UP = "used_up"
    """It returned from its last loan: it was borrowed `max_uses` times."""
    POOL_CLEARED = "pool_cleared"
    POOL_CLOSED = "pool_closed"


class FailReason(StrEnum):
    """The reason why an acquire failed."""

    TIMEOUT = "timeout"
    CONNECTION_ERROR = "connection_error"
    POOL_CLOSED = "pool_closed"
    EXHAUSTED = "exhausted"
    """The queue was full."""
    UNAVAILABLE = "unavailable"
    """The breaker is open: the server is known to be down."""
    INTERRUPTED = "interrupted"
    """Another exception was raised in it, such as KeyboardInterrupt."""


@dataclass(frozen=True, slots=True)
class PoolEvent:
    """One event; its figures are those at the end of the transition."""

    kind: EventKind
    at: float
    """The time on the pool's clock, in seconds."""
    ticket: int | None
    """The serial number of the acquire, for the checkout kinds; None for others."""
    connection: int | None
    """The serial number of the connection in this pool; None without one."""
    reason: CloseReason | FailReason | None
    idle: int
    waiting: int
    total: int
    """All open connections: idle, on loan or pending."""
    took: float | None = None
    """The duration of the connect in seconds, for CONNECTION_CREATED."""
    loan: Loan | None = None
    """The borrower, the place and the duration of the loan, for LEAK_SUSPECTED."""
    thread: int = 0
    """The identity of the thread that caused the event, as of `threading.get_ident`."""


Listener = Callable[[PoolEvent], object]
