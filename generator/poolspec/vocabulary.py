"""The words of the field, as enums.

Both sides speak them: the build side (specs, generator) writes them into test modules, the run side
(lab, adapters, servers) acts on them. The value of a member is the word that a spec file uses.
This module imports nothing of the project, and is cheap to import.
"""

from enum import StrEnum


class Layer(StrEnum):
    """How much of the world takes part in a test."""

    UNIT = "unit"
    INTEGRATION = "integration"
    SYSTEM = "system"
    PERFORMANCE = "performance"
    CHAOS = "chaos"


class Level(StrEnum):
    """How binding a behaviour is, in the sense of RFC 2119."""

    MUST = "must"
    SHOULD = "should"


class TimeKind(StrEnum):
    """Which clock a test runs on."""

    VIRTUAL = "virtual"
    REAL = "real"


class Shell(StrEnum):
    """Who borrows: a pool may have a shell for threads, one for asyncio, or both."""

    THREADS = "threads"
    """Threads; a call that waits blocks its thread."""
    ASYNCIO = "asyncio"
    """Tasks of an event loop; a call that waits is awaited."""


class Connections(StrEnum):
    """What a pool's connections are."""

    DRIVER = "driver"
    """Opened by the pool's own driver, in the pool's own way."""
    PLAIN = "plain"
    """Opened by a callable that the pool is given, as a plain driver opens them."""
    SCRIPTED = "scripted"
    """Without a server: they follow a script, and so can fail exactly as a test says."""
    MINIMAL = "minimal"
    """Scripted, and able to do no more than DB-API asks."""


class Real(StrEnum):
    """What may be real in a test, or be stood in for."""

    SERVER = "server"
    """A database server as users run it; not the embedded one, nor none."""
    SOCKET = "socket"
    """Every connection goes over a socket."""
    DRIVER = "driver"
    """Every connection is a driver's, and not a scripted one."""
    CLOCK = "clock"
    """Time passes as it does in the world."""


class ErrorKind(StrEnum):
    """Ways in which a pool refuses or fails; an adapter maps its pool's exceptions to them."""

    TIMEOUT = "timeout"
    """No connection became free within the acquire timeout."""
    CLOSED = "closed"
    """The pool is closed and hands out nothing."""
    CONNECT = "connect"
    """A connection could not be opened (host, password or database wrong, refused)."""
    NOT_BORROWED = "not_borrowed"
    """The connection given back is not on loan from this pool."""
    CONFIG = "config"
    """The pool's options are invalid, or contradict those it was made with."""
    QUERY = "query"
    """The database refused a statement."""
    CANCELLED = "cancelled"
    """The task that asked was cancelled."""
    EXHAUSTED = "exhausted"
    """As many wait as may; the pool refuses at once."""
    UNAVAILABLE = "unavailable"
    """Connects have failed too often in a row; the pool refuses without trying."""
    VALIDATION = "validation"
    """A connection was found broken, and none could be made in its place."""
    LOST = "lost"
    """The connection was lost during a statement."""
    INITIALIZATION = "initialization"
    """A new connection, or one that was about to be handed out, could not be prepared."""
    CONFLICT = "conflict"
    """Somebody else changed what was to be changed (optimistic locking)."""
    INTERRUPTED = "interrupted"
    """An interrupt, as Ctrl-C raises one, came in the midst of it and went on to the caller."""


class BodyFailure(StrEnum):
    """What the body of a `with` raises on purpose."""

    ERROR = "error"
    """An ordinary exception."""
    INTERRUPT = "interrupt"
    """A BaseException that is no Exception, as Ctrl-C raises."""


class Interruption(StrEnum):
    """What cuts short whoever borrows, in the midst of it."""

    INTERRUPT = "interrupt"
    """To a thread, Ctrl-C; to a task, its cancellation."""
    TIMEOUT = "timeout"
    """To a thread, the timeout of a socket; to a task, a deadline around all that it does."""


class Capability(StrEnum):
    """What a pool or a server must be able to do for a test to say anything about it."""

    OVERFLOW = "overflow"
    """The pool grows past its size, up to a limit."""
    PREFILL = "prefill"
    """The pool opens `size` connections when it is made."""
    RECYCLE_BY_AGE = "recycle_by_age"
    """A connection older than `recycle` is replaced before it is handed out."""
    CALL_TIMEOUT = "call_timeout"
    """An acquire may carry a timeout of its own."""
    CLOSE_ALL = "close_all"
    """The pool can be emptied and goes on working."""
    GLOBAL_POOL = "global_pool"
    """One process-wide pool, made on first use."""
    FAIR_QUEUE = "fair_queue"
    """Who asked first is served first."""
    STATISTICS = "statistics"
    """The pool counts what it does."""
    EVENTS = "events"
    """The pool tells listeners what it does, as it does it."""
    LOGS = "logs"
    """The pool writes log records that say in a field of their own what they are about."""
    VIRTUAL_TIME = "virtual_time"
    """The pool takes its clock as an argument."""
    ROW_LOCKS = "row_locks"
    """The server locks rows, not tables, and knows SELECT … FOR UPDATE."""
    ISOLATION_LEVELS = "isolation_levels"
    """The server's transaction isolation level can be set per session."""
    ASYNCIO = "asyncio"
    """The pool has a shell for asyncio."""
    HOOKS = "hooks"
    """The pool calls `setup` for new connections and `on_acquire` at every acquire."""
    MIN_SIZE = "min_size"
    """The pool keeps fewer connections open than `size`, if told to."""
    METRICS = "metrics"
    """The pool can be monitored, by OpenTelemetry's names."""
    MAX_USES = "max_uses"
    """A connection is retired after so many loans."""
    IDLE_TIME = "idle_time"
    """A connection that is idle for too long is closed."""
    FIFO = "fifo"
    """The pool can hand out what was idle longest, instead of shortest."""
    MAINTENANCE = "maintenance"
    """The pool can be told to do its housekeeping now."""
    HOUSEKEEPING = "housekeeping"
    """There is somebody who has the pool do its housekeeping every so often."""
    RESIZE = "resize"
    """The limits of a pool in use can be changed."""
    SUSPEND = "suspend"
    """The pool can be suspended and resumed."""
    DRAIN = "drain"
    """Closing can wait for connections on loan."""
    HEALTH = "health"
    """The pool says whether it is healthy."""
    TRANSACTIONS = "transactions"
    """The pool lends a connection for a transaction, and ends it."""
    QUEUE_CAP = "queue_cap"
    """The number of those who wait can be limited."""
    CONNECT_CAP = "connect_cap"
    """The number of connects that are under way at once can be limited."""
    BREAKER = "breaker"
    """After many failed connects in a row the pool fails fast for a while."""
    RETRIES = "retries"
    """The pool tries again when a connect fails."""
    LEAK_DETECTION = "leak_detection"
    """The pool reports a connection that is on loan for too long."""
    LIVENESS = "liveness"
    """The pool can look, without a round trip, whether an idle connection is still there."""
    VALIDATION = "validation"
    """The pool can check a connection with a round trip before it hands it out."""
    SESSION_RESET = "session_reset"
    """The pool can undo all that a borrower did to the session."""
    CONFIGURATION = "configuration"
    """The pool is told where its database is: by options, a URL, a file or the environment."""
    TIME_LIMITS = "time_limits"
    """The pool limits how long it waits for the database: to connect, and for an answer."""
    FORK_SAFETY = "fork_safety"
    """A forked process does not use its parent's connections."""
    WEB_APP = "web_app"
    """The web applications that are registered can be served on the pool."""
    KILL = "kill"
    """The server can be told to end a connection."""
    FOREIGN_CONNECTIONS = "foreign_connections"
    """The pool can be given any callable that opens a DB-API connection."""
    SERVER_CONTROL = "server_control"
    """The server is ours: it can be killed, restarted and paused."""


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


class Fault(StrEnum):
    """What a test breaks on purpose, between the pool and its server."""

    CONNECTION_KILLED = "connection_killed"
    """The server ends one connection that is on loan."""
    IDLE_KILLED = "idle_killed"
    """The server ends every connection that is idle in the pool."""
    CONNECT_REFUSED = "connect_refused"
    """New connections are refused."""
    CONNECT_HANGS = "connect_hangs"
    """New connections are neither made nor refused."""
    CONNECT_SLOW = "connect_slow"
    """New connections take a certain time to be made."""
    CONNECT_INTERRUPTED = "connect_interrupted"
    """An interrupt, as Ctrl-C raises one, comes in the midst of a connect."""
    ROLLBACK_FAILS = "rollback_fails"
    """Rollbacks raise an error."""
    ROLLBACK_SLOW = "rollback_slow"
    """Rollbacks take a certain time."""
    ROLLBACK_HANGS = "rollback_hangs"
    """Rollbacks do not come to an end."""
    COMMIT_FAILS = "commit_fails"
    """Commits raise an error."""
    PING_FAILS = "ping_fails"
    """Round trips that ask whether a connection is good raise an error."""
    PING_SLOW = "ping_slow"
    """Such round trips take a certain time."""
    PING_INTERRUPTED = "ping_interrupted"
    """An interrupt comes in the midst of one."""
    RESET_FAILS = "reset_fails"
    """Resets of a session raise an error."""
    CLOSE_FAILS = "close_fails"
    """Connections that are closed raise an error, and are closed all the same."""
    CLOSE_SLOW = "close_slow"
    """Connections take a certain time to be closed."""
    SERVER_KILLED = "server_killed"
    """The server dies without a word; healed, it is started again."""
    SERVER_PAUSED = "server_paused"
    """The server answers nothing; healed, it goes on where it was."""


class Target(StrEnum):
    """Where a pool is told that its database is."""

    RIGHT = "right"
    """Where it is, with the right user and password."""
    WRONG_PASSWORD = "wrong_password"
    """The server refuses the password."""
    UNKNOWN_DATABASE = "unknown_database"
    """The server has no such database."""
    UNKNOWN_HOST = "unknown_host"
    """The host's name has no address."""
    REFUSED = "refused"
    """Nobody listens at the port."""
    SILENT = "silent"
    """Somebody listens at the port, takes every connection and never says a word."""


class Given(StrEnum):
    """How a pool is told where its database is."""

    CONFIG = "config"
    """By options, each with its value."""
    URL = "url"
    """By one URL that says it all."""
    FILE = "file"
    """By a configuration file."""
    ENVIRONMENT = "environment"
    """By variables of the environment: one names the file, and the file names others."""


class Flaw(StrEnum):
    """What is wrong with the configuration that a pool is given."""

    MALFORMED = "malformed"
    """It cannot be read, for it is not well-formed."""
    MISSING = "missing"
    """A file or a variable that it is about is not there."""
    UNREADABLE = "unreadable"
    """What should be a file of text is none."""
    FOREIGN = "foreign"
    """It is a sound configuration of something else."""
    UNNAMED = "unnamed"
    """The file has no database of the name that is asked for."""
    MISSPELT = "misspelt"
    """The name of an option is misspelt."""
    BAD_VALUE = "bad_value"
    """An option has a value that it cannot have."""
    UNQUOTED = "unquoted"
    """A text reads as a number, for want of quotes."""
    MISSHAPEN = "misshapen"
    """Where options should be there is something else."""
    NO_AUTHORITY = "no_authority"
    """The file of authorities, by which the server's certificate is verified, is not there."""


class Detail(StrEnum):
    """A part of what a pool is told, as its errors should name it."""

    ADDRESS = "address"
    """Host and port, or the path of a socket."""
    USER = "user"
    DATABASE = "database"


class Call(StrEnum):
    """What a pool asks of a driver, and of its connections."""

    CONNECT = "connect"
    EXECUTE = "execute"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    PING = "ping"
    """A round trip that asks whether the connection is good."""
    RESET = "reset"
    """Forgets all that was done to the session."""
    CLOSE = "close"


class Manner(StrEnum):
    """How a call goes wrong."""

    FAILS = "fails"
    INTERRUPTED = "interrupted"
    SLOW = "slow"
    HANGS = "hangs"


CALL_FAULTS = {
    Fault.CONNECT_REFUSED: (Call.CONNECT, Manner.FAILS),
    Fault.CONNECT_HANGS: (Call.CONNECT, Manner.HANGS),
    Fault.CONNECT_SLOW: (Call.CONNECT, Manner.SLOW),
    Fault.CONNECT_INTERRUPTED: (Call.CONNECT, Manner.INTERRUPTED),
    Fault.ROLLBACK_FAILS: (Call.ROLLBACK, Manner.FAILS),
    Fault.ROLLBACK_SLOW: (Call.ROLLBACK, Manner.SLOW),
    Fault.ROLLBACK_HANGS: (Call.ROLLBACK, Manner.HANGS),
    Fault.COMMIT_FAILS: (Call.COMMIT, Manner.FAILS),
    Fault.PING_FAILS: (Call.PING, Manner.FAILS),
    Fault.PING_SLOW: (Call.PING, Manner.SLOW),
    Fault.PING_INTERRUPTED: (Call.PING, Manner.INTERRUPTED),
    Fault.RESET_FAILS: (Call.RESET, Manner.FAILS),
    Fault.CLOSE_FAILS: (Call.CLOSE, Manner.FAILS),
    Fault.CLOSE_SLOW: (Call.CLOSE, Manner.SLOW),
}
"""The faults of calls. Those of a connection's calls are for scripted connections alone."""


class Hook(StrEnum):
    """What a pool is given to call for its connections; every call is counted."""

    COUNTING = "counting"
    """Does nothing else."""
    FAILING = "failing"
    """Raises an error, each time."""
    FAILING_ONCE = "failing_once"
    """Raises an error the first time."""
    FAILING_LATER = "failing_later"
    """Raises an error each time but the first."""
    CLOSING = "closing"
    """Closes the connection."""
    SLOW = "slow"
    """Takes its time: a second of the test's clock."""


class Listening(StrEnum):
    """Who listens to a pool, besides the test."""

    FAILING = "failing"
    """Raises an error, each time."""
    NOBODY = "nobody"
    """There is none: nobody listens to the pool, not even the test."""


class Order(StrEnum):
    """Which idle connection is handed out next."""

    LIFO = "lifo"
    """The one that came back last."""
    FIFO = "fifo"
    """The one that came back first."""


class Reset(StrEnum):
    """What is undone when a connection comes back."""

    ROLLBACK = "rollback"
    """An open transaction."""
    SESSION = "session"
    """All that was done to the session."""
    NONE = "none"
    """Nothing."""


class HealthWord(StrEnum):
    """How a pool says it is."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class ActorState(StrEnum):
    """What a test can wait for an actor to be."""

    WAITING = "waiting"
    """Queued in the pool."""
    HOLDING = "holding"
    """In possession of at least one connection."""
    DONE = "done"
    """Finished, well or not."""


class Operation(StrEnum):
    """What one operation of generated load does with the connection it borrows."""

    BORROW = "borrow"
    """Nothing: acquire and release."""
    READ = "read"
    """One SELECT."""
    WRITE = "write"
    """One committed INSERT, looked for afterwards."""
    COMPLEX = "complex"
    """A transaction of an INSERT and an aggregating SELECT."""


class Via(StrEnum):
    """How generated load borrows a connection."""

    ACQUIRE = "acquire"
    """`acquire` and `release`."""
    WITH = "with"
    """`with pool as connection`."""


class Method(StrEnum):
    """What a request asks of a web application, in the sense of HTTP."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class Runner(StrEnum):
    """What runs the clients of generated load."""

    THREADS = "threads"
    """A thread for each client."""
    EXECUTOR = "executor"
    """`concurrent.futures.ThreadPoolExecutor` with a worker for each client."""


class Until(StrEnum):
    """How generated load ends."""

    STOPPED = "stopped"
    """When a step stops it."""


class StatName(StrEnum):
    """The counters and gauges that every pool with statistics must report."""

    CREATED = "created"
    """Connections opened since the pool was made."""
    CLOSED = "closed"
    """Connections closed since the pool was made, for whatever reason."""
    RECYCLED = "recycled"
    """Connections replaced because they were older than `recycle`."""
    ACQUIRED = "acquired"
    """Acquires that got a connection."""
    RELEASED = "released"
    """Connections given back."""
    TIMEOUTS = "timeouts"
    """Acquires that gave up waiting."""
    TOTAL_CONNECTIONS = "total_connections"
    """Open connections, idle and on loan."""
    POOL_SIZE = "pool_size"
    """Idle connections, ready to hand out."""
    MAX_SIZE = "max_size"
    """The most connections the pool may have: size + max_overflow."""
    IN_USE = "in_use"
    """Connections on loan."""
    WAITING = "waiting"
    """Acquires in the queue."""


class MetricName(StrEnum):
    """What monitoring sees, by OpenTelemetry's names less `db.client.connection.`."""

    IDLE = "idle"
    """`count`, of the connections that are idle."""
    USED = "used"
    """`count`, of all others."""
    MAX = "max"
    """The most connections that may be open."""
    IDLE_MAX = "idle.max"
    """The most idle connections that are kept."""
    IDLE_MIN = "idle.min"
    """The fewest connections that are kept."""
    PENDING_REQUESTS = "pending_requests"
    """Acquires in the queue."""
    TIMEOUTS = "timeouts"
    """Acquires that gave up waiting."""


class TimingName(StrEnum):
    """What monitoring sees of times, by OpenTelemetry's names less `db.client.connection.`."""

    CREATE_TIME = "create_time"
    """Times to open a connection."""
    WAIT_TIME = "wait_time"
    """Times from asking for a connection to getting it."""
    USE_TIME = "use_time"
    """Times from getting a connection to giving it back."""


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
