"""The things that a pool moves about: connections in their slots, acquires with their tickets.

Both are small mutable records that only the core changes, with the pool's lock held; the shell
reads them to learn what it has to do.
"""

from enum import Enum, auto
from typing import Any, Final

from steadypool.events import CloseReason, FailReason
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
    """What an acquire has to do next, and what is reserved for it meanwhile."""

    WAIT = auto()
    """Wait in the queue for another step. Owns nothing."""
    TAKE = auto()
    """Take the ticket's connection, which is reserved for it and good."""
    CHECK = auto()
    """See whether the ticket's connection, idle for long, still lives."""
    VALIDATE = auto()
    """The same, with a round trip."""
    REPLACE = auto()
    """Close the ticket's connection, then report it as `retired`."""
    OPEN = auto()
    """Open a connection; a slot and leave to connect are reserved for it."""
    REST = auto()
    """Wait until `ticket.until`, then report it as `rested`; a slot is reserved for it."""
    REFUSED = auto()
    """Give up, for the ticket's `refusal`. Owns nothing."""
    FAILED = auto()
    """Give up: the last connect failed. Owns nothing."""
    OUT = auto()
    """Return the ticket's connection, which is on loan."""
    DONE = auto()
    """Nothing: the acquire has not begun, or has failed."""


# Of an Enum's members these are read at every hand-over, and before Python 3.12 that is slow.
WAIT: Final = Step.WAIT
OUT: Final = Step.OUT
DONE: Final = Step.DONE


UNNUMBERED: Final = -1
"""`Slot.returning` where it was not on loan: whoever owns it forgets it as soon as it is placed."""


class PoolEntry:
    """A connection and what the pool knows of it."""

    __slots__ = (
        "connection",
        "expires",
        "generation",
        "good_until",
        "holder",
        "key",
        "reason",
        "reported",
        "returning",
        "serial",
        "since",
        "took",
        "uses",
        "where",
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
        self.since = now
        """When it was borrowed, or came back."""
        self.uses = 0
        """How often it was borrowed; counted where there is a limit."""
        self.holder: str | None = None
        self.where: tuple[str, ...] = ()
        self.reported = False
        """The loan was reported for its length."""
        self.reason: CloseReason | None = None
        """Set when the connection is to be closed."""
        self.returning = 0
        """Not 0: it is pending, for who gives it back or is to close it. A return gets a number of
        its own, by which it knows later, outside the lock, that the reservation is not another's.
        """


class AcquireRequest:
    """One acquire that could not be served on the spot.

    One that the pool makes for itself, to open a connection that nobody asked for, has no serial
    number.
    """

    # A ticket is made for every acquire that waits: what most never need is the class's.
    __slots__ = ("__dict__", "entry", "serial", "step", "waiter")
    generation = 0
    attempts = 0
    """Connects that failed."""
    until = 0.0
    refusal = FailReason.POOL_CLOSED
    broken = False
    """Its idle connection was found dead."""
    requeued = False

    def __init__(self, waiter: Waiter) -> None:
        self.step: Step = DONE
        self.entry: PoolEntry | None = None
        self.serial = 0
        self.waiter = waiter
        """Replaced by the shell as it reports what may put the ticket in the queue again, in one
        turn of the lock: who gave the ticket its step may still be about to wake the old one.
        """
