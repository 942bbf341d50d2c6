"""Drives steadypool, the bundled pool."""

from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any, TypeVar

import pymysql
from pymysql.constants import CR, SERVER_STATUS

import steadypool
import steadypool.mysql
from poolspec.adapters.scripted import SteadyForeign
from poolspec.adapters.steady_config import told
from poolspec.runtime.aio.contract import AsyncPoolAdapter, AsyncWiring
from poolspec.runtime.clock import Clock, RealClock
from poolspec.runtime.connection import OnStage
from poolspec.runtime.contract import (
    Controls,
    ForeignConnections,
    HealthSeen,
    LoanSeen,
    Meter,
    Options,
    Place,
    Wiring,
)
from poolspec.runtime.hooks import HookError
from poolspec.runtime.journal import LogNames
from poolspec.runtime.log import Entry, Figures, current_actor
from poolspec.servers import Tenant
from poolspec.vocabulary import Capability, ErrorKind, EventKind, TimeKind
from steadypool import driver
from steadypool.states import ConnectionState
from steadypool.testing import VirtualClock


def is_installed(name: str) -> bool:
    """Say whether a module could be imported."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # not even its parent
        return False


OPTIONAL = frozenset({Capability.METRICS} if is_installed("opentelemetry.sdk") else ())
"""What can be done where the packages for it are installed."""
CAPABILITIES = OPTIONAL | frozenset(
    {
        Capability.OVERFLOW,
        Capability.PREFILL,
        Capability.RECYCLE_BY_AGE,
        Capability.CALL_TIMEOUT,
        Capability.CLOSE_ALL,
        Capability.GLOBAL_POOL,
        Capability.FAIR_QUEUE,
        Capability.STATISTICS,
        Capability.EVENTS,
        Capability.LOGS,
        Capability.VIRTUAL_TIME,
        Capability.ASYNCIO,
        Capability.HOOKS,
        Capability.MIN_SIZE,
        Capability.MAX_USES,
        Capability.IDLE_TIME,
        Capability.FIFO,
        Capability.MAINTENANCE,
        Capability.HOUSEKEEPING,
        Capability.RESIZE,
        Capability.SUSPEND,
        Capability.DRAIN,
        Capability.HEALTH,
        Capability.TRANSACTIONS,
        Capability.OPTIMISTIC_LOCKING,
        Capability.QUEUE_CAP,
        Capability.CONNECT_CAP,
        Capability.BREAKER,
        Capability.RETRIES,
        Capability.LEAK_DETECTION,
        Capability.LIVENESS,
        Capability.VALIDATION,
        Capability.SESSION_RESET,
        Capability.CONFIGURATION,
        Capability.TIME_LIMITS,
        Capability.FORK_SAFETY,
        Capability.FOREIGN_CONNECTIONS,
        *((Capability.WEB_APP,) if find_spec("uvicorn") else ()),
    }
)

DIRT = {
    ConnectionState.IN_TRANSACTION: "a transaction that is open, or may be",
    ConnectionState.UNREAD: "an unread result",
    ConnectionState.CLOSED: "a closed socket",
}

KINDS: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (steadypool.PoolTimeoutError, ErrorKind.TIMEOUT),
    (steadypool.PoolClosedError, ErrorKind.CLOSED),
    (steadypool.NotBorrowedError, ErrorKind.NOT_BORROWED),
    (steadypool.PoolConfigError, ErrorKind.CONFIG),
    (steadypool.PoolExhaustedError, ErrorKind.EXHAUSTED),
    (steadypool.ServerUnavailableError, ErrorKind.UNAVAILABLE),
    (steadypool.ConnectionValidationError, ErrorKind.VALIDATION),
    (steadypool.PoolInitializationError, ErrorKind.INITIALIZATION),
    (steadypool.ConnectionFailedError, ErrorKind.CONNECT),
    (steadypool.ConflictError, ErrorKind.CONFLICT),
    (HookError, ErrorKind.INITIALIZATION),
    (pymysql.err.InterfaceError, ErrorKind.LOST),
    (pymysql.Error, ErrorKind.QUERY),
)
"""The first that fits counts."""
LOGS = LogNames(
    "steadypool",
    {
        "failure": "connect_failed",
        "retry": "connect_retry",
        "recovery": "server_recovered",
        "leak": "leak_suspected",
        "invalid": "connection_invalid",
        "unavailable": "server_unavailable",
        "upkeep": "upkeep_failed",
        "listener": "listener_failed",
    },
)
POOL_NAME = "primary"
"""What a pool is called that is given no name."""
KILLED = 1927
"""MariaDB's word for it, before it hangs up."""
LOST = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, KILLED})


def kind_of(error: BaseException) -> ErrorKind | None:
    """Say what an exception of steadypool or its driver means."""
    if isinstance(error, CancelledError):
        return ErrorKind.CANCELLED
    if isinstance(error, pymysql.OperationalError) and error.args[0] in LOST:
        return ErrorKind.LOST
    for exception, kind in KINDS:
        if isinstance(error, exception):
            return kind
    return None


def plain_dirt(connection: Any) -> str:
    """Say what of its last use still clings to a plain driver's connection."""
    if connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
        return "an open transaction"
    result = connection._result
    return "an unread result" if result is not None and result.unbuffered_active else ""


THREADS_ONLY = frozenset({Capability.GLOBAL_POOL, Capability.FORK_SAFETY})
"""What the asyncio shell does not have."""


def config_of(tenant: Tenant) -> steadypool.Config:
    """Return how steadypool connects as a tenant."""
    return steadypool.Config(
        host=tenant.address.host,
        port=tenant.address.port,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )


class Listener:
    """Writes the pool's events into the test's log."""

    def __init__(self, listen: Callable[[Entry], None]) -> None:
        self._listen = listen

    def __call__(self, event: steadypool.PoolEvent) -> None:
        """Translate one event."""
        self._listen(
            Entry(
                at=event.at,
                actor=current_actor(),
                kind=EventKind(event.kind.value),
                by_pool=True,
                connection=event.connection,
                ticket=event.ticket,
                detail=event.reason.value if event.reason else "",
                figures=Figures(event.idle, event.waiting, event.total),
            )
        )

    def __eq__(self, other: object) -> bool:
        """Be equal within a test, for the global pool compares the options it was made with."""
        return isinstance(other, Listener) and other._listen == self._listen

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self._listen)


def listeners(wiring: Wiring | AsyncWiring) -> tuple[steadypool.Listener, ...]:
    """Return what a pool tells its events to: the test's log, and its meter."""
    log = () if wiring.listen is None else (Listener(wiring.listen),)
    return log if wiring.meter is None else (*log, wiring.meter.listener(POOL_NAME))


P = TypeVar("P")


def watched(pool: P, wiring: Wiring | AsyncWiring) -> P:
    """Have a pool's limits monitored, where that is asked for."""
    if wiring.meter is not None:
        wiring.meter.watch(pool)
    return pool


def loans_of(pool: steadypool.ConnectionPool | steadypool.AsyncConnectionPool) -> list[LoanSeen]:
    """Return what is on loan, the longest loan first."""
    return [LoanSeen(loan.holder, loan.seconds, loan.where) for loan in pool.loans()]


def health_of(health: steadypool.Health) -> HealthSeen:
    """Return a pool's verdict on itself, in the lab's words."""
    return HealthSeen(health.status.value, health.reasons, health.stats.as_dict())


class SteadyControls:
    """Passes every call on."""

    def transaction(self, pool: steadypool.ConnectionPool) -> AbstractContextManager[Any]:
        """Borrow for a unit of work."""
        return pool.transaction()

    def resize(
        self, pool: steadypool.ConnectionPool, size: int | None, max_overflow: int | None
    ) -> None:
        """Change the pool's limits."""
        pool.resize(size, max_overflow)

    def suspend(self, pool: steadypool.ConnectionPool) -> None:
        """Hand out nothing."""
        pool.suspend()

    def resume(self, pool: steadypool.ConnectionPool) -> None:
        """Hand out again."""
        pool.resume()

    def maintain(self, pool: steadypool.ConnectionPool) -> None:
        """Do the housekeeping."""
        pool.maintain()

    def expect_one(self, cursor: Any) -> None:
        """Look at the statement's count of rows."""
        steadypool.expect_one(cursor)

    def loans(self, pool: steadypool.ConnectionPool) -> list[LoanSeen]:
        """Return the pool's own list."""
        return loans_of(pool)

    @contextmanager
    def keep(self, pool: steadypool.ConnectionPool, interval: float) -> Iterator[None]:
        """Give the pool a housekeeper of its own."""
        with steadypool.Housekeeper(interval) as keeper:
            keeper.watch(pool)
            yield

    def drain(self, pool: steadypool.ConnectionPool, seconds: float) -> None:
        """Close, waiting for what is on loan."""
        pool.close(seconds)

    def health(self, pool: steadypool.ConnectionPool) -> HealthSeen:
        """Return the pool's own verdict."""
        return health_of(pool.health())


class SteadypoolAdapter:
    """Passes every call on."""

    name = "steadypool"
    capabilities = CAPABILITIES
    pool_class: type[steadypool.ConnectionPool] = steadypool.ConnectionPool

    logs = LOGS

    @property
    def controls(self) -> Controls:
        """What can be done to a pool in its life."""
        return SteadyControls()

    @property
    def foreign(self) -> ForeignConnections:
        """Connections that are not its own."""
        return SteadyForeign()

    @property
    def asyncio(self) -> AsyncPoolAdapter | None:
        """The adapter of the asyncio shell; None where its driver is not installed."""
        if not is_installed("aiomysql"):
            return None
        from poolspec.adapters.steady_aio import AsyncSteadypoolAdapter

        return AsyncSteadypoolAdapter()

    def meter(self) -> Meter:
        """Make what monitors one pool."""
        from poolspec.adapters.steady_metrics import SteadyMeter

        return SteadyMeter()

    def clock(self, time: TimeKind) -> Clock:
        """Return a virtual clock, which the pool will share, or the machine's."""
        if time is TimeKind.VIRTUAL:
            return VirtualClock()
        return RealClock()

    def opener(self, tenant: Tenant) -> Callable[[], Any]:
        """Return steadypool's own connector, so that its driver is what runs."""
        return steadypool.Connector(config_of(tenant))

    def create(self, options: Options, wiring: Wiring) -> Any:
        """Make a pool."""
        made: dict[str, Any] = {**options, **self._tied(wiring)}
        return watched(self.pool_class(**made), wiring)

    def open(self, options: Options, place: Place, wiring: Wiring) -> Any:
        """Make a pool that connects by its configuration."""
        with told(place, options) as given:
            made = {**self._tied(wiring), "connect": None, **given}
            return watched(self.pool_class(**made), wiring)

    def global_pool(self, options: Options, wiring: Wiring) -> Any:
        """Return the process-wide pool."""
        return watched(steadypool.get_global_pool(**options, **self._tied(wiring)), wiring)

    def acquire(self, pool: steadypool.ConnectionPool, timeout: float | None) -> Any:
        """Borrow a connection."""
        return pool.acquire(timeout)

    def release(self, pool: steadypool.ConnectionPool, connection: Any) -> None:
        """Give a connection back."""
        pool.release(connection)

    def block(self, pool: steadypool.ConnectionPool) -> AbstractContextManager[Any]:
        """Return the pool itself."""
        return pool

    def stats(self, pool: steadypool.ConnectionPool) -> Mapping[str, int]:
        """Return the pool's figures."""
        return pool.get_stats()

    def close_all(self, pool: steadypool.ConnectionPool) -> None:
        """Empty the pool."""
        pool.close_all()

    def close(self, pool: steadypool.ConnectionPool) -> None:
        """Close the pool."""
        pool.close()

    def dirt(self, connection: Any) -> str:
        """Ask the driver, which keeps track of what the server last said."""
        if isinstance(connection, OnStage):
            return connection.dirt()
        if not isinstance(connection, steadypool.mysql.Connection):
            return plain_dirt(connection)
        return DIRT.get(driver.state(connection), "")

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Say what an exception means."""
        return kind_of(error)

    def _tied(self, wiring: Wiring) -> dict[str, Any]:
        """Return the options that tie a pool into its test."""
        tied: dict[str, Any] = {"connect": wiring.connect, "listeners": listeners(wiring)}
        if wiring.time is TimeKind.VIRTUAL:
            tied["clock"] = wiring.clock  # in real time the pool brings its own
        return tied


class SilentSteadypoolAdapter(SteadypoolAdapter):
    """Makes pools without listeners, which take a shorter way through the code."""

    name = "steadypool-silent"
    capabilities = CAPABILITIES - {Capability.EVENTS, Capability.FAIR_QUEUE, Capability.METRICS}

    def _tied(self, wiring: Wiring) -> dict[str, Any]:
        return {**super()._tied(wiring), "listeners": ()}
