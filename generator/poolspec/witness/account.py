"""The lab's own statistics of one pool: from its sockets, its loans and its options.

What no outsider can see is missing here: how many connections a pool replaced for their age.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from poolspec.invariants.connection import Sockets
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import StatName

TOTALS = (
    StatName.CREATED,
    StatName.CLOSED,
    StatName.ACQUIRED,
    StatName.RELEASED,
    StatName.TIMEOUTS,
)
"""Figures that only grow."""


class Account:
    """What the lab counts of one pool. Safe to use from any thread or task."""

    connects_itself = False
    """Whether the pool connects by its configuration, so that no connect under way is seen."""
    is_partial = False
    """Whether others than the lab use the pool too, such as a web application."""
    is_suspended = False
    """Whether the test has suspended the pool."""
    is_emptied = False
    """Whether the test has emptied the pool, which may forget what is on loan."""
    is_closed = False
    """Whether the test has closed the pool, or begun to."""

    def __init__(
        self, pool: int, sockets: Sockets, size: int, max_overflow: int, timeout: float = 30.0
    ) -> None:
        self.pool = pool
        """The pool's number in the test."""
        self.sockets = sockets
        self.timeout = timeout
        """The pool's own timeout in seconds."""
        self._size = size
        self._max_overflow = max_overflow
        self._resizes = 0
        """Resizes under way."""
        self._is_sure = True
        """Whether the limit is known: of two resizes at once, either may win."""
        self.most = self.limit
        """The largest limit that the pool ever had; None if it ever had none."""
        self.connecting = self.releasing = self.failed = 0
        """How many connects and releases are under way, and how many acquires have failed."""
        self.cannot_connect = False
        """Whether the last connect failed."""
        self.fails = False
        """Whether an acquire has failed since the last that was served: for another reason than
        its time, or an interrupt."""
        self._lock = FreshLock()
        self._counts: Counter[StatName] = Counter()

    def count(self, name: StatName, number: int = 1) -> None:
        """Add to a figure."""
        with self._lock:
            self._counts[name] += number

    def connect(self, number: int) -> None:
        """Note that a connect begins (1) or has ended (-1)."""
        with self._lock:
            self.connecting += number

    def release(self, number: int) -> None:
        """Note that a release begins (1) or has ended (-1)."""
        with self._lock:
            self.releasing += number

    def fail(self) -> None:
        """Note that an acquire has failed."""
        with self._lock:
            self.failed += 1

    @contextmanager
    def resizing(self, size: int | None, max_overflow: int | None) -> Iterator[None]:
        """Note that the pool gets other limits within the block; None leaves one as it is."""
        with self._lock:
            self._resizes += 1
            self._is_sure = self._is_sure and self._resizes == 1
        self.resize(size, max_overflow)
        try:
            yield
        finally:
            with self._lock:
                self._resizes -= 1

    def resize(self, size: int | None, max_overflow: int | None) -> None:
        """Note that the pool has other limits now."""
        self._size = self._size if size is None else size
        self._max_overflow = self._max_overflow if max_overflow is None else max_overflow
        if self.most is not None:
            self.most = None if self.limit is None else max(self.most, self.limit)

    @property
    def limit(self) -> int | None:
        """The maximum number of open connections; None: no limit."""
        return None if self._max_overflow < 0 else self._size + self._max_overflow

    @property
    def in_use(self) -> int:
        """The number of connections on loan."""
        return self._counts[StatName.ACQUIRED] - self._counts[StatName.RELEASED]

    @property
    def has_room(self) -> bool:
        """Whether the pool could hand out one more connection, or open it, as far as is known."""
        if self.is_partial or self.is_suspended or self.is_closed or not self._is_sure:
            return False
        if self.connects_itself:
            return False
        if self.connecting or self.releasing or self._resizes or self.cannot_connect or self.fails:
            return False
        return self.limit is None or self.in_use < self.limit

    @property
    def may_connect_unseen(self) -> bool:
        """Whether an acquire may have a connect under way that the lab does not see."""
        if not self.connects_itself:
            return False
        return self.limit is None or self.sockets.created - self.sockets.closed < self.limit

    @property
    def activity(self) -> tuple[int, ...]:
        """Figures that change with each hand-out, release, opened or closed connection."""
        counts, sockets = self._counts, self.sockets
        loans = counts[StatName.ACQUIRED], counts[StatName.RELEASED]
        return (*loans, sockets.created, sockets.closed)

    def figures(self, waiting: int) -> dict[str, int]:
        """Return all figures that the lab has; `waiting` is the number of acquires in the queue."""
        with self._lock:
            counts: dict[str, int] = {name: self._counts[name] for name in TOTALS}
        counts[StatName.CREATED], counts[StatName.CLOSED] = (
            self.sockets.created,
            self.sockets.closed,
        )
        total = counts[StatName.CREATED] - counts[StatName.CLOSED]
        in_use = counts[StatName.ACQUIRED] - counts[StatName.RELEASED]
        limit = self.limit if self._is_sure else None
        return {
            **counts,
            StatName.TOTAL_CONNECTIONS: total,
            StatName.POOL_SIZE: total - in_use - self.releasing,
            StatName.IN_USE: in_use,
            StatName.WAITING: waiting,
            **({} if limit is None else {StatName.MAX_SIZE: limit}),
        }
