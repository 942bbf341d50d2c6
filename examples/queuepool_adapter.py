"""An adapter for a pool that is not ours: SQLAlchemy's QueuePool over PyMySQL, on a real clock.

    pytest generated_tests --pool examples.queuepool_adapter:QueuePoolAdapter

Take it as a pattern for a pool of your own. What the pool lacks its `capabilities` leave out: it
opens connections when they are asked for, its timeout is that of the pool, not of an acquire, and
nobody is told who waits. Its figures are counted by its own events.

Needs the package sqlalchemy (the extra `examples`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import pymysql
from sqlalchemy import event, exc
from sqlalchemy.pool import QueuePool

from poolspec.lab.contract import Options, Wiring
from poolspec.lab.driver import driver_dirt, driver_error
from poolspec.lab.threads.clock import RealClock
from poolspec.servers import Tenant
from poolspec.vocabulary import Capability, ErrorKind, StatName, TimeKind

COUNTED = {
    "connect": StatName.CREATED,
    "close": StatName.CLOSED,
    "checkout": StatName.ACQUIRED,
    "checkin": StatName.RELEASED,
}
"""By event of the pool."""


class Counting:
    """A pool, and what it did."""

    def __init__(self, pool: QueuePool, max_overflow: int) -> None:
        self.pool, self._max_overflow = pool, max_overflow
        self._lock = Lock()
        self._counts: Counter[StatName] = Counter()
        for name, counter in COUNTED.items():
            event.listen(pool, name, lambda *_, counter=counter: self.count(counter))
        event.listen(pool, "connect", lambda _, record: self._note_age(record.record_info))

    def count(self, counter: StatName, n: int = 1) -> None:
        """Count up, or down."""
        with self._lock:
            self._counts[counter] += n

    def stats(self) -> Mapping[str, int]:
        """Return all figures; who is in an acquire counts as waiting."""
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

    def _note_age(self, record_info: dict[str, bool] | None) -> None:
        if record_info is not None and record_info.setdefault("opened", False):
            self.count(StatName.RECYCLED)  # the record had a connection before
        if record_info is not None:
            record_info["opened"] = True


class QueuePoolAdapter:
    """Passes every call on."""

    name = "queuepool"
    capabilities = frozenset(
        {
            Capability.OVERFLOW,
            Capability.LAZY_START,
            Capability.RECYCLE_BY_AGE,
            Capability.CLOSE_ALL,
            Capability.STATISTICS,
            Capability.FIFO,
        }
    )

    def clock(self, time: TimeKind) -> RealClock:
        """Return the machine's; a QueuePool knows no other."""
        return RealClock()

    def opener(self, tenant: Tenant) -> Callable[[], Any]:
        """Return what opens one connection of PyMySQL."""
        at = tenant.address
        return lambda: pymysql.connect(
            host=at.host,
            port=at.port,
            unix_socket=at.unix_socket,
            user=tenant.user,
            password=tenant.password,
            database=tenant.database,
        )

    def create(self, options: Options, wiring: Wiring) -> Counting:
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
        return Counting(pool, max_overflow)

    def global_pool(self, options: Options, wiring: Wiring) -> Any:
        """Not to be had: `capabilities` leave it out."""
        raise NotImplementedError

    def acquire(self, pool: Counting, timeout: float | None) -> Any:
        """Borrow a connection."""
        pool.count(StatName.WAITING)
        try:
            return pool.pool.connect()
        except exc.TimeoutError:
            pool.count(StatName.TIMEOUTS)
            raise
        finally:
            pool.count(StatName.WAITING, -1)

    def release(self, pool: Counting, connection: Any) -> None:
        """Give a connection, or None, back."""
        if connection is not None:
            connection.close()

    @contextmanager
    def block(self, pool: Counting) -> Iterator[Any]:
        """Borrow for the length of a block."""
        connection = self.acquire(pool, None)
        try:
            yield connection
        finally:
            connection.close()

    def stats(self, pool: Counting) -> Mapping[str, int]:
        """Return the pool's figures."""
        return pool.stats()

    def close_all(self, pool: Counting) -> None:
        """Close what is idle; what is on loan comes back as it is."""
        pool.pool.dispose()

    def close(self, pool: Counting) -> None:
        """Do the same: a QueuePool cannot be closed for good."""
        pool.pool.dispose()

    def dirt(self, connection: Any) -> str:
        """Ask the driver."""
        return driver_dirt(connection)

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Say what an exception means."""
        if isinstance(error, exc.TimeoutError):
            return ErrorKind.TIMEOUT
        return driver_error(error)
