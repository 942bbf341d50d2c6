"""What a pool tells its listeners.

The vocabulary is that of MongoDB's connection monitoring and pooling specification, with
additions: an acquire joined the queue, and an acquire in the queue was given its turn, without
which fairness cannot be seen; and what this pool has of its own (suspended, resized, a leak
suspected). The events suffice to work out the counters of what was created, closed, acquired and
released, and of timeouts.

Rules for listeners: they are called synchronously, in the order of the transitions, in the thread
that caused the transition and while the pool's lock is held. A listener must be quick and must not
call the pool. An error that it raises is logged once and otherwise ignored. An interrupt that
strikes in it, such as KeyboardInterrupt, goes on to whoever used the pool as soon as nothing can be
lost by it: see `steadypool._common.deferred`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from steadypool.loans import Loan


class EventKind(StrEnum):
    """What happened."""

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
    """An acquire joined the queue."""
    CHECKOUT_GRANTED = "checkout_granted"
    """An acquire in the queue was given a connection, or leave to open one."""
    CHECKED_OUT = "checked_out"
    """An acquire is about to return; told in its own thread."""
    CHECKOUT_FAILED = "checkout_failed"
    CHECKED_IN = "checked_in"
    LEAK_SUSPECTED = "leak_suspected"
    """A loan has lasted for `leak_after`; told once for each loan."""


class CloseReason(StrEnum):
    """Why a connection was closed."""

    STALE = "stale"
    """Older than `recycle`; counted as recycled."""
    ERROR = "error"
    """Found dead, or a hook failed, or an acquire was interrupted meanwhile."""
    DIRTY = "dirty"
    """Came back with an unread result, or could not be rolled back."""
    SURPLUS = "surplus"
    """Came back when `size` connections were idle already, or the pool was made smaller."""
    IDLE = "idle"
    """Unused for `max_idle_time`."""
    USED_UP = "used_up"
    """Came back for the last time: it was borrowed `max_uses` times."""
    POOL_CLEARED = "pool_cleared"
    POOL_CLOSED = "pool_closed"


class FailReason(StrEnum):
    """Why an acquire failed."""

    TIMEOUT = "timeout"
    CONNECTION_ERROR = "connection_error"
    POOL_CLOSED = "pool_closed"
    EXHAUSTED = "exhausted"
    """The queue was full."""
    UNAVAILABLE = "unavailable"
    """The server is known to be down."""
    INTERRUPTED = "interrupted"
    """Something else was raised into it, such as KeyboardInterrupt."""


@dataclass(frozen=True, slots=True)
class PoolEvent:
    """One thing that happened; the figures are those after the transition was complete."""

    kind: EventKind
    at: float
    """The pool's clock, in seconds."""
    ticket: int | None
    """Serial number of the acquire, for the checkout kinds."""
    connection: int | None
    """Serial number of the connection in this pool."""
    reason: CloseReason | FailReason | None
    idle: int
    waiting: int
    total: int
    """Open connections, wherever they are."""
    took: float | None = None
    """Seconds that opening it took, for CONNECTION_CREATED."""
    loan: Loan | None = None
    """Who holds the connection, where and for how long, for LEAK_SUSPECTED."""


Listener = Callable[[PoolEvent], object]
