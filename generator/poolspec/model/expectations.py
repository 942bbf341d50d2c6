"""What must hold, at a step or at the end of a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from poolspec.model.values import Check, Checks, Value
from poolspec.vocabulary import ErrorKind, EventKind, HealthWord, Real


@dataclass(frozen=True, slots=True)
class LoadExpectation:
    """What must have come of generated load."""

    label: str
    checks: Checks = ()
    """Of: operations, succeeded, failed, lost_writes, success_rate, throughput (operations/s)."""
    errors: tuple[tuple[ErrorKind, Check], ...] = ()
    latency: Checks = ()
    """Of: mean, max, p50, p90, p95, p99, p99.9; seconds from asking for to giving back."""
    line: int = 0
    only_errors: tuple[ErrorKind, ...] = ()
    """The kinds of errors that there may be; empty: any."""


@dataclass(frozen=True, slots=True)
class EventsExpectation:
    """What the event log must hold, in this order: just this, or this among other things."""

    kinds: tuple[EventKind, ...]
    exactly: bool
    line: int = 0


@dataclass(frozen=True, slots=True)
class LoanExpectation:
    """What the pool must know of one loan; None says nothing."""

    by: str | None = None
    """The actor that borrowed, or `main`."""
    seconds: Check | None = None
    """For how long it has been on loan."""
    where: bool | None = None
    """Whether the pool can tell the place in the test."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What must hold, at a step or at the end of a test. Empty parts say nothing."""

    stats: Checks = ()
    """By StatName."""
    server: Checks = ()
    """Of: connections (open now, by the server's count), peak (most sockets open at once)."""
    served: tuple[str, ...] = ()
    """Actors, in the order in which they were given connections they had queued for."""
    same: tuple[str, ...] = ()
    """Labels of one connection, or of one pool."""
    different: tuple[str, ...] = ()
    """Labels of connections no two of which are the same."""
    pools: Check | None = None
    """How many different pools all `global_pool` steps and actors were given."""
    events: EventsExpectation | None = None
    loads: tuple[LoadExpectation, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each part given, loads excepted: stats, server, served, …"""
    health: HealthWord | None = None
    """How the pool says it is."""
    remaining_timeout: Check | None = None
    """How long somebody who waits for the database will still wait, in seconds."""
    hooks: Checks = ()
    """Of: setup, on_acquire. How often the pool called them."""
    logs: Checks = ()
    """Of: failure, retry, recovery, leak … How many records of each sort the pool logged."""
    loans: tuple[LoanExpectation, ...] | None = None
    """What is on loan, the longest loan first, and no more than that."""
    metrics: Checks = ()
    """By MetricName, and by TimingName with a part: `wait_time.count`, `.sum`, `.min`, `.max`."""
    real: tuple[Real, ...] | None = None
    """Just what is real in the test."""
    calls: Checks = ()
    """By Call. How often the pool asked its driver and scripted connections for something."""


@dataclass(frozen=True, slots=True)
class Expect:
    """Check expectations in the middle of a test."""

    line: int
    expectations: Expectations
    within: Value | None = None
    """Seconds in which they must come true; None: they are true now."""
