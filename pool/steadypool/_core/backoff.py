"""The time limits of an acquire, and the backoff between its attempts to connect."""

import math
from collections.abc import Callable
from typing import NamedTuple

_FIRST_BACKOFF = 0.1
"""Seconds between the first failed connect and the next; doubled each time."""


def deadline_of(timeout: float, now: float) -> float | None:
    """Return the time at which a timeout, in seconds from now, ends; None: never."""
    return None if timeout == math.inf else now + timeout


def earliest(deadline: float | None, other: float) -> float | None:
    """Return the earlier of a deadline and another time, which may be infinite."""
    if deadline is None:
        return None if other == math.inf else other
    return min(deadline, other)


class Backoff(NamedTuple):  # which is quicker to make than a frozen dataclass
    """The time limits of one acquire, on the pool's clock."""

    started: float
    deadline: float | None
    """The end of waiting, checking and connecting; None: no limit."""
    retries: bool

    @classmethod
    def of(cls, timeout: float, now: float) -> "Backoff":
        """Make the limits of an acquire with this timeout in seconds."""
        return cls(now, deadline_of(timeout, now), True)

    @classmethod
    def once(cls, timeout: float, now: float) -> "Backoff":
        """Make the limits of a single connect that no acquire waits for."""
        return cls(now, deadline_of(timeout, now), False)

    def left(self, now: float) -> float | None:
        """Return the seconds that remain; None: no limit."""
        return None if self.deadline is None else self.deadline - now

    def check_limit(self, now: float) -> float | None:
        """Return the seconds for a check by a round trip: half of what remains, the rest is for a
        connect if no answer comes. None: no limit."""
        return None if self.deadline is None else (self.deadline - now) / 2

    def retry_at(self, attempts: int, random: Callable[[], float], now: float) -> float | None:
        """Return the time of the next attempt after this many failures; None: too late for one.

        The backoff doubles from attempt to attempt. A random reduction of up to a half keeps
        acquires that failed together from retrying together.
        """
        until = now + _FIRST_BACKOFF * 2.0**attempts * (1 - random() / 2)
        if not self.retries or (self.deadline is not None and until >= self.deadline):
            return None
        return until
