"""Signs of life of a connection, and the shortest silence that counts.

A connection that the server closed reports that at once. After a failover without a reset, or
behind a firewall that forgot the connection, nothing is reported: the answers are missing.
"""

import math
import time
from collections.abc import Callable

CHECK_LIMIT = 5.0
"""Seconds for a round trip of the pool on a connection whose driver sets no limit."""
SHORTEST_SILENCE = 0.05
"""Seconds; a shorter wait for an answer says nothing about other connections."""
LONG_SILENCE = 0.5
"""Seconds from which a check that its borrower cancels counts as one without an answer.

After the loss of another connection for an unknown reason, the shortest silence is enough.
"""


class SignsOfLife:
    """Part of steadypool's own connections: when the server answered last, or fell silent."""

    answered_at = -math.inf
    """The time of the last answer, on the pool's clock."""
    silent_since: float | None = None
    """The beginning of a wait that got no answer within its limit; None: there was none. The pool
    resets it to None once it has noted it."""
    _now: Callable[[], float] = staticmethod(time.monotonic)

    def keep_time(self, now: Callable[[], float]) -> None:
        """Use the pool's clock from now on; the connection has just been opened."""
        self._now = now
        self.answered_at = now()


def timed_out(error: BaseException | None) -> bool:
    """Return whether a time limit is the cause of a driver's error."""
    while error is not None:
        if isinstance(error, TimeoutError):
            return True
        error = error.__cause__ or error.__context__
    return False


def shortest(*limits: float | None) -> float:
    """Return the shortest of the time limits of a round trip; None: no limit."""
    return min((limit for limit in limits if limit is not None), default=CHECK_LIMIT)
