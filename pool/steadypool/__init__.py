"""A PyMySQL connection pool that is fair, safe against any exception, and exact in its counts.

    pool = ConnectionPool(size=5, max_overflow=10, timeout=30, config="mysql://app:…@db1/shop")
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")

Every acquire is served in the order of arrival, within its timeout; `steadypool.testing` has a
virtual clock and a scripted connector for tests.
"""

from steadypool.aio import AsyncConnectionPool
from steadypool.aio_clock import SystemAsyncClock
from steadypool.clock import SystemClock
from steadypool.config import Config
from steadypool.driver import Connection, Connector
from steadypool.errors import (
    ConnectionFailedError,
    ConnectionPoolError,
    NotBorrowedError,
    PoolClosedError,
    PoolConfigError,
    PoolInitializationError,
    PoolTimeoutError,
    WrongLoopError,
)
from steadypool.events import CloseReason, EventKind, FailReason, Listener, PoolEvent
from steadypool.protocols import AsyncClock, AsyncWaiter, Clock, Waiter
from steadypool.shared import close_global_pool, get_global_pool
from steadypool.stats import PoolStats
from steadypool.threaded import ConnectionPool

__all__ = [
    "AsyncClock",
    "AsyncConnectionPool",
    "AsyncWaiter",
    "Clock",
    "CloseReason",
    "Config",
    "Connection",
    "ConnectionFailedError",
    "ConnectionPool",
    "ConnectionPoolError",
    "Connector",
    "EventKind",
    "FailReason",
    "Listener",
    "NotBorrowedError",
    "PoolClosedError",
    "PoolConfigError",
    "PoolEvent",
    "PoolInitializationError",
    "PoolStats",
    "PoolTimeoutError",
    "SystemAsyncClock",
    "SystemClock",
    "Waiter",
    "WrongLoopError",
    "close_global_pool",
    "get_global_pool",
]
