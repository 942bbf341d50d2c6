"""The words of a time line in a results file, which the run side writes and the report draws."""

from enum import StrEnum

from poolspec.vocabulary.setting import Layer

TIMED_LAYERS = (Layer.SYSTEM, Layer.PERFORMANCE, Layer.CHAOS)
"""The layers whose tests leave a time line."""
MOST_POINTS = 200
"""The most points of a time line; its pools share them."""
MOST_POOLS = 6
"""The most pools of one time line."""
MOST_LINES = 25
"""The most lines of a pool in the table of a time line. Marks of errors are as wide as a line."""
MOST_KINDS = 8
"""The most kinds of errors in a time line; all others are one more kind."""
MOST_ERRORS = MOST_LINES * (MOST_KINDS + 1)
"""The most marks of errors in a time line."""


class Series(StrEnum):
    """The figures of a pool over the time of a test."""

    IN_USE = "in_use"
    """Open connections that are on loan."""
    IDLE = "idle"
    """Open connections that are not."""
    PENDING = "pending"
    """Connects under way."""
    WAITING = "waiting"
    """Acquires that wait: seen waiting, or under way for `BRIEF` without a connect."""


class Total(StrEnum):
    """The totals from the start of a test to the end of a point."""

    ACQUIRED = "acquired"
    """Acquires that were served."""
    RELEASED = "released"
    """Connections that were released."""
    OPENED = "opened"
    """Sockets that were opened. A replaced connection counts here and among those closed."""
    CLOSED = "closed"
    """Sockets that were closed."""


SIZES = (Series.IN_USE, Series.IDLE, Series.PENDING)
"""Figures that are connections: their sum is the pool's size, with the connects under way."""
BRIEF = 0.001
"""Seconds of the test's clock from which an acquire under way counts as waiting."""
