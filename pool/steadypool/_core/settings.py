"""What a pool goes by: its figures, checked once and frozen, and the choices among its manners.

Durations are in seconds, `math.inf` stands for never or no limit, `sys.maxsize` for any number.
"""

import math
import sys
from dataclasses import dataclass
from enum import StrEnum


class Reset(StrEnum):
    """What a connection goes through when it comes back."""

    ROLLBACK = "rollback"
    """It is rolled back if a transaction is or may be open; other session state stays."""
    SESSION = "session"
    """Its whole session state is reset, at the price of a round trip for every return; `setup`
    runs again. A driver that cannot do so rolls back."""
    NONE = "none"
    """Nothing: what the borrower leaves, an open transaction included, the next one finds."""


class Order(StrEnum):
    """Which of the idle connections is handed out."""

    LIFO = "lifo"
    """The one used last: few connections stay warm, the others grow idle."""
    FIFO = "fifo"
    """The one unused for longest: all are used in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The figures that the core goes by."""

    name: str
    size: int
    limit: int
    """Most connections at any moment, those under way included."""
    min_size: int = 0
    recycle: float = math.inf
    """Age from which a connection is replaced."""
    recycle_jitter: float = 0.0
    """Share of `recycle` by which each connection's own limit is at most shortened."""
    max_uses: int = sys.maxsize
    max_idle_time: float = math.inf
    check_after: float = math.inf
    """Time since the last use from which an idle connection is checked, without a round trip."""
    validate_after: float = math.inf
    """The same, with a round trip."""
    reset: Reset = Reset.ROLLBACK
    order: Order = Order.LIFO
    max_connecting: int = sys.maxsize
    max_waiting: int = sys.maxsize
    connect_attempts: int = 1
    """Most connects for one acquire."""
    breaker_failures: int = sys.maxsize
    breaker_cooldown: float = 1.0
    leak_after: float = math.inf
    hooked: bool = False
    """Something is called at every acquire."""

    @property
    def max_overflow(self) -> int:
        """How many more than `size` may be open; -1: any number."""
        return -1 if self.limit == sys.maxsize else self.limit - self.size

    @property
    def plain(self) -> bool:
        """Whether an acquire and a return of a good connection are a move and nothing else."""
        return (
            not self.hooked
            and self.max_uses == sys.maxsize
            and self.leak_after == self.max_idle_time == math.inf
            and self.keeps_clean
        )

    @property
    def keeps_clean(self) -> bool:
        """Whether a clean connection that comes back needs nothing done to it."""
        return self.reset is not Reset.SESSION
