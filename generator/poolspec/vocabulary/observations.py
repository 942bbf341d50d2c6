"""The observations of a pool from outside, and the ways to compare them."""

from enum import StrEnum


class EventKind(StrEnum):
    """What happens in a pool, in the order in which it happens.

    The vocabulary follows MongoDB's CMAP specification, the one portable standard for pools;
    `checkout_queued` and `checkout_granted` are added, for fairness cannot be seen without them.
    """

    POOL_CREATED = "pool_created"
    POOL_CLEARED = "pool_cleared"
    POOL_CLOSED = "pool_closed"
    POOL_SUSPENDED = "pool_suspended"
    POOL_RESUMED = "pool_resumed"
    POOL_RESIZED = "pool_resized"
    CONNECTION_CREATED = "connection_created"
    CONNECTION_CLOSED = "connection_closed"
    CHECKOUT_STARTED = "checkout_started"
    CHECKOUT_QUEUED = "checkout_queued"
    CHECKOUT_GRANTED = "checkout_granted"
    CHECKED_OUT = "checked_out"
    CHECKOUT_FAILED = "checkout_failed"
    CHECKED_IN = "checked_in"
    LEAK_SUSPECTED = "leak_suspected"


class HealthWord(StrEnum):
    """The health that a pool reports."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class StatName(StrEnum):
    """The counters and gauges that every pool with statistics must report."""

    CREATED = "created"
    """Connections opened since the pool was made."""
    CLOSED = "closed"
    """Connections closed since the pool was made, for any reason."""
    RECYCLED = "recycled"
    """Connections replaced because they were older than `recycle`."""
    ACQUIRED = "acquired"
    """Acquires that got a connection."""
    RELEASED = "released"
    """Connections released."""
    TIMEOUTS = "timeouts"
    """Acquires that timed out."""
    TOTAL_CONNECTIONS = "total_connections"
    """Open connections, idle and on loan."""
    POOL_SIZE = "pool_size"
    """Idle connections, ready to hand out."""
    MAX_SIZE = "max_size"
    """The maximum number of open connections: size + max_overflow."""
    IN_USE = "in_use"
    """Connections on loan."""
    WAITING = "waiting"
    """Acquires in the queue."""


class MetricName(StrEnum):
    """The metrics of a pool, by OpenTelemetry's names without `db.client.connection.`."""

    IDLE = "idle"
    """`count`, of the connections that are idle."""
    USED = "used"
    """`count`, of all others."""
    MAX = "max"
    """The maximum number of open connections."""
    IDLE_MAX = "idle.max"
    """The maximum number of idle connections."""
    IDLE_MIN = "idle.min"
    """The minimum number of connections."""
    PENDING_REQUESTS = "pending_requests"
    """Acquires in the queue."""
    TIMEOUTS = "timeouts"
    """Acquires that timed out."""


class TimingName(StrEnum):
    """The metrics of times, by OpenTelemetry's names without `db.client.connection.`."""

    CREATE_TIME = "create_time"
    """Times to open a connection."""
    WAIT_TIME = "wait_time"
    """Times from acquire to checkout."""
    USE_TIME = "use_time"
    """Times from checkout to release."""


class CheckOp(StrEnum):
    """How a measured value is compared with an expected one."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    BETWEEN = ".."
    APPROX = "±"
