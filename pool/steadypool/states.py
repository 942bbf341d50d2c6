"""The things that a pool moves about: connections in their slots, acquires with their tickets.

Both are small mutable records that only the core changes, with the pool's lock held; the shell
reads them to learn what it has to do.
"""

from enum import Enum, auto
from typing import Any

from steadypool.events import CloseReason
from steadypool.protocols import Waiter


class ConnectionState(Enum):
    """What a connection that comes back is like, as far as its attributes tell."""

    CLEAN = auto()
    """No transaction, no result left to read."""
    IN_TRANSACTION = auto()
    """A transaction is open, or may be: to be rolled back."""
    UNREAD = auto()
    """Part of a result was not read: to be dropped."""
    CLOSED = auto()


class Step(Enum):
    """What an acquire has to do next."""

    WAIT = auto()
    """Wait in the queue for another step."""
    TAKE = auto()
    """Take the ticket's connection, which is reserved for it and good."""
    CHECK = auto()
    """See whether the ticket's connection, idle for long, still lives."""
    REPLACE = auto()
    """Close the ticket's connection, then open another in its slot."""
    OPEN = auto()
    """Open a connection; a slot is reserved for it."""
    REFUSED = auto()
    """Give up: the pool was closed."""
    OUT = auto()
    """Return the ticket's connection, which is on loan."""
    DONE = auto()
    """Nothing: the acquire has not begun, or has failed."""


class Slot:
    """A connection and what the pool knows of it."""

    __slots__ = (
        "connection",
        "expires",
        "generation",
        "good_until",
        "key",
        "reason",
        "returning",
        "serial",
        "took",
    )

    def __init__(
        self, connection: Any, generation: int, now: float, recycle: float, took: float = 0.0
    ) -> None:
        self.connection = connection
        self.key = id(connection)
        self.serial = 0
        self.generation = generation
        self.took = took
        """Seconds that opening it took."""
        self.expires = now + recycle
        self.good_until = now
        """Until when it may be handed out without a look: not yet old, used lately."""
        self.reason: CloseReason | None = None
        """Set when the connection is to be closed."""
        self.returning = False
        """A thread that gives it back, or that is to close it, owns its reservation."""


class Ticket:
    """One acquire that could not be served on the spot."""

    __slots__ = ("generation", "serial", "slot", "step", "waiter")

    def __init__(self, waiter: Waiter) -> None:
        self.waiter = waiter
        self.step = Step.DONE
        self.slot: Slot | None = None
        self.serial = 0
        self.generation = 0
