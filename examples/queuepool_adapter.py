"""An adapter for a foreign pool: SQLAlchemy's QueuePool over PyMySQL, in real time.

    pytest generated_tests --pool examples.queuepool_adapter:QueuePoolAdapter

Use it as a pattern for an adapter of your own pool. Its `capabilities` leave out the features that
a QueuePool lacks: it opens connections on demand, it has one timeout for the pool but none for a
single acquire, and it does not report waiters. The adapter counts the pool's events.

Needs the package sqlalchemy (the extra `examples`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.pool import QueuePool

from poolspec.drivers.contract import Driver
from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.lab.contract import Options, Wiring
from poolspec.lab.threads.clock import RealClock
from poolspec.vocabulary import Capability, ErrorKind, StatName, TimeKind

COUNTED = {
    "connect": StatName.CREATED,
    "close": StatName.CLOSED,
    "checkout": StatName.ACQUIRED,
    "checkin": StatName.RELEASED,
}
"""The statistic that each event of the pool increments."""


class CountedPool:
    """A pool with counts of its events."""

    def __init__(self, pool: QueuePool, max_overflow: int) -> None:
        self.pool, self._max_overflow = pool, max_overflow
        self._lock = RLock()  # a signal handler may count too
        self._counts: Counter[StatName] = Counter()
        for name, counter in COUNTED.items():
            event.listen(pool, name, lambda *_, counter=counter: self.count(counter))
        event.listen(pool, "connect", lambda _, record: self._count_recycled(record.record_info))

    def count(self, counter: StatName, n: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[counter] += n

    def stats(self) -> Mapping[str, int]:
        """Return all figures; every running acquire counts as waiting."""
        with self._lock:
            counts: dict[str, int] = {name: self._counts[name] for name in StatName}
        total = counts[StatName.CREATED] - counts[StatName.CLOSED]
        in_use = counts[StatName.ACQUIRED] - counts[StatName.RELEASED]
        limit = -1 if self._max_overflow < 0 else self.pool.size() + self._max_overflow
        return {
            **counts,
            StatName.TOTAL_CONNECTIONS: total,
            StatName.IN_USE: in_use,
            StatName.POOL_SIZE: total - in_use,
            StatName.MAX_SIZE: limit,
        }

    def _count_recycled(self, record_info: dict[str, bool] | None) -> None:
        if record_info is not None and record_info.setdefault("opened", False):
            self.count(StatName.RECYCLED)  # the record had a connection before
        if record_info is not None:
            record_info["opened"] = True


class QueuePoolAdapter:
    """Forwards every call to the pool."""

    name = "queuepool"
    capabilities = frozenset(
        {
            Capability.OVERFLOW,
            Capability.LAZY_START,
            Capability.RECYCLE_BY_AGE,
            Capability.CLOSE_ALL,
            Capability.STATISTICS,
            Capability.LIFO,
            Capability.FIFO,
            Capability.TIMEOUT,
            Capability.OWN_BLOCKS,
        }
    )
    driver: Driver = PyMySQLDriver()

    @property
    def controls(self) -> "QueuePoolAdapter":
        """Return the operations beyond acquire and release, which are methods of the adapter."""
        return self

    def clock(self, time: TimeKind) -> RealClock:
        """Return the real clock, the only one that a QueuePool supports."""
        return RealClock()

    def create(self, options: Options, wiring: Wiring) -> CountedPool:
        """Make a pool."""
        max_overflow = int(options.get("max_overflow", 10))
        pool = QueuePool(
            wiring.connect,
            pool_size=int(options.get("size", 5)),
            max_overflow=max_overflow,
            timeout=float(options.get("timeout", 30.0)),
            recycle=float(options.get("recycle", 0)) or -1,  # 0: never
            use_lifo=options.get("order", "lifo") == "lifo",
        )
        return CountedPool(pool, max_overflow)

    def global_pool(self, options: Options, wiring: Wiring) -> Any:
        """Not supported, and left out of `capabilities`."""
        raise NotImplementedError

    def acquire(self, pool: CountedPool, timeout: float | None) -> Any:
        """Borrow a connection."""
        pool.count(StatName.WAITING)
        try:
            return pool.pool.connect()
        except exc.TimeoutError:
            pool.count(StatName.TIMEOUTS)
            raise
        finally:
            pool.count(StatName.WAITING, -1)

    def release(self, pool: CountedPool, connection: Any) -> None:
        """Release a connection; ignore None."""
        if connection is not None:
            connection.close()

    @contextmanager
    def block(self, pool: CountedPool) -> Iterator[Any]:
        """Borrow a connection for the duration of a block."""
        connection = self.acquire(pool, None)
        try:
            yield connection
        finally:
            connection.close()

    connection = block  # each block is an object, and knows its connection

    def stats(self, pool: CountedPool) -> Mapping[str, int]:
        """Return the pool's figures."""
        return pool.stats()

    def close_all(self, pool: CountedPool) -> None:
        """Close the idle connections; those on loan come back unchanged."""
        pool.pool.dispose()

    def close(self, pool: CountedPool) -> None:
        """Close the idle connections; a QueuePool cannot be closed permanently."""
        pool.pool.dispose()

    def raw(self, connection: Any) -> Any:
        """Return the driver's connection in a wrapper."""
        return connection.dbapi_connection

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return the error kind of an exception of the pool."""
        return ErrorKind.TIMEOUT if isinstance(error, exc.TimeoutError) else None
