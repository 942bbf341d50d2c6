"""The names of the ways in which a pool breaks."""

from enum import StrEnum


class Defect(StrEnum):
    """A broken invariant, by the name that reports use."""

    LEAK = "leak"
    """A connection, thread or task is left over, or a loan was never returned."""
    OVER_LIMIT = "over limit"
    """More connections were open at once than the pool may have."""
    TWO_HOLDERS = "two holders"
    """One connection was on loan to two borrowers at once."""
    DIRTY_HAND_OUT = "dirty hand-out"
    """A borrower got a connection with the state of an earlier loan."""
    STARVATION = "starvation"
    """A waiter was overtaken by an acquire that began later."""
    LOST_WAKE_UP = "lost wake-up"
    """A waiter kept waiting although a connection was idle, or there was room for one."""
    LOST_SLOT = "lost slot"
    """At rest, the pool hands out fewer connections than its limit."""
    HEAD_OF_LINE_BLOCKING = "head-of-line blocking"
    """A call was blocked behind the slow connect of another call."""
    DEADLOCK = "deadlock"
    """No actor could ever continue."""
    LOST_WRITE = "lost write"
    """A committed write is not in the database."""
    WRONG_COUNT = "wrong count"
    """The figures of pool, process and server disagree."""
    SWALLOWED_INTERRUPT = "swallowed interrupt"
    """An interrupt or a timeout did not reach the caller."""
    EXPOSED_PASSWORD = "exposed password"
    """An error, a log record or a representation shows a password."""
