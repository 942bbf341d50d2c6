"""What a pool tells its listeners.

The vocabulary is that of MongoDB's connection monitoring and pooling specification, with two
additions without which fairness cannot be seen: an acquire joined the queue, and an acquire in the
queue was given its turn. The events of a pool suffice to work out every one of its counters.

Rules for listeners: they are called synchronously, in the order of the transitions, in the thread
that caused the transition and while the pool's lock is held. A listener must be quick and must not
call the pool. What a listener raises is logged once and otherwise ignored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What happened."""

    POOL_CREATED = "pool_created"
    POOL_CLEARED = "pool_cleared"
    POOL_CLOSED = "pool_closed"
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


class CloseReason(StrEnum):
    """Why a connection was closed."""

    STALE = "stale"
    """Older than `recycle`; counted as recycled."""
    ERROR = "error"
    """Found dead, or an acquire was interrupted while it was being checked."""
    DIRTY = "dirty"
    """Came back with an unread result, or could not be rolled back."""
    SURPLUS = "surplus"
    """Came back when `size` connections were idle already."""
    POOL_CLEARED = "pool_cleared"
    POOL_CLOSED = "pool_closed"


class FailReason(StrEnum):
    """Why an acquire failed."""

    TIMEOUT = "timeout"
    CONNECTION_ERROR = "connection_error"
    POOL_CLOSED = "pool_closed"
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


Listener = Callable[[PoolEvent], object]
