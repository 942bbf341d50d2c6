"""The tables of keys of every expectation."""

from poolspec.loading.table_keys import FLAG
from poolspec.spec.common import COUNTED, FAILURE, NAME, NAMES, TIMED
from poolspec.spec.fields import Key, Place
from poolspec.spec.kinds import check_kind, enum_kind, fields_kind, list_kind, map_kind
from poolspec.spec.quantities import RATE, RATIO
from poolspec.vocabulary import Call, EventKind, HealthWord, MetricName, Real, StatName, TimingName

_STAT_MEANINGS = {
    StatName.CREATED: "connections opened since the pool was made",
    StatName.CLOSED: "connections closed since then, for whatever reason",
    StatName.RECYCLED: "connections replaced because they were older than `recycle`",
    StatName.ACQUIRED: "acquires that got a connection",
    StatName.RELEASED: "connections given back",
    StatName.TIMEOUTS: "acquires that gave up waiting",
    StatName.TOTAL_CONNECTIONS: "connections that are open, idle and on loan",
    StatName.POOL_SIZE: "connections that are idle",
    StatName.MAX_SIZE: "the most that may be open: size + max_overflow",
    StatName.IN_USE: "connections on loan",
    StatName.WAITING: "acquires in the queue",
}
STATS = Place(
    "stats", tuple(Key(name.value, COUNTED, _STAT_MEANINGS[name], "2") for name in StatName)
)
SERVER = Place(
    "server",
    (
        Key("connections", COUNTED, "connections that are open now", "2"),
        Key("peak", COUNTED, "the most that were open at once", '"<= 4"'),
    ),
)
LATENCY = Place(
    "latency",
    tuple(
        Key(name, TIMED, f"{name} of the time from asking to giving back", '"< 100ms"')
        for name in ("mean", "max", "p50", "p90", "p95", "p99", "p99.9")
    ),
)
ERRORS = Key(
    "errors",
    map_kind("kinds of errors with a number each", FAILURE, COUNTED),
    "failed operations by kind of error",
    "{timeout: 0}",
)
ONLY_ERRORS = Key(
    "only_errors",
    list_kind("a list of kinds of errors", FAILURE, low=1),
    "operations fail in these ways, and in no other",
    "[timeout, lost]",
)
LATENCY_KEY = Key("latency", fields_kind(LATENCY), "times of the operations", '{p99: "< 500ms"}')
LOST_WRITES = Key("lost_writes", COUNTED, "committed writes that are not there afterwards", "0")
LOAD_CHECKS = (
    Key("operations", COUNTED, "operations tried", "100"),
    Key("succeeded", COUNTED, "operations that succeeded", "100"),
    Key("failed", COUNTED, "operations that failed", "0"),
    LOST_WRITES,
    Key("success_rate", check_kind(RATIO), "succeeded, as a share of all", '">= 95%"'),
    Key("throughput", check_kind(RATE), "operations in a second", '"> 1000"'),
)
LOADED = Place("what came of a load", (*LOAD_CHECKS, ERRORS, ONLY_ERRORS, LATENCY_KEY))

_KINDS = list_kind("a list of events", enum_kind("an event", EventKind), low=1)
EXACTLY = Key("exactly", _KINDS, "these events and no others, in this order", "[pool_created]")
IN_ORDER = Key("in_order", _KINDS, "these in this order, among others", "[checked_out, checked_in]")
EVENTS = Place("events", (EXACTLY, IN_ORDER))

HOOKS = Place(
    "hooks",
    (
        Key("setup", COUNTED, "times that `setup` was called", "2"),
        Key("on_acquire", COUNTED, "times that `on_acquire` was called", "5"),
    ),
)
CALLS = Place(
    "calls",
    tuple(
        Key(call.value, COUNTED, f"calls of {call}", "1")
        for call in Call
        if call is not Call.LISTENER  # see EVENTS
    ),
)
LOGS = Place(
    "logs",
    (
        Key("failure", COUNTED, "records of connects that failed", "3"),
        Key("retry", COUNTED, "records of connects that were tried again", "2"),
        Key("recovery", COUNTED, "records of the server being back", "1"),
        Key("leak", COUNTED, "records of connections on loan for too long", "1"),
        Key("invalid", COUNTED, "records of idle connections found dead", "1"),
        Key("unavailable", COUNTED, "records of the server being given up for a while", "1"),
        Key("maintenance", COUNTED, "records of maintenance that failed", "1"),
        Key("listener", COUNTED, "records of listeners that failed", "1"),
    ),
)

TIMING = Place(
    "times measured",
    (
        Key("count", COUNTED, "how many times were measured", "2"),
        Key("sum", TIMED, "their sum", "3s"),
        Key("min", TIMED, "the shortest", "0s"),
        Key("max", TIMED, "the longest", '"<= 1s"'),
    ),
)
_METRIC_MEANINGS = {
    MetricName.IDLE: "connections that are idle",
    MetricName.USED: "connections that are open and not idle",
    MetricName.MAX: "the most that may be open",
    MetricName.IDLE_MAX: "the most idle ones that are kept",
    MetricName.IDLE_MIN: "the fewest that are kept",
    MetricName.PENDING_REQUESTS: "acquires in the queue",
    MetricName.TIMEOUTS: "acquires that gave up waiting",
}
_TIMING_MEANINGS = {
    TimingName.CREATE_TIME: "times to open a connection",
    TimingName.WAIT_TIME: "times from asking for a connection to getting it",
    TimingName.USE_TIME: "times from getting a connection to giving it back",
}
METRICS = Place(
    "metrics",
    (
        *(Key(name.value, COUNTED, _METRIC_MEANINGS[name], "2") for name in MetricName),
        *(
            Key(name.value, fields_kind(TIMING), _TIMING_MEANINGS[name], "{count: 2}")
            for name in TimingName
        ),
    ),
)

STATS_KEY = Key("stats", fields_kind(STATS), "the pool's counters", "{acquired: 2}")
SERVER_KEY = Key(
    "server", fields_kind(SERVER), "connections, by the server's count", "{connections: 2}"
)
SERVED = Key("served", NAMES, "actors, in the order they were served", "[first, second]")
SAME = Key("same", NAMES, "labels of one and the same connection or pool", "[a, b]")
DIFFERENT = Key("different", NAMES, "labels, no two of the same connection or pool", "[a, b]")
POOLS = Key("pools", COUNTED, "different pools that `global_pool` steps were given", "1")
EVENTS_KEY = Key(
    "events",
    fields_kind(EVENTS),
    "what the pool said it did",
    "{exactly: [checked_out, checked_in]}",
)
REMAINING_TIMEOUT = Key(
    "remaining_timeout", TIMED, "how long somebody will still wait for the database", "10s ± 5%"
)
HEALTH = Key("health", enum_kind("a state of health", HealthWord), "how the pool is", "degraded")
HOOKS_KEY = Key("hooks", fields_kind(HOOKS), "how often hooks were called", "{setup: 2}")
REAL = Key(
    "real",
    list_kind("a list of what is real", enum_kind("a part of a test", Real)),
    "what is real in the test, and nothing else is",
    "[socket, driver]",
)
CALLS_KEY = Key(
    "calls", fields_kind(CALLS), "how often connections were asked for things", "{rollback: 1}"
)
LOGS_KEY = Key("logs", fields_kind(LOGS), "what the pool logged, by sort", "{recovery: 1}")
BY = Key("by", NAME, "the actor that borrowed, or `main`", "first")
LASTS = Key("for", TIMED, "how long it has been on loan", '">= 1m"')
WHERE = Key("where", FLAG, "whether the pool can tell the place in the test", "true")
LOAN = Place("a loan", (BY, LASTS, WHERE))
LOANS_KEY = Key(
    "loans",
    list_kind("a list of loans", fields_kind(LOAN)),
    "all that is on loan, the longest first",
    "[{by: first, for: 2m}]",
)
METRICS_KEY = Key("metrics", fields_kind(METRICS), "what monitoring sees", "{used: 1, idle: 1}")
EXPECT = Place(
    "an expectation",
    (
        *(STATS_KEY, SERVER_KEY, SERVED, SAME, DIFFERENT, POOLS, EVENTS_KEY),
        *(HEALTH, REMAINING_TIMEOUT, HOOKS_KEY, CALLS_KEY, LOGS_KEY, LOANS_KEY, METRICS_KEY, REAL),
    ),
    other=fields_kind(LOADED),
)
