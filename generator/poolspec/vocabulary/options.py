"""The options of a pool whose values are words."""

from enum import StrEnum


class Order(StrEnum):
    """Which idle connection is handed out next."""

    LIFO = "lifo"
    """The one that was released last."""
    FIFO = "fifo"
    """The one that was released first."""


class Reset(StrEnum):
    """The state that a release resets."""

    ROLLBACK = "rollback"
    """An open transaction."""
    SESSION = "session"
    """The whole state of the session."""
    NONE = "none"
    """Nothing."""


class Hook(StrEnum):
    """A hook that the pool calls for its connections; every call is counted."""

    COUNTING = "counting"
    """Does nothing else."""
    FAILING = "failing"
    """Raises an error, each time."""
    FAILING_ONCE = "failing_once"
    """Raises an error the first time."""
    FAILING_LATER = "failing_later"
    """Raises an error each time but the first."""
    FAILING_IN_TRANSACTION = "failing_in_transaction"
    """Begins a transaction and raises an error the first time."""
    FAILING_UNREAD = "failing_unread"
    """Leaves the rows of a statement unread and raises an error the first time."""
    INTERRUPTED_ONCE = "interrupted_once"
    """Is interrupted the first time, as by Ctrl-C."""
    BEGINNING = "beginning"
    """Begins a transaction and leaves it open, each time."""
    CLOSING = "closing"
    """Closes the connection."""
    SLOW = "slow"
    """Takes a second of the test's clock."""
    HANGING = "hanging"
    """Takes an hour of the test's clock the first time."""
    HANGING_LATER = "hanging_later"
    """Takes an hour of the test's clock the second time."""
    MARKING = "marking"
    """Sets the user variable `@set_up` to 1."""
    RECONNECTING = "reconnecting"
    """Lets the driver connect again if the connection is lost, as `ping(reconnect=True)` does."""
    RENEWING = "renewing"
    """Closes the connection and lets the driver connect again, each time."""


class Listening(StrEnum):
    """The listener of a pool."""

    NONE = "none"
    """The pool has no listener, not even that of the test."""
