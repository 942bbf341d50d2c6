"""Expectations of figures: statistics, connections at the server, hooks, calls, logs, metrics."""

from dataclasses import replace

from poolspec.expectations.kind import ExpectationKind, read_checks, refuse_empty
from poolspec.prose import amounts
from poolspec.python.body import Body
from poolspec.spec.common import COUNTED, TIMED
from poolspec.spec.fields import Fields, Key, Place
from poolspec.spec.kinds import fields_kind
from poolspec.spec.scope import Scope
from poolspec.spec.values import Check, Checks
from poolspec.vocabulary import (
    OF_CONNECTIONS,
    Call,
    Capability,
    MetricName,
    StatName,
    TimingName,
)
from poolspec.vocabulary.rules import STATS as STATS_RULES

_STAT_MEANINGS = {
    StatName.CREATED: "connections opened since the pool was made",
    StatName.CLOSED: "connections closed since then, for any reason",
    StatName.RECYCLED: "connections replaced because they were older than `recycle`",
    StatName.ACQUIRED: "acquires that got a connection",
    StatName.RELEASED: "connections released",
    StatName.TIMEOUTS: "acquires that timed out",
    StatName.TOTAL_CONNECTIONS: "connections that are open, idle and on loan",
    StatName.POOL_SIZE: "connections that are idle",
    StatName.MAX_SIZE: "maximum number of open connections: size + max_overflow",
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
        Key("peak", COUNTED, "highest number open at once", '"<= 4"'),
    ),
)
HOOKS = Place(
    "hooks",
    (
        Key("setup", COUNTED, "times that `setup` was called", "2"),
        Key("on_acquire", COUNTED, "times that `on_acquire` was called", "5"),
        Key("on_release", COUNTED, "times that `on_release` was called", "5"),
    ),
)
CALLS = Place(
    "calls",
    tuple(
        Key(call.value, COUNTED, f"calls of {call}", "1")
        for call in Call
        if call not in (Call.LISTENER, Call.LOG_HANDLER)  # see EVENTS and LOGS
    ),
)
LOGS = Place(
    "logs",
    (
        Key("failure", COUNTED, "records of connects that failed", "3"),
        Key("retry", COUNTED, "records of connects that were retried", "2"),
        Key("recovery", COUNTED, "records of a recovered server", "1"),
        Key("leak", COUNTED, "records of suspected leaks", "1"),
        Key("invalid", COUNTED, "records of idle connections found dead", "1"),
        Key("unavailable", COUNTED, "records of an opened breaker", "1"),
        Key("maintenance", COUNTED, "records of maintenance that failed", "1"),
        Key("release", COUNTED, "records of hooks that failed at a release", "1"),
        Key("listener", COUNTED, "records of listeners that failed", "1"),
    ),
)

TIMING = Place(
    "times measured",
    (
        Key("count", COUNTED, "number of times measured", "2"),
        Key("sum", TIMED, "their sum", "3s"),
        Key("min", TIMED, "the shortest", "0s"),
        Key("max", TIMED, "the longest", '"<= 1s"'),
    ),
)
_METRIC_MEANINGS = {
    MetricName.IDLE: "connections that are idle",
    MetricName.USED: "connections that are open and not idle",
    MetricName.MAX: "maximum number of open connections",
    MetricName.IDLE_MAX: "maximum number of idle connections",
    MetricName.IDLE_MIN: "minimum number of connections",
    MetricName.PENDING_REQUESTS: "acquires in the queue",
    MetricName.TIMEOUTS: "acquires that timed out",
}
_TIMING_MEANINGS = {
    TimingName.CREATE_TIME: "times to open a connection",
    TimingName.WAIT_TIME: "times from acquire to checkout",
    TimingName.USE_TIME: "times from checkout to release",
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
HOOKS_KEY = Key("hooks", fields_kind(HOOKS), "numbers of calls of hooks", "{setup: 2}")
CALLS_KEY = Key("calls", fields_kind(CALLS), "numbers of calls of connections", "{rollback: 1}")
LOGS_KEY = Key("logs", fields_kind(LOGS), "records in the pool's log, by sort", "{recovery: 1}")
METRICS_KEY = Key("metrics", fields_kind(METRICS), "figures of monitoring", "{used: 1, idle: 1}")


def _read_calls(scope: Scope, fields: Fields, key: Key[Fields]) -> Checks:
    """Read numbers of calls; those of connections are counted on scripted ones only."""
    given = fields.get(key)
    for name, head in given.heads.items() if given else ():
        if name in OF_CONNECTIONS:
            message = f"calls of {name} are counted on scripted connections"
            scope.names.scripted_only.append((message, head))
    return read_checks(scope, fields, key)


def _read_stats(scope: Scope, fields: Fields, key: Key[Fields]) -> Checks:
    """Read the pool's statistics; some only the pool itself can count."""
    given = fields.get(key)
    for name, head in given.heads.items() if given else ():
        scope.names.imply(STATS_RULES.get(name), repr(name), head)
    return read_checks(scope, fields, key)


def _read_metrics(scope: Scope, fields: Fields, key: Key[Fields]) -> Checks:
    """Read figures by name; those of times by the names of both, with a dot between."""
    given = fields.get(key)
    found = list(read_checks(scope, fields, key))
    for name, timing in given.values.items() if given else ():
        if isinstance(timing, Fields):
            refuse_empty(scope, timing)
            found += [
                (f"{name}.{part}", check)
                for part, check in timing.values.items()
                if isinstance(check, Check)
            ]
    return tuple(found)


def _say_metrics(wanted: Checks) -> str:
    """Return figures; those of times are in seconds, except their number."""
    counts = tuple(name.value for name in MetricName)
    return "figures of monitoring: " + ", ".join(
        amounts.checks(((name, check),), "" if name in counts or name.endswith(".count") else " s")
        for name, check in wanted
    )


def _figures(
    key: Key[Fields], words: str, needs: Capability | None = None
) -> ExpectationKind[Checks]:
    """Return the row of figures that are keyword arguments of its call."""
    return ExpectationKind(
        key,
        Body.checks,
        lambda wanted: f"{words}: {amounts.checks(wanted)}",
        read_checks,
        needs,
    )


KIND_OF_STATS = replace(
    _figures(STATS_KEY, "the pool's statistics"), read=_read_stats, awaits=True, of_pool=True
)
KIND_OF_SERVER = replace(
    _figures(SERVER_KEY, "connections"), awaits=True, of_pool=True, of_all=True
)
KIND_OF_HOOKS = _figures(HOOKS_KEY, "calls of hooks", Capability.HOOKS)
KIND_OF_CALLS = replace(_figures(CALLS_KEY, "calls of connections"), read=_read_calls)
KIND_OF_LOGS = _figures(LOGS_KEY, "records in the pool's log", Capability.LOGS)
KIND_OF_METRICS = ExpectationKind(
    METRICS_KEY, Body.by_name, _say_metrics, _read_metrics, Capability.METRICS, of_pool=True
)
