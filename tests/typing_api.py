"""The types of steadypool's public names, as a user sees them; checked by mypy, never run.

`tests/steadypool/test_steadypool_typing.py` checks that this module covers the public names.
"""

from typing import Any, Unpack, assert_type

from steadypool import (
    AsyncClock,
    AsyncConnectionPool,
    AsyncHousekeeper,
    AsyncPoolOptions,
    AsyncWaiter,
    Clock,
    CloseReason,
    Condition,
    Config,
    ConflictError,
    Connection,
    ConnectionFailedError,
    ConnectionPool,
    ConnectionPoolError,
    ConnectionValidationError,
    Connector,
    EventKind,
    FailReason,
    Health,
    HealthStatus,
    Housekeeper,
    HousekeeperStoppedError,
    Listener,
    Loan,
    LogEvent,
    NotBorrowedError,
    Order,
    PoolClosedError,
    PoolConfigError,
    PoolEvent,
    PoolExhaustedError,
    PoolInitializationError,
    PoolOptions,
    PoolStats,
    PoolTimeoutError,
    ReentrantCallError,
    Reset,
    ServerUnavailableError,
    SystemAsyncClock,
    SystemClock,
    Waiter,
    WrongLoopError,
    close_global_pool,
    expect_one,
    get_global_pool,
)
from steadypool.telemetry import Telemetry
from steadypool.testing import (
    Act,
    ClockAbortedError,
    ClockStuckError,
    Gate,
    ScriptedConnection,
    ScriptedConnector,
    VirtualClock,
)
from steadypool.testing_aio import (
    AsyncAct,
    AsyncGate,
    AsyncScriptedConnection,
    AsyncScriptedConnector,
    AsyncVirtualClock,
)


def create(listeners: list[Listener], clock: Clock) -> None:
    config = Config(host="db1", port=3306, user="app", password="secret", database="shop")
    assert_type(config.address, str)
    assert_type(config.connect_timeout, float)
    assert_type(config.database, str | None)
    connector = Connector(config)
    assert_type(connector(), Connection)
    assert_type(connector(2.5), Connection)
    ConnectionPool()
    ConnectionPool(5, 10, 30, 3600, "primary")
    ConnectionPool(5, -1, None, None, config="mysql://app@db1/shop", min_size=0, name="shop")
    ConnectionPool(connect=connector, check_after=None, clock=clock, listeners=listeners)
    ConnectionPool(connect=object, clock=SystemClock(), random=lambda: 0.5)


def wrap(**options: Unpack[PoolOptions]) -> ConnectionPool:
    return ConnectionPool(size=3, **options)


def wrap_async(**options: Unpack[AsyncPoolOptions]) -> AsyncConnectionPool:
    return AsyncConnectionPool(size=3, **options)


def refuse_options() -> None:
    ConnectionPool(sise=1)  # type: ignore[call-arg]
    ConnectionPool(max_uses="1")  # type: ignore[arg-type]
    wrap(min_sise=1)  # type: ignore[call-arg]


def hook(connection: Connection) -> None:
    connection.ping()


def set_options() -> None:
    ConnectionPool(recycle_jitter=0.2, max_uses=1000, max_idle_time=60, order=Order.FIFO)
    ConnectionPool(setup=hook, on_acquire=print, reset=Reset.SESSION, validate_after=30)
    ConnectionPool(max_connecting=2, connect_attempts=1, breaker_failures=None, breaker_cooldown=2)
    ConnectionPool(max_waiting=100, leak_after=60)


def borrow(pool: ConnectionPool) -> None:
    assert_type(pool.acquire(), Any)
    assert_type(pool.acquire(timeout=2.5), Any)
    assert_type(pool.release(pool.acquire()), None)
    pool.release(None)
    with pool as connection:
        assert_type(connection, Any)
    with pool.connection(timeout=1) as connection:
        assert_type(connection, Any)
    with pool.transaction(timeout=1) as connection:
        assert_type(connection, Any)
        assert_type(expect_one(connection.cursor(), "the row"), None)


def inspect_pool(pool: ConnectionPool) -> None:
    assert_type(pool.name, str)
    assert_type(pool.closed, bool)
    assert_type(pool.size, int)
    assert_type(pool.min_size, int)
    assert_type(pool.max_size, int)
    assert_type(pool.gauges, tuple[int, int, int])
    assert_type(pool.stats(), PoolStats)
    assert_type(pool.stats().in_use, int)
    assert_type(pool.stats().as_dict(), dict[str, int])
    assert_type(pool.get_stats(), dict[str, int])
    for loan in pool.loans():
        assert_type(loan, Loan)
        assert_type(loan.holder, str | None)
        assert_type(loan.where, tuple[str, ...])


def check_health(pool: ConnectionPool) -> None:
    health = pool.health()
    assert_type(health, Health)
    assert_type(health.status, HealthStatus)
    assert_type(health.reasons, tuple[str, ...])
    assert_type(health.stats, PoolStats)
    assert_type(health.condition, Condition)
    assert_type(health.condition.failures, int)
    assert_type(LogEvent("server_recovered"), LogEvent)


def control(pool: ConnectionPool) -> None:
    assert_type(pool.suspend(), None)
    assert_type(pool.suspended, bool)
    assert_type(pool.resume(), None)
    assert_type(pool.resize(size=10), None)
    assert_type(pool.resize(max_overflow=0), None)
    assert_type(pool.maintain(), None)
    with Housekeeper(interval=10) as keeper:
        assert_type(keeper, Housekeeper)
        assert_type(keeper.watch(pool), None)
    assert_type(keeper.stop(), None)


def close_pool(pool: ConnectionPool) -> None:
    assert_type(pool.clear(), None)
    assert_type(pool.close_all(), None)
    assert_type(pool.close(), None)
    assert_type(pool.close(drain=10), None)


def use_default_pool() -> None:
    assert_type(get_global_pool(size=5, config_name="primary"), ConnectionPool)
    assert_type(close_global_pool(), None)


def export_metrics(pool: ConnectionPool, other: AsyncConnectionPool) -> None:
    telemetry = Telemetry()
    assert_type(telemetry.listener("shop"), Listener)
    assert_type(telemetry.watch(pool), None)
    assert_type(telemetry.watch(other), None)


async def use_asyncio(clock: AsyncClock) -> None:
    pool = AsyncConnectionPool(5, 10, 30.0, config="mysql://app@db1/shop", clock=clock)
    assert_type(await pool.start(), AsyncConnectionPool)
    async with AsyncHousekeeper(interval=10) as keeper:
        assert_type(keeper, AsyncHousekeeper)
        assert_type(keeper.watch(pool), None)
    assert_type(await keeper.stop(), None)
    assert_type(
        await AsyncConnectionPool.open(size=1, clock=SystemAsyncClock()), AsyncConnectionPool
    )
    assert_type(await pool.acquire(timeout=1), Any)
    assert_type(await pool.release(await pool.acquire()), None)
    async with pool as connection:
        assert_type(connection, Any)
    async with pool.connection(timeout=1) as connection:
        assert_type(connection, Any)
    async with pool.transaction(timeout=1) as connection:
        assert_type(connection, Any)
    assert_type(pool.stats(), PoolStats)
    assert_type(pool.loans(), tuple[Loan, ...])
    assert_type(pool.gauges, tuple[int, int, int])
    assert_type(pool.closed, bool)
    assert_type(pool.suspended, bool)
    assert_type(await pool.health(), Health)
    assert_type(await pool.resize(size=2, max_overflow=0), None)
    assert_type(pool.suspend(), None)
    assert_type(pool.resume(), None)
    assert_type(await pool.maintain(), None)
    assert_type(await pool.clear(), None)
    assert_type(await pool.close_all(), None)
    assert_type(await pool.close(drain=10), None)


def listen(event: PoolEvent) -> None:
    assert_type(event.kind, EventKind)
    assert_type(event.reason, CloseReason | FailReason | None)
    assert_type(event.took, float | None)
    assert_type(event.loan, Loan | None)
    assert_type(event.total, int)
    if event.kind is EventKind.CONNECTION_CLOSED and event.reason is CloseReason.STALE:
        assert_type(event.connection, int | None)


def handle_errors(pool: ConnectionPool) -> None:
    try:
        pool.acquire()
    except (PoolTimeoutError, PoolExhaustedError) as shortage:
        assert_type(shortage.total, int)
        assert_type(shortage.waited, float)
    except ServerUnavailableError as down:
        assert_type(down.failures, int)
        no_connect: ConnectionFailedError = down
        raise no_connect from None
    except ConnectionValidationError as dead:
        not_replaced: ConnectionFailedError = dead
        raise not_replaced from None
    except PoolInitializationError as failed:
        connect_failed: ConnectionFailedError = failed
        raise connect_failed from None
    except (HousekeeperStoppedError, PoolClosedError, PoolConfigError, WrongLoopError) as known:
        any_of_ours: ConnectionPoolError = known
        raise any_of_ours from None
    except (ConflictError, NotBorrowedError, ReentrantCallError) as misuse:
        also_ours: ConnectionPoolError = misuse
        raise also_ours from None


class OwnClock:
    """A clock written by a user."""

    def now(self) -> float:
        return 0.0

    def waiter(self) -> Waiter:
        return SystemClock.waiter()

    def sleep(self, seconds: float) -> None:
        return None


class OwnAsyncWaiter:
    """A waiter for asyncio written by a user."""

    async def wait(self, deadline: float | None) -> bool:
        return True

    def wake(self) -> object:
        return None


def use_own_parts() -> None:
    create([print, listen], OwnClock())
    waiter: AsyncWaiter = OwnAsyncWaiter()
    assert_type(waiter.wake(), object)


def use_test_tools(slow: Act) -> None:
    clock = VirtualClock()
    connect = ScriptedConnector(slow, Gate(clock), OSError("refused"), clock=clock)
    pool = ConnectionPool(connect=connect, clock=clock)
    assert_type(connect(), ScriptedConnection)
    assert_type(connect.open_now, int)
    try:
        pool.acquire()
    except (ClockAbortedError, ClockStuckError):
        assert_type(clock.now(), float)


async def use_async_test_tools(slow: AsyncAct) -> None:
    clock = AsyncVirtualClock()
    connect = AsyncScriptedConnector(slow, AsyncGate(clock), clock=clock)
    await AsyncConnectionPool.open(connect=connect, clock=clock)
    assert_type(await connect(), AsyncScriptedConnection)
    assert_type(await clock.sleep(1), None)
