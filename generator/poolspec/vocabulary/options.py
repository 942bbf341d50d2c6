"""What a pool can be told, besides numbers."""

from enum import StrEnum


class Order(StrEnum):
    """Which idle connection is handed out next."""

    LIFO = "lifo"
    """The one that came back last."""
    FIFO = "fifo"
    """The one that came back first."""


class Reset(StrEnum):
    """What is undone when a connection comes back."""

    ROLLBACK = "rollback"
    """An open transaction."""
    SESSION = "session"
    """All that was done to the session."""
    NONE = "none"
    """Nothing."""


class Hook(StrEnum):
    """What a pool is given to call for its connections; every call is counted."""

    COUNTING = "counting"
    """Does nothing else."""
    FAILING = "failing"
    """Raises an error, each time."""
    FAILING_ONCE = "failing_once"
    """Raises an error the first time."""
    FAILING_LATER = "failing_later"
    """Raises an error each time but the first."""
    CLOSING = "closing"
    """Closes the connection."""
    SLOW = "slow"
    """Takes its time: a second of the test's clock."""


class Listening(StrEnum):
    """Who listens to a pool."""

    NONE = "none"
    """The pool has no listener, not even that of the test."""
