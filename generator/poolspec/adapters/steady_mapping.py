"""Maps steadypool to the lab: capabilities, kinds of errors, log records, session state."""

from importlib.util import find_spec

import steadypool
from poolspec.invariants.log_records import LogNames
from poolspec.vocabulary import Capability, ErrorKind


def is_installed(name: str) -> bool:
    """Return whether a module can be imported."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is missing too
        return False


_PACKAGES = {Capability.METRICS: "opentelemetry.sdk", Capability.TLS: "trustme"}
OPTIONAL = frozenset(need for need, package in _PACKAGES.items() if is_installed(package))
"""Capabilities that need an optional package."""
CAPABILITIES = OPTIONAL | frozenset(
    {
        Capability.OVERFLOW,
        Capability.PREFILL,
        Capability.RECYCLE_BY_AGE,
        Capability.RECYCLE_JITTER,
        Capability.TIMEOUT,
        Capability.CALL_TIMEOUT,
        Capability.CLOSE_ALL,
        Capability.CLOSE,
        Capability.GLOBAL_POOL,
        Capability.FAIR_QUEUE,
        Capability.STATISTICS,
        Capability.EVENTS,
        Capability.LOGS,
        Capability.VIRTUAL_TIME,
        Capability.ASYNCIO,
        Capability.HOOKS,
        Capability.RELEASE_HOOK,
        Capability.LAZY_START,
        Capability.MIN_SIZE,
        Capability.MAX_USES,
        Capability.IDLE_TIME,
        Capability.LIFO,
        Capability.FIFO,
        Capability.MAINTENANCE,
        Capability.HOUSEKEEPING,
        Capability.RESIZE,
        Capability.SUSPEND,
        Capability.DRAIN,
        Capability.HEALTH,
        Capability.LOST_LOOPS,
        Capability.TRANSACTIONS,
        Capability.OWN_BLOCKS,
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
        Capability.SIGNAL_SAFETY,
        Capability.MINIMAL_CONNECTIONS,
        Capability.RECONNECT,
        *((Capability.WEB_APP,) if find_spec("uvicorn") else ()),
    }
)
THREADS_ONLY = frozenset({Capability.GLOBAL_POOL, Capability.FORK_SAFETY})
"""Capabilities that the asyncio form lacks."""

KINDS: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (steadypool.ReentrantCallError, ErrorKind.REENTRANT),
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
)
"""The first match counts."""
LOGS = LogNames(
    "steadypool",
    {
        "failure": "connect_failed",
        "retry": "connect_retry",
        "recovery": "server_recovered",
        "leak": "leak_suspected",
        "invalid": "connection_invalid",
        "unavailable": "server_unavailable",
        "maintenance": "maintenance_failed",
        "release": "release_failed",
        "listener": "listener_failed",
    },
)


def kind_of(error: BaseException) -> ErrorKind | None:
    """Return the kind of an exception of steadypool; None if it has none."""
    for exception, kind in KINDS:
        if isinstance(error, exception):
            return kind
    return None
