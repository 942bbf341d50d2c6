"""The settings of a pool's core: checked once and frozen, and the choices for two of them.

Durations are in seconds. `math.inf` means never or no limit, `sys.maxsize` any number.
"""

import math
import sys
from dataclasses import dataclass
from enum import StrEnum


class Reset(StrEnum):
    """How the pool resets a connection that returns."""

    ROLLBACK = "rollback"
    """It is rolled back if a transaction is or may be open, or the next one may have a mode of its
    own; other session state stays."""
    SESSION = "session"
    """Its whole session state is reset, and `setup` runs again. Each return costs a round trip.
    A driver that cannot reset a session rolls back."""
    NONE = "none"
    """It is not reset: the next borrower gets all session state, even an open transaction."""


class Order(StrEnum):
    """Which of the idle connections is handed out."""

    LIFO = "lifo"
    """The one used last: few connections stay in use, the others can be closed as idle."""
    FIFO = "fifo"
    """The one unused for longest: all are used in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings that the core works with."""

    name: str
    size: int
    limit: int
    """The maximum number of connections at any moment, connects under way included."""
    min_size: int = 0
    recycle: float = math.inf
    """The age from which a connection is replaced."""
    recycle_jitter: float = 0.0
    """The share of `recycle` by which each connection's own limit is shortened at most."""
    max_uses: int = sys.maxsize
    max_idle_time: float = math.inf
    check_after: float = math.inf
    """The time since the last use after which an idle connection is checked, without I/O."""
    validate_after: float = math.inf
    """The same for a check with a round trip."""
    reset: Reset = Reset.ROLLBACK
    order: Order = Order.LIFO
    max_connecting: int = sys.maxsize
    max_waiting: int = sys.maxsize
    connect_attempts: int = 1
    """The maximum number of connects for one acquire."""
    breaker_failures: int = sys.maxsize
    breaker_cooldown: float = 1.0
    breaker_cooldown_limit: float = 0.0
    """The seconds up to which the cooldown doubles with each probe."""
    leak_after: float = math.inf
    hooked: bool = False
    """Whether a hook runs at every acquire."""
    hooked_release: bool = False
    """Whether a hook runs at every release."""

    @property
    def max_overflow(self) -> int:
        """The number of connections allowed beyond `size`; -1: any number."""
        return -1 if self.limit == sys.maxsize else self.limit - self.size

    @property
    def plain(self) -> bool:
        """Whether acquire and release of a good connection only move it between collections."""
        return (
            not self.hooked
            and self.max_uses == sys.maxsize
            and self.leak_after == self.max_idle_time == math.inf
            and self.order is Order.LIFO
            and self.keeps_clean
        )

    @property
    def keeps_clean(self) -> bool:
        """Whether a clean connection becomes idle without a reset and without a hook."""
        return self.reset is not Reset.SESSION and not self.hooked_release
