"""How long an acquire may take, and when it tries again to connect."""

import math
from collections.abc import Callable
from typing import NamedTuple

_FIRST_REST = 0.1
"""Seconds between the first failed connect and the next; doubled each time."""


def deadline_of(timeout: float, now: float) -> float | None:
    """Return the time at which a timeout, in seconds from now, is over; None: never."""
    return None if timeout == math.inf else now + timeout


class Backoff(NamedTuple):  # which is quicker to make than a frozen dataclass
    """The bounds of one acquire, on the pool's clock."""

    started: float
    deadline: float | None
    """Until when it may wait; None: for ever."""
    limit: float | None
    """Until when it may connect. An acquire that does not wait (timeout 0) may still connect."""
    retries: bool

    @classmethod
    def of(cls, timeout: float, now: float) -> "Backoff":
        """Make that of an acquire with such a timeout."""
        deadline = deadline_of(timeout, now)
        waits = timeout > 0
        return cls(now, deadline, deadline if waits else None, waits)

    @classmethod
    def once(cls, timeout: float, now: float) -> "Backoff":
        """Make that of a connect that nobody waits for; it is tried once."""
        limit = deadline_of(timeout, now)
        return cls(now, limit, limit, False)

    def left(self, now: float) -> float | None:
        """Seconds that remain for connecting; None: any."""
        return None if self.limit is None else self.limit - now

    def retry_at(self, attempts: int, random: Callable[[], float], now: float) -> float | None:
        """When to try again after so many failures; None: not in time.

        The rest doubles from attempt to attempt, and is shortened at random by up to a half, lest
        all who failed together come back together.
        """
        until = now + _FIRST_REST * 2.0**attempts * (1 - random() / 2)
        if not self.retries or (self.limit is not None and until >= self.limit):
            return None
        return until
