"""The virtual functions of `time`.

They all count from the same positive number, so a pool that takes 0 for "never" is not confused. A
power of two keeps the sum with the clock's seconds exact for whole seconds and their binary parts.
"""

from poolspec.virtual.waits import current

START = float(2**20)
"""What they show when the clock shows 0."""


def time() -> float:
    """Return the clock's seconds since START."""
    return START + current().now()


def time_ns() -> int:
    """Return the same in nanoseconds."""
    return round(time() * 1e9)


def sleep(seconds: float) -> None:
    """Wait on the clock."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    current().sleep(seconds)
