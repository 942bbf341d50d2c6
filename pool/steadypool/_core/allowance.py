"""How often a pool empties itself because its server is read-only.

After a failover, the old connections lead to a server that refuses to write, and new ones lead to
its successor. On a server that stays read-only, new connections are no better than the old ones. So
the pool may empty itself three times in a row, and then once per second.
"""

import math

BURST = 3
PER_SECOND = 1.0


class Allowance:
    """The emptyings that are left. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = -math.inf

    def spend(self, now: float) -> bool:
        """Use one emptying, and return whether one was left."""
        self._left = min(float(BURST), self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
