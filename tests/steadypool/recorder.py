"""A listener that raises interrupts on request and checks that its events match the pool."""

from collections import Counter
from typing import Any

from steadypool import EventKind, PoolEvent

K = EventKind
OPTIONS: dict[str, list[Any]] = {
    "size": [1, 2, 3],
    "max_overflow": [0, 1],
    "check_after": [0.5, None],
    "validate_after": [None, 2.0],
    "recycle": [None, 8.0],
    "max_uses": [None, 3],
    "max_idle_time": [None, 6.0],
    "leak_after": [None, 5.0],
}
"""Options of a pool; each test takes one value of each."""


class Interrupt(BaseException):
    """Raised in a listener."""


class EventRecorder:
    """The listener of one pool."""

    def __init__(self) -> None:
        self._events: list[PoolEvent] = []
        self._spared = self._left = 0

    def arm(self, spared: int, times: int) -> None:
        """After `spared` events, raise an interrupt `times` times."""
        self._spared, self._left = spared, times

    def __call__(self, event: PoolEvent) -> None:
        """Record the event, and raise the next interrupt if it is due."""
        self._events.append(event)
        if self._spared > 0:
            self._spared -= 1
        elif self._left > 0:
            self._left -= 1
            raise Interrupt(event.kind)

    def check(self, pool: Any, opened: list[Any]) -> None:
        """Check at rest that no slot, no connection and no event is lost."""
        core, stats = pool._core, pool.stats()
        queued = (len(core.waiters), len(core.backing_off))
        assert (core.pending, core.connecting, *queued) == (0, 0, 0, 0)
        known = {entry.connection for entry in [*core.idle, *core.in_use.values()]}
        assert known == {connection for connection in opened if not connection.closed}
        assert not any(entry.connection.in_transaction for entry in core.idle)
        counts = Counter(event.kind for event in self._events)
        assert counts[K.CONNECTION_CREATED] == stats.created
        assert counts[K.CONNECTION_CLOSED] == stats.closed
        assert counts[K.CHECKED_OUT] == stats.acquired
        assert counts[K.CHECKED_IN] == stats.released
        assert counts[K.CHECKOUT_STARTED] == counts[K.CHECKED_OUT] + counts[K.CHECKOUT_FAILED]
