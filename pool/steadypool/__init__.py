"""A PyMySQL connection pool that is fair, safe against any exception, and exact in its statistics.

    pool = ConnectionPool(size=5, max_overflow=10, timeout=30, config="mysql://app:…@db1/shop")
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")

Acquires are served first in, first out, within their timeout. `steadypool.testing` contains a
virtual clock and a scripted connector for tests.
"""

from steadypool._asyncio.clock import SystemAsyncClock
from steadypool._asyncio.housekeeper import AsyncHousekeeper
from steadypool._asyncio.pool import AsyncConnectionPool
from steadypool._common.log import LogEvent
from steadypool._common.options import AsyncPoolOptions, PoolOptions
from steadypool._core.settings import Order, Reset
from steadypool._drivers.configuration import Config
from steadypool._drivers.connector import Connector
from steadypool._drivers.mysql import Connection
from steadypool._threads.clock import SystemClock
from steadypool._threads.default_pool import close_global_pool, get_global_pool
from steadypool._threads.housekeeper import Housekeeper
from steadypool._threads.pool import ConnectionPool
from steadypool.errors import (
    ConflictError,
    ConnectionFailedError,
    ConnectionPoolError,
    ConnectionValidationError,
    HousekeeperStoppedError,
    NotBorrowedError,
    PoolClosedError,
    PoolConfigError,
    PoolExhaustedError,
    PoolInitializationError,
    PoolTimeoutError,
    ReentrantCallError,
    ServerUnavailableError,
    WrongLoopError,
)
from steadypool.events import CloseReason, EventKind, FailReason, Listener, PoolEvent
from steadypool.health import Condition, Health, HealthStatus
from steadypool.loans import Loan
from steadypool.protocols import AsyncClock, AsyncWaiter, Clock, Waiter
from steadypool.stats import PoolStats
from steadypool.units import expect_one

__all__ = [
    "AsyncClock",
    "AsyncConnectionPool",
    "AsyncHousekeeper",
    "AsyncPoolOptions",
    "AsyncWaiter",
    "Clock",
    "CloseReason",
    "Condition",
    "Config",
    "ConflictError",
    "Connection",
    "ConnectionFailedError",
    "ConnectionPool",
    "ConnectionPoolError",
    "ConnectionValidationError",
    "Connector",
    "EventKind",
    "FailReason",
    "Health",
    "HealthStatus",
    "Housekeeper",
    "HousekeeperStoppedError",
    "Listener",
    "Loan",
    "LogEvent",
    "NotBorrowedError",
    "Order",
    "PoolClosedError",
    "PoolConfigError",
    "PoolEvent",
    "PoolExhaustedError",
    "PoolInitializationError",
    "PoolOptions",
    "PoolStats",
    "PoolTimeoutError",
    "ReentrantCallError",
    "Reset",
    "ServerUnavailableError",
    "SystemAsyncClock",
    "SystemClock",
    "Waiter",
    "WrongLoopError",
    "close_global_pool",
    "expect_one",
    "get_global_pool",
]
