"""The two records that a pool works with: entries with a connection, and acquire requests.

Both are small and mutable. Only the core changes them, in its transitions; the pool reads
them to find out its next step.
"""

import math
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

from steadypool.events import CloseReason, FailReason
from steadypool.protocols import Waiter


class ConnectionState(Enum):
    """The state of a returned connection, as far as its attributes show it."""

    CLEAN = auto()
    """No transaction, and no result left to read."""
    IN_TRANSACTION = auto()
    """A transaction is or may be open, and must be rolled back."""
    UNREAD = auto()
    """Part of a result was not read; the connection must be closed."""
    RECONNECTED = auto()
    """The driver connected again since the pool opened the connection: `setup` has not run."""
    READ_ONLY = auto()
    """The server refused a statement because it is read-only; the connection must be closed."""
    CLOSED = auto()


class Answer(Enum):
    """The result of a round trip on an idle connection."""

    ALIVE = auto()
    DEAD = auto()
    """The connection is closed, or it failed at once."""
    SILENT = auto()
    """No answer came in time: the line may swallow all that is sent."""


class Loss(Enum):
    """How a connection was lost while it was on loan."""

    KNOWN = auto()
    """The server or the borrower closed it."""
    SILENT = auto()
    """A statement got no answer in time."""
    UNKNOWN = auto()
    """Its borrower cancelled a statement, or its driver does not report the reason."""


class Step(Enum):
    """The next step of an acquire, and the reservation that it owns meanwhile."""

    WAIT = auto()
    """Wait in the queue for another step, until `request.watch`; then report that it
    `looks_again`. Owns nothing."""
    TAKE = auto()
    """Take the request's connection, which is reserved for it and good."""
    CHECK = auto()
    """Check whether the request's connection, idle for long, is still alive."""
    VALIDATE = auto()
    """The same, with a round trip."""
    REPLACE = auto()
    """Close the request's connection, then report it as `retired`."""
    OPEN = auto()
    """Open a connection; owns a slot and the permission to connect."""
    BACKOFF = auto()
    """Wait until `request.until`, then report `backed_off`; owns a slot."""
    REFUSED = auto()
    """Fail with the request's `refusal`. Owns nothing."""
    FAILED = auto()
    """Fail: the last connect failed. Owns nothing."""
    OUT = auto()
    """Return the request's connection, which is on loan."""
    DONE = auto()
    """Do nothing: the acquire has not begun, or has failed."""


# Every hand-over reads these members of an Enum, and before Python 3.12 that is slow.
WAIT: Final = Step.WAIT
OUT: Final = Step.OUT
DONE: Final = Step.DONE


class _Awake:
    """The waiter of a request that was woken without a new step: it is about to look again."""

    def wait(self, deadline: float | None) -> bool:
        """Return at once."""
        return True

    def wake(self) -> None:
        """Do nothing: the thread or task is awake."""


AWAKE: Final = _Awake()

UNNUMBERED: Final = -1
"""`PoolEntry.returning` of a connection that no releasing thread has claimed.

Its owner drops the reference as soon as the connection is placed, so it needs no number.
"""


NEVER_AGAIN: Final = -2
"""`PoolEntry.generation` of a connection that is closed when it returns; equal to no generation."""


class PoolEntry:
    """A connection and what the pool knows about it."""

    __slots__ = (
        "borrower",
        "checked_in",
        "claims",
        "connection",
        "expires",
        "generation",
        "good_until",
        "holder",
        "key",
        "position",
        "proven",
        "reason",
        "reported",
        "reports_answers",
        "returning",
        "serial",
        "session",
        "silent",
        "since",
        "took",
        "unsure",
        "uses",
        "where",
    )

    def __init__(
        self, connection: Any, generation: int, now: float, recycle: float, took: float = 0.0
    ) -> None:
        self.connection = connection
        self.key = id(connection)
        self.serial = 0
        self.reports_answers = False
        """Whether the connection is steadypool's own, with `answered_at`. Under the lock the core
        reads no attribute of any other connection, because that may run code."""
        self.session: object = None
        """The number at the server, if the pool notices a reconnect only by that."""
        self.generation = generation
        self.took = took
        """The duration of the connect in seconds."""
        self.expires = now + recycle
        self.good_until = now
        """Until then it may be handed out unchecked: it is not too old and was used recently."""
        self.since = now
        """The time of its last checkout or checkin."""
        self.proven = now
        """The time of the last round trip that the pool made on it, or of its connect."""
        self.position: int | None = None
        """Its position among the idle connections, while maintenance makes a round trip on it."""
        self.unsure = False
        """It is checked with a round trip before it is handed out."""
        self.silent = False
        """Its line is or may be silent, so it is closed without a goodbye."""
        self.uses = 0
        """The number of its loans; counted where there is a limit."""
        self.borrower: Callable[[], Any] | None = None
        """Returns the borrowing thread or task if it still exists; None if it is unknown."""
        self.holder: str | None = None
        self.where: tuple[str, ...] = ()
        self.reported = False
        """Whether this loan was reported as a suspected leak."""
        self.reason: CloseReason | None = None
        """Set when the connection is to be closed."""
        self.returning = 0
        """Not 0: reserved for the thread that releases or closes it.

        Each claim of a releasing thread has its own number. Outside the lock, the thread compares
        the number to see whether the reservation is still its own.
        """
        self.claims = 0
        """The number of its last claim by a releasing thread."""
        self.checked_in = False
        """Whether the checkin of a returning connection has begun: it is pending, not on loan."""

    @property
    def last_answer(self) -> float:
        """The time at which the connection was last known to be alive.

        steadypool's own connections report it. For any other it is the last checkout, checkin or
        round trip of the pool.
        """
        if not self.reports_answers:
            return max(self.since, self.proven)
        answered: float = self.connection.answered_at
        return answered


class AcquireRequest:
    """An acquire that has to wait or to do I/O.

    A request that the pool makes for itself, to open a missing connection, has no serial number.
    """

    # Every acquire that waits makes a request, so rarely needed attributes are the class's.
    __slots__ = ("__dict__", "entry", "serial", "step", "waiter")
    generation = 0
    attempts = 0
    """Failed connects."""
    until = 0.0
    refusal = FailReason.POOL_CLOSED
    waits = True
    """Whether it has time to wait or to connect; with a timeout of 0 it has none."""
    broken = False
    """Whether its idle connection was found dead."""
    requeued = False
    full = False
    """Whether a full server refused its last connect."""
    spared = 0
    """Failed connects that do not count as attempts: the server was full, and it could wait."""
    watch = math.inf
    """In the queue: the time at which it tries again if the server is full; see `Ceiling`."""

    def __init__(self, waiter: Waiter) -> None:
        self.step: Step = DONE
        self.entry: PoolEntry | None = None
        self.serial = 0
        self.waiter = waiter
        """Replaced by every report that may queue the request again.

        The thread that set the request's step may still be about to wake the old waiter.
        """
